import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type Locator, type Page, type Worker } from '@playwright/test';
import type { GateRequest } from '../support/gate.ts';
import { textFile } from '../support/files.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { inLongForm } from '../support/long-form.ts';
import { createMortalBrowser, pickFile, type MortalBrowser } from './mortal-browser.ts';
import { chooseOfApp, Person } from './person.ts';
import { quickDist } from './quick-app.ts';

// What becomes of files on a device that has no room for them: nothing may be lost without a word.

const PASSPHRASE = 'nine paper boats beneath the winter bridge';
const MIB = 1024 ** 2;
const PART_BYTES = 8 * MIB;
/** Fits a text beside what the app leaves for itself, and no film. */
const SOME_ROOM_BYTES = 48 * MIB;

const film = randomBytes(5 * PART_BYTES + 4_321);
const folder = mkdtempSync(join(tmpdir(), 'halfkey-room-'));
const source = join(folder, 'Film.bin');
const MADE_AT = new Date('2026-03-01T12:00:00Z');

let stack: Stack;
test.beforeAll(async () => {
  writeFileSync(source, film);
  utimesSync(source, MADE_AT, MADE_AT);
  stack = await startStack({ dist: quickDist(), gated: true });
});
test.afterEach(() => {
  for (const gate of stack.gates) gate.guard = () => 'pass';
});
test.afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function cryptoWorker(page: Page): Promise<Worker> {
  const isIt = (worker: Worker) => worker.url().includes('crypto.worker');
  return page.workers().find(isIt) ?? page.waitForEvent('worker', isIt);
}

/** Has the browser say that it has so much room left. Chromium says 10 GiB to everybody, whatever there is. */
async function sayRoom(page: Page, freeBytes: number): Promise<void> {
  await (
    await cryptoWorker(page)
  ).evaluate((quota) => {
    navigator.storage.estimate = () => Promise.resolve({ quota, usage: 0 });
  }, freeBytes);
}

/** Has the browser give this origin no more room than that, whatever it says. */
async function giveRoom(page: Page, quotaBytes: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.overrideQuotaForOrigin', { origin: stack.origin, quotaSize: quotaBytes });
}

function transfersOf({ page }: Person): Locator {
  return page.getByRole('region', { name: 'Transfers' });
}

function transfer(person: Person, name: string): Locator {
  return transfersOf(person).getByRole('listitem').filter({ hasText: name });
}

/** Uploads of which this device's files hold anything. */
function capturedCount(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const uploads = await root.getDirectoryHandle('uploads').catch(() => undefined);
    let count = 0;
    if (uploads) for await (const name of uploads.keys()) count += name.length > 0 ? 1 : 0;
    return count;
  });
}

function partOf({ method, query }: GateRequest): string | undefined {
  return method === 'PUT' ? (query.get('partNumber') ?? undefined) : undefined;
}

/** Lets no part of a file past it before it is opened. */
function barParts(): { open: () => void; reached: Promise<void> } {
  let open: () => void = () => undefined;
  let arrive: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => (arrive = resolve));
  const opened = new Promise<void>((resolve) => (open = resolve));
  for (const gate of stack.gates) {
    gate.guard = async (seen, moment): Promise<'pass'> => {
      if (moment === 'before' && partOf(seen) !== undefined) {
        arrive();
        await opened;
      }
      return 'pass';
    };
  }
  return { open, reached };
}

async function hasFilm(person: Person): Promise<void> {
  const download = await person.download('Film.bin');
  expect(readFileSync(await download.path()).equals(film)).toBe(true);
}

/** Tries to leave the page as people do. @returns whether the browser asked; then it stays */
async function leaves(page: Page): Promise<'asked' | 'left'> {
  const asked = page.waitForEvent('dialog').then(async (dialog) => {
    expect(dialog.type()).toBe('beforeunload');
    await dialog.dismiss();
    return 'asked' as const;
  });
  const left = page.waitForEvent('close').then(() => 'left' as const);
  await page.close({ runBeforeUnload: true });
  return Promise.race([asked, left]).finally(() => {
    asked.catch(() => undefined);
    left.catch(() => undefined);
  });
}

test('a file for which the device has no room goes up without resting there, and the page asks to stay', async ({
  browser,
}) => {
  const ada = await Person.signedUp(browser, stack, 'ada');
  await sayRoom(ada.page, SOME_ROOM_BYTES);
  const bar = barParts();
  await ada.upload(source);
  await bar.reached;
  await expect(transfer(ada, 'Film.bin')).toContainText('Encrypting: keep this page open');
  expect(await capturedCount(ada.page)).toBe(0);
  expect(await leaves(ada.page)).toBe('asked');
  await chooseOfApp(ada.page, 'Sign out');
  await expect(ada.page.getByRole('dialog')).toContainText('1 file (42 MB) is not on the server yet.');
  await ada.page.getByRole('button', { name: 'Stay signed in' }).click();

  bar.open();
  await expect(ada.row('Film.bin')).toBeVisible({ timeout: 60_000 });
  await expect(transfer(ada, 'Film.bin')).toContainText('Done');
  await hasFilm(ada);
  expect(await leaves(ada.page)).toBe('left');
});

inLongForm(test)(
  'without a network, a device without room says what it did not take in, and keeps what it had',
  async ({ browser }) => {
    const grace = await Person.signedUp(browser, stack, 'grace');
    const context = grace.page.context();
    await grace.page.evaluate(async () => {
      await navigator.serviceWorker.ready;
    });
    await sayRoom(grace.page, SOME_ROOM_BYTES);
    await context.setOffline(true);
    await grace.upload(textFile('letter.txt', 'was there in time'));
    await expect(transfer(grace, 'letter.txt')).toContainText('Encrypted on this device.');
    await grace.upload(source);
    await expect(transfer(grace, 'Film.bin')).toContainText('Not encrypted yet: keep this page open.');
    await expect(transfer(grace, 'Film.bin')).not.toContainText('Encrypted on this device');
    expect(await capturedCount(grace.page)).toBe(1);

    await grace.page.close({ runBeforeUnload: false });
    const again = grace.at(await context.newPage());
    await again.page.goto(`${stack.origin}/`);
    await sayRoom(again.page, SOME_ROOM_BYTES);
    await expect(transfer(again, 'letter.txt')).toContainText('Encrypted on this device.');
    await expect(transfer(again, 'Film.bin')).toContainText('Only partly read: pick the same file again.');

    await context.setOffline(false);
    await again.unlock();
    await expect(again.row('letter.txt')).toBeVisible({ timeout: 60_000 });
    const letter = await again.download('letter.txt');
    expect(readFileSync(await letter.path(), 'utf8')).toBe('was there in time');
    await expect(again.row('Film.bin')).toHaveCount(0);
    await again.page.getByLabel('Pick again Film.bin').setInputFiles(source);
    await expect(again.row('Film.bin')).toBeVisible({ timeout: 60_000 });
    await hasFilm(again);
  },
);

inLongForm(test)(
  'a file that does not fit, whatever the browser had said, goes up all the same; what was there stays, and arrives',
  async ({ browser }) => {
    const mary = await Person.signedUp(browser, stack, 'mary');
    const { page } = mary;
    await page.context().setOffline(true);
    await mary.upload(textFile('first.txt', 'was there in time'));
    await expect(transfer(mary, 'first.txt')).toContainText('Encrypted on this device.');
    await giveRoom(page, 16 * MIB);
    await mary.upload(source);
    await expect(transfer(mary, 'Film.bin')).toContainText('Not encrypted yet: keep this page open.', {
      timeout: 60_000,
    });
    expect(await capturedCount(page)).toBe(1);
    await giveRoom(page, 1);
    await mary.upload(textFile('last.txt', 'came too late'));
    await expect(transfer(mary, 'last.txt')).toContainText('Not encrypted yet: keep this page open.');
    await expect(transfer(mary, 'first.txt')).toContainText('Encrypted on this device.');

    await chooseOfApp(page, 'Sign out');
    await expect(page.getByRole('dialog')).toContainText('3 files (42 MB) are not on the server yet.');
    await page.getByRole('button', { name: 'Stay signed in' }).click();

    await giveRoom(page, 512 * MIB);
    await page.context().setOffline(false);
    for (const name of ['first.txt', 'last.txt', 'Film.bin'])
      await expect(mary.row(name)).toBeVisible({ timeout: 60_000 });
    await hasFilm(mary);
  },
);

/** Picks as `pickFile` does, for the transfer that waits for its file. */
async function pickAgain(page: Page, path: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const expression = `document.querySelector('input[type=file][aria-label="Pick again Film.bin"]')`;
  const { result } = await session.send('Runtime.evaluate', { expression });
  if (result.objectId === undefined) throw new Error('expected a field for the file');
  await session.send('DOM.setFileInputFiles', { files: [path], objectId: result.objectId });
  await session.detach();
}

/** Signs up, and starts the browser again: Chromium writes cookies down half a minute late. */
async function mortalPerson(browser: MortalBrowser, userName: string): Promise<Person> {
  const person = new Person(await browser.start(), stack, userName, PASSPHRASE);
  await person.signUp();
  await browser.quit();
  return returned(person, browser, person.backupCodes[0]);
}

async function returned(person: Person, browser: MortalBrowser, backupCode?: string): Promise<Person> {
  const page = await browser.start();
  await page.goto(stack.origin);
  const same = person.at(page);
  await same.unlock(backupCode);
  return same;
}

inLongForm(test)(
  'a browser that is killed in the middle of a file asks for that file again, and sends the rest of it',
  async () => {
    const browser = createMortalBrowser();
    try {
      const lise = await mortalPerson(browser, 'lise');
      await sayRoom(lise.page, SOME_ROOM_BYTES);
      // Three parts reach the store, and the others do not.
      const stored = ['1', '2', '3'];
      const struck = new Promise<void>((resolve, reject) => {
        const arrived = new Set<string>();
        for (const gate of stack.gates) {
          gate.guard = async (seen, moment) => {
            const part = partOf(seen);
            if (part === undefined) return 'pass';
            if (moment === 'after' && arrived.add(part).size === stored.length)
              await browser.kill().then(resolve, reject);
            if (!stored.includes(part)) await struck;
            return stored.includes(part) ? 'pass' : 'cut';
          };
        }
      });
      await pickFile(lise.page, source);
      await struck;

      const sent: string[] = [];
      for (const gate of stack.gates) {
        gate.guard = (seen, moment) => {
          const part = partOf(seen);
          if (part !== undefined && moment === 'before') sent.push(part);
          return 'pass';
        };
      }
      const again = await returned(lise, browser);
      const row = transfer(again, 'Film.bin');
      await sayRoom(again.page, SOME_ROOM_BYTES);
      await expect(row).toContainText('Only partly read: pick the same file again.');

      const other = join(folder, 'Other.bin');
      writeFileSync(other, 'another film');
      await pickAgain(again.page, other);
      await expect(again.page.getByText('“Other.bin” was not uploaded')).toBeVisible();
      await expect(again.page.getByText('This isn’t the file that the upload started with')).toBeVisible();
      await expect(row).toContainText('pick the same file again');

      // By its name, size and date it is the same.
      mkdirSync(join(folder, 'copy'));
      const impostor = join(folder, 'copy', 'Film.bin');
      writeFileSync(impostor, randomBytes(film.length));
      utimesSync(impostor, MADE_AT, MADE_AT);
      await pickAgain(again.page, impostor);
      await expect(row).toContainText('This isn’t the file that the upload started with');
      await expect(row).toContainText('pick the same file again');
      expect(sent).toEqual([]);

      await pickAgain(again.page, source);
      await expect(again.row('Film.bin')).toBeVisible({ timeout: 60_000 });
      await expect(again.page.getByText('This isn’t the file that the upload started with')).toHaveCount(0);
      expect(sent.sort()).toEqual(['4', '5', '6']);
      await hasFilm(again);
    } finally {
      await browser.remove();
    }
  },
);
