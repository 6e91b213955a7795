import { createHash } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { isLongForm } from '../support/long-form.ts';
import { readZip } from '../support/read-zip.ts';
import type { Bare } from './bare/main.ts';
import type { Device } from './device.ts';
import { setUpWorlds, type Person } from './people.ts';

declare const bare: Bare;

const SIGN_UP_MS = 60_000;
/** One code opens 1,000 files. */
const FILES_PER_FOLDER = isLongForm ? 1000 : 20;
const FOLDERS = ['first', 'second'];
const worlds = setUpWorlds();
let device: Device;
let person: Person;

beforeEach(async () => {
  device = await worlds.newDevice();
  person = await worlds.signUp(device);
}, SIGN_UP_MS);

const contentOf = (folder: string, index: number) => `${folder} ${String(index)} `.repeat(index % 50);
const digestOf = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** All files of a folder, picked at once, and in the drive. */
async function bringUp(name: string, folder: string): Promise<void> {
  const files = Array.from({ length: FILES_PER_FOLDER }, (_, index) => ({
    ...{ name: `${String(index)}.txt`, content: contentOf(name, index) },
  }));
  await device.page.evaluate(
    async ({ files, folder }) => {
      await bare.send('view/set', {
        ...{ place: { kind: 'folder', folder }, search: '', sortBy: 'name', descending: false },
      });
      const picked = files.map(({ name, content }) => ({ source: new File([content], name), folder }));
      await bare.send('upload/add', { files: picked });
    },
    { files, folder },
  );
  await expect
    .poll(async () => (await device.last('view'))?.files, { timeout: 600_000 })
    .toBe(FILES_PER_FOLDER);
}

/** Writes a folder as a zip, under a code of its own, and reads that. */
async function bringDown(folder: string): Promise<Map<string, Uint8Array>> {
  await device.send('unlock', { factor: person.factor() });
  const bytes = await device.page.evaluate(async (folder) => {
    const { result, code } = await bare.send('download/zip-write', { entries: [folder] });
    const { opfs } = (result ?? {}) as { opfs?: File };
    if (!opfs) throw new Error(code ?? 'nothing was written');
    return [...new Uint8Array(await opfs.arrayBuffer())];
  }, folder);
  return readZip(Uint8Array.from(bytes));
}

test(
  'whole folders go up and come down as zips, each file with the same digest',
  { timeout: 1_800_000 },
  async () => {
    const { folders } = await device.send('folders/add', {
      parent: '',
      folders: [...FOLDERS, 'empty'].map((name) => ({ name, within: undefined })),
    });
    for (const [index, name] of FOLDERS.entries()) await bringUp(name, folders[index]!);
    for (const [index, name] of FOLDERS.entries()) {
      const down = await bringDown(folders[index]!);
      const digests = [...down].map(([path, bytes]) => [path, digestOf(bytes)]);
      const expected = Array.from({ length: FILES_PER_FOLDER }, (_, file) => [
        ...[`${name}/${String(file)}.txt`, digestOf(contentOf(name, file))],
      ]);
      expect(digests.sort()).toEqual(expected.sort());
    }
    expect([...(await bringDown(folders[2]!)).keys()]).toEqual(['empty/']);
  },
);
