import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readIfThere, readOrCreate } from '../../../../broker/local/iam/create-once.ts';
import { temporaryFolder } from './fixture.ts';

it('makes a file, and its folder, once', async () => {
  const path = join(temporaryFolder(), 'a', 'b', 'file');
  expect(await readIfThere(path)).toBeUndefined();
  expect(await readOrCreate(path, () => 'first')).toBe('first');
  expect(await readOrCreate(path, () => 'second')).toBe('first');
  expect(await readIfThere(path)).toBe('first');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
});

it('lets one of many win, and all read what it wrote', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'file');
  const read = await Promise.all(
    Array.from({ length: 50 }, (_, index) => readOrCreate(path, () => `made by ${String(index)}`)),
  );
  expect(new Set(read)).toEqual(new Set([readFileSync(path, 'utf8')]));
  expect(readdirSync(folder)).toEqual(['file']);
});

it('takes no notice of what a killed process left half-written', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'file.0123456789abcdef.new'), 'hal');
  expect(await readOrCreate(join(folder, 'file'), () => 'whole')).toBe('whole');
});

it('passes on what the disk says, and leaves nothing behind', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'file'), '');
  await expect(readOrCreate(join(folder, 'file', 'in a file'), () => 'x')).rejects.toThrow('ENOTDIR');
  mkdirSync(join(folder, 'directory'));
  await expect(readOrCreate(join(folder, 'directory'), () => 'x')).rejects.toThrow('EISDIR');
  const failing = readOrCreate(join(folder, 'never'), () => {
    throw new RangeError('cannot be made');
  });
  await expect(failing).rejects.toThrow('cannot be made');
  expect(existsSync(join(folder, 'never'))).toBe(false);
  expect(readdirSync(folder).sort()).toEqual(['directory', 'file']);
});
