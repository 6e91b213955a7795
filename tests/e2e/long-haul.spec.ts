import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import type { GateRequest } from '../support/gate.ts';
import { digestOf, writeRandomFile } from '../support/files.ts';
import { inLongForm } from '../support/long-form.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { createMortalBrowser, pickFile, type MortalBrowser } from './mortal-browser.ts';
import { Person } from './person.ts';
import { quickDist } from './quick-app.ts';

// A long upload on a bad day: the line is down when the file is picked, the browser is killed twice on the way, and the
// line is cut once more. What S3 has is never sent again, and what arrives is what was picked, whatever has become of
// that file since.

const MIB = 1024 ** 2;
const PART_MIB = 8;
const SIZE_MIB = 2048;
const PARTS = SIZE_MIB / PART_MIB;
const NAME = 'Crossing.mov';
const PATIENCE_MS = 20 * 60_000;

let stack: Stack;
let folder: string;
let browser: MortalBrowser;
test.beforeAll(async () => {
  stack = await startStack({ dist: quickDist(), gated: true });
  folder = mkdtempSync(join(tmpdir(), 'halfkey-haul-'));
  browser = createMortalBrowser();
});
test.afterAll(async () => {
  await browser.remove();
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What S3 is known to have of the upload, by the answers that it gave; and what was sent to it although it had it. */
const arrived = new Set<number>();
const repeated: number[] = [];

/** Lets everything through, and keeps the record, until so many parts have arrived. @returns when they have */
function untilArrived(count: number): Promise<void> {
  return new Promise((resolve) => {
    guardAll((seen, moment) => {
      const part = partOf(seen);
      if (part === undefined) return 'pass';
      if (moment === 'after') arrived.add(part);
      else if (arrived.has(part)) repeated.push(part);
      if (arrived.size < count) return 'pass';
      resolve();
      return moment === 'after' ? 'pass' : 'cut';
    });
  });
}

function guardAll(guard: Stack['gates'][number]['guard']): void {
  for (const gate of stack.gates) gate.guard = guard;
}

/** Number of the part that a request brings. */
function partOf({ method, query }: GateRequest): number | undefined {
  const part = query.get('partNumber');
  return method === 'PUT' && part !== null ? Number(part) : undefined;
}

async function comesBack(person: Person): Promise<Person> {
  const page = await browser.start();
  await page.goto(stack.origin);
  await expect(page.getByRole('searchbox', { name: 'Search your drive' })).toBeVisible();
  return person.at(page);
}

inLongForm(test)(
  `a file of ${String(SIZE_MIB)} MiB goes on where it stopped, however often it is stopped`,
  async () => {
    test.setTimeout(2 * PATIENCE_MS);
    const source = join(folder, NAME);
    const digest = writeRandomFile(source, SIZE_MIB * MIB);
    let ada = new Person(await browser.start(), stack, 'haul', 'seven lanterns over the wet quay');
    await ada.signUp();
    await browser.quit(); // Chromium writes cookies down half a minute late.
    ada = await comesBack(ada);

    guardAll((seen) => (partOf(seen) === undefined ? 'pass' : 'cut'));
    await pickFile(ada.page, source);
    const transfers = ada.page.getByRole('region', { name: 'Transfers' });
    await expect(transfers).toContainText('Encrypted on this device.', { timeout: PATIENCE_MS });
    writeFileSync(source, 'something else by now');

    for (const share of [1 / 3, 2 / 3]) {
      const isFar = untilArrived(Math.floor(share * PARTS));
      await isFar;
      await browser.kill();
      ada = await comesBack(ada);
    }
    await untilArrived(Math.floor((5 / 6) * PARTS)); // The line is cut, and comes back by itself.
    void untilArrived(Number.POSITIVE_INFINITY);

    await ada.unlock();
    await expect(ada.row(NAME)).toHaveCount(1, { timeout: PATIENCE_MS });
    await expect(ada.files.getByRole('button', { name: /^Actions for / })).toHaveCount(1);
    expect(repeated).toEqual([]);
    const download = await ada.download(NAME);
    expect(await digestOf(await download.path())).toBe(digest);
  },
);
