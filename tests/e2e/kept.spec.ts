import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { startStack, type Stack } from '../support/stack.ts';
import { inLongForm } from '../support/long-form.ts';
import { chooseOfApp, Person } from './person.ts';
import { quickDist } from './quick-app.ts';

// What people have this device keep, inside the app and beside it, and what becomes of it when the browser clears it
// away.

/** Of two parts. */
const film = randomBytes(9 * 1024 ** 2);
const folder = mkdtempSync(join(tmpdir(), 'halfkey-kept-'));

let stack: Stack;
test.beforeAll(async () => {
  stack = await startStack({ dist: quickDist(), gated: true });
});
test.afterEach(() => {
  for (const gate of stack.gates) gate.guard = () => 'pass';
});
test.afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The store falls silent, and what it is asked for is written down. */
function silenceStore(): string[] {
  const [, store] = stack.gates;
  const asked: string[] = [];
  if (store)
    store.guard = ({ method, path }) => {
      if (method === 'GET') asked.push(path);
      return 'cut';
    };
  return asked;
}

async function keepFilm(person: Person): Promise<void> {
  await person.upload({ name: 'Film.bin', mimeType: 'video/mp4', buffer: film });
  await expect(person.row('Film.bin')).toBeVisible();
  await person.act('Film.bin', 'Keep on this device');
  await expect(person.row('Film.bin')).toContainText('Kept on this device');
}

async function hasFilm(person: Person, unlock: boolean): Promise<void> {
  const download = await person.download('Film.bin', 'Download', unlock);
  expect(readFileSync(await download.path()).equals(film)).toBe(true);
}

/**
 * As browsers do that need the room: the files of this origin go. On a page that shows nothing of the app, so that
 * nobody reads them.
 */
async function clearFiles(page: Page): Promise<void> {
  await page.goto('/mark.svg');
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    for await (const name of root.keys()) await root.removeEntry(name, { recursive: true });
  });
}

test('a file that is kept opens with a code and nothing of the store, today and after a restart', async ({
  browser,
}) => {
  const ida = await Person.signedUp(browser, stack, 'ida');
  await keepFilm(ida);
  await ida.lockNow();
  const asked = silenceStore();
  await hasFilm(ida, true);

  await ida.page.reload();
  await expect(ida.row('Film.bin')).toContainText('Kept on this device');
  await hasFilm(ida, true);
  expect(asked).toEqual([]);

  await chooseOfApp(ida.page, 'Settings');
  await expect(ida.page.getByText('1 file kept on this device')).toBeVisible();
  await ida.page.keyboard.press('Escape');

  await ida.act('Film.bin', 'Don’t keep on this device');
  await expect(ida.row('Film.bin')).not.toContainText('Kept on this device');
  const download = await ida.download('Film.bin');
  await expect.poll(() => asked.length).toBeGreaterThan(0);
  for (const gate of stack.gates) gate.guard = () => 'pass';
  expect(readFileSync(await download.path()).equals(film)).toBe(true);
});

inLongForm(test)(
  'what the browser has cleared away comes from the store, and is not said to be kept',
  async ({ browser }) => {
    const mary = await Person.signedUp(browser, stack, 'mary');
    await keepFilm(mary);
    await clearFiles(mary.page);
    await mary.page.goto('/');
    await expect(mary.row('Film.bin')).toBeVisible();
    await hasFilm(mary, true);
    await expect(mary.row('Film.bin')).not.toContainText('Kept on this device');
  },
);

inLongForm(test)(
  'a file that waited for the network, and was cleared away, is asked for again by name',
  async ({ browser }) => {
    const grace = await Person.signedUp(browser, stack, 'grace');
    const { page } = grace;
    const letter = join(folder, 'letter.txt');
    writeFileSync(letter, 'dear you');
    for (const gate of stack.gates) gate.guard = ({ method }) => (method === 'GET' ? 'pass' : 'cut');
    await grace.upload(letter);
    const transfer = page
      .getByRole('region', { name: 'Transfers' })
      .getByRole('listitem')
      .filter({ hasText: 'letter.txt' });
    await expect(transfer).toContainText('Encrypted on this device. The server isn’t answering.');
    await clearFiles(page);
    for (const gate of stack.gates) gate.guard = () => 'pass';
    await page.goto('/');
    await expect(transfer).toContainText('Only partly read: pick the same file again.');

    await page.getByLabel('Pick again letter.txt').setInputFiles(letter);
    await expect(page.getByText('Appears in your drive after the next code.')).toBeVisible();
    await page.getByRole('button', { name: 'Unlock' }).click();
    await grace.typeCode();
    await expect(grace.row('letter.txt')).toContainText('8 B');
    await page.reload();
    await expect(transfer).toHaveCount(0);
  },
);

inLongForm(test)(
  'a device of which everything was cleared away is a new one, and its files are where they were',
  async ({ browser }) => {
    const lise = await Person.signedUp(browser, stack, 'lise');
    const { page } = lise;
    await keepFilm(lise);
    await page.goto('/mark.svg');
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Storage.clearDataForOrigin', { origin: stack.origin, storageTypes: 'all' });
    await page.goto('/');
    await expect(page.getByRole('link', { name: 'Create account' })).toBeVisible();
    await lise.signIn();
    await expect(lise.row('Film.bin')).toBeVisible();
    await hasFilm(lise, false);
  },
);

/**
 * In place of the browser's dialog, which no script can answer: each name is a place of its own in the origin's private
 * files.
 */
async function pickPlaces(page: Page): Promise<void> {
  await page.addInitScript(() => {
    Object.assign(window, {
      showSaveFilePicker: async ({ suggestedName }: { suggestedName: string }) =>
        (await navigator.storage.getDirectory()).getFileHandle(`picked ${suggestedName}`, { create: true }),
    });
  });
}

/** @returns undefined where nothing was ever saved */
function readPlace(page: Page, name: string): Promise<string | undefined> {
  return page.evaluate(async (place) => {
    const root = await navigator.storage.getDirectory();
    const handle = await root.getFileHandle(`picked ${place}`).catch(() => undefined);
    return (await handle?.getFile())?.text();
  }, name);
}

inLongForm(test)(
  'a file is saved where somebody chooses, and what lay there stays until all of it is there',
  async ({ browser }) => {
    const nora = await Person.signedUp(browser, stack, 'nora');
    const { page } = nora;
    await pickPlaces(page);
    await page.reload();
    await nora.unlock();
    await nora.upload({
      name: 'poem.txt',
      mimeType: 'text/plain',
      buffer: Buffer.from('a heron in the reeds'),
    });
    await expect(nora.row('poem.txt')).toBeVisible();
    await nora.act('poem.txt', 'Save as…');
    await expect.poll(() => readPlace(page, 'poem.txt')).toBe('a heron in the reeds');
    const transfers = page.getByRole('region', { name: 'Transfers' });
    await expect(transfers).toContainText('poem.txt');

    // The second time the line is cut: what was saved before is not written over with half of it, or nothing.
    const asked = silenceStore();
    await nora.act('poem.txt', 'Save as…');
    await expect.poll(() => asked.length).toBeGreaterThan(0);
    await expect(transfers).toContainText(/downloading|goes on/i);
    expect(await readPlace(page, 'poem.txt')).toBe('a heron in the reeds');
    for (const gate of stack.gates) gate.guard = () => 'pass';
    await expect(transfers).not.toContainText(/downloading|goes on/i, { timeout: 90_000 });
    expect(await readPlace(page, 'poem.txt')).toBe('a heron in the reeds');
  },
);
