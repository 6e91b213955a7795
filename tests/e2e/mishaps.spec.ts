import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { inLongForm } from '../support/long-form.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { Person } from './person.ts';
import { quickDist } from './quick-app.ts';

const MIB = 1024 ** 2;
const QUOTA_MIB = 64;

let stack: Stack;
let folder: string;
test.beforeAll(async () => {
  stack = await startStack({
    dist: quickDist(),
    environment: { HALFKEY_QUOTA_BYTES: String(QUOTA_MIB * MIB) },
  });
  folder = mkdtempSync(join(tmpdir(), 'halfkey-mishaps-'));
});
test.afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

function fileOf(name: string, sizeBytes: number): string {
  const path = join(folder, name);
  writeFileSync(path, Buffer.alloc(sizeBytes, name));
  return path;
}

test('a vault that is full says so, keeps what it has, and takes files again when there is room', async ({
  browser,
}) => {
  const person = await Person.signedUp(browser, stack, 'full');
  await person.upload(fileOf('forty.bin', 40 * MIB));
  await expect(person.row('forty.bin')).toBeVisible({ timeout: 60_000 });
  await person.upload(fileOf('thirty.bin', 30 * MIB));
  const transfers = person.page.getByRole('region', { name: 'Transfers' });
  await expect(transfers).toContainText(/room|full|space/i);
  await expect(person.row('thirty.bin')).toHaveCount(0);

  await person.deleteForGood('forty.bin');
  await transfers.getByRole('button', { name: 'Retry thirty.bin' }).click();
  await expect(person.row('thirty.bin')).toBeVisible({ timeout: 60_000 });
});

test('a file that changes while it is read is refused, and nothing of it is listed', async ({ browser }) => {
  const person = await Person.signedUp(browser, stack, 'changes');
  const path = fileOf('growing.log', 48 * MIB);
  const transfers = person.page.getByRole('region', { name: 'Transfers' });
  await person.upload(path);
  // The picked file is a snapshot: from here on the browser refuses to read what is no longer that.
  appendFileSync(path, 'one more line');
  await expect(transfers).toContainText(/changed/i, { timeout: 60_000 });
  await expect(person.row('growing.log')).toHaveCount(0);
});

inLongForm(test)('a file that is gone before it was read is refused by name', async ({ browser }) => {
  const person = await Person.signedUp(browser, stack, 'gone');
  const path = fileOf('gone.bin', 48 * MIB);
  await person.upload(path);
  rmSync(path);
  const transfers = person.page.getByRole('region', { name: 'Transfers' });
  await expect(transfers).toContainText(/changed|went away|gone/i, { timeout: 60_000 });
  await expect(person.row('gone.bin')).toHaveCount(0);
});

inLongForm(test)(
  'a tab closed in mid-upload leaves no half file, and the next one finds the drive whole',
  async ({ browser }) => {
    const person = await Person.signedUp(browser, stack, 'closed');
    await person.upload(fileOf('kept.bin', 1));
    await expect(person.row('kept.bin')).toBeVisible();
    await person.upload(fileOf('half.bin', 56 * MIB));
    const transfers = person.page.getByRole('region', { name: 'Transfers' });
    await expect(transfers).toContainText('half.bin');
    await person.page.close({ runBeforeUnload: false });

    const again = person.at(await (browser.contexts().at(-1) ?? (await browser.newContext())).newPage());
    await again.page.goto(`${stack.origin}/`);
    await expect(again.row('kept.bin')).toBeVisible();
    await expect(again.row('half.bin')).toHaveCount(0);
    const download = await again.download('kept.bin', 'Download', true);
    expect(readFileSync(await download.path(), 'utf8')).toBe('k');
  },
);

inLongForm(test)(
  'an upload that is cancelled is gone, and the same file can be added again',
  async ({ browser }) => {
    const person = await Person.signedUp(browser, stack, 'cancels');
    const path = fileOf('cancelled.bin', 56 * MIB);
    const transfers = person.page.getByRole('region', { name: 'Transfers' });
    await person.upload(path);
    await transfers.getByRole('button', { name: 'Cancel cancelled.bin' }).click();
    await expect(transfers).toContainText(/cancelled|called off/i);
    await expect(person.row('cancelled.bin')).toHaveCount(0);
    await person.upload(path);
    await expect(person.row('cancelled.bin')).toBeVisible({ timeout: 90_000 });
  },
);
