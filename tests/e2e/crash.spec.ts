import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import type { GateRequest, Moment } from '../support/gate.ts';
import { isLongForm } from '../support/long-form.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { createMortalBrowser, pickFile } from './mortal-browser.ts';
import { Person } from './person.ts';
import { quickDist } from './quick-app.ts';

// The browser is killed, or the line is cut, at each request that an upload of several parts makes: before the server
// has seen it, and when the server has acted and its answer is on its way. Whatever happens, a code brings the file
// into the drive, once and whole. One person lives through all that a worker has to do, on one profile: what a blow
// leaves behind is there at the next one, too.

test.describe.configure({ mode: 'parallel' });

const PART_BYTES = 8 * 1024 * 1024;

/** The requests of one upload by an open device, in the order in which they come. */
const STEPS = {
  'the upload is created': request('POST', /\/uploads\/create$/),
  'URLs are asked for': request('POST', /\/uploads\/parts$/),
  'part 1 goes up': part('1'),
  'part 2 goes up': part('2'),
  'part 3 goes up': part('3'),
  'part 4 goes up': part('4'),
  'the parts are put together': request('POST', /\/uploads\/complete$/),
  'its key is made': request('POST', /\/keys\/generate$/),
  'its envelope is written': request('POST', /\/envelopes$/),
  'the journal names it': request('POST', /\/log$/),
} as const satisfies Record<string, (seen: GateRequest) => boolean>;

/** What befalls somebody at that moment. */
const BLOWS = {
  'the browser is killed': () => browser.kill(),
  'the line is cut': () => Promise.resolve(),
} as const;

function request(method: string, path: RegExp) {
  return (seen: GateRequest) => seen.method === method && path.test(seen.path);
}

function part(number: string) {
  return (seen: GateRequest) => seen.method === 'PUT' && seen.query.get('partNumber') === number;
}

const browser = createMortalBrowser();
let folder: string;
let stack: Stack;
let ada: Person;
// A worker that has ended with some of these may be given others of them: then all of this is done again.
test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'halfkey-crash-'));
  stack = await startStack({ dist: quickDist(), gated: true });
  ada = new Person(await browser.start(), stack, 'ada', 'quiet harbour lantern seven');
  await ada.signUp();
  // Chromium writes cookies down half a minute late: somebody who has just signed in would have to do so again.
  await browser.quit();
  await comesBack();
});
test.afterEach(() => {
  for (const gate of stack.gates) gate.guard = () => 'pass';
});
test.afterAll(async () => {
  await browser.remove();
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Every moment of every step, with either blow. */
const CASES = Object.entries(STEPS).flatMap(([step, isStep]) =>
  (['before', 'after'] as const).flatMap((moment) =>
    Object.entries(BLOWS).map(([blow, strike]) => ({ step, isStep, moment, blow, strike })),
  ),
);
/** Four in the short form: each blow on either side of a step. */
const sample = CASES.filter((_case, index) => isLongForm || index % 9 === 4);

for (const { step, isStep, moment, blow, strike } of sample) {
  test(`${blow} just ${moment} ${step}`, async () => {
    const name = `${blow} just ${moment} ${step}.bin`;
    const source = join(folder, name);
    const content = randomBytes(3 * PART_BYTES + 12_345);
    writeFileSync(source, content);
    const files = await fileCount();
    const struck = onceAt(isStep, moment, strike);
    await pickFile(ada.page, source);
    await struck;
    if (strike === BLOWS['the browser is killed']) await comesBack();
    await hasTheFileOnce(name, content);
    await expect.poll(fileCount).toBe(files + 1);
  });
}

/** Lets the blow fall at the first request of that kind, which then gets no answer. */
function onceAt(
  isStep: (seen: GateRequest) => boolean,
  at: Moment,
  strike: () => Promise<void>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let hasFallen = false;
    for (const gate of stack.gates) {
      gate.guard = async (seen, moment) => {
        if (hasFallen || moment !== at || !isStep(seen)) return 'pass';
        hasFallen = true;
        await strike().then(resolve, reject);
        return 'cut';
      };
    }
  });
}

/** Starts the browser again, types one code, and does nothing else. */
async function comesBack(): Promise<void> {
  const page = await browser.start();
  await page.goto(stack.origin);
  ada = ada.at(page);
  await ada.unlock();
}

/** Of the whole drive, drawn or not: the grid says it to screen readers. */
async function fileCount(): Promise<number> {
  await expect(ada.page.getByRole('searchbox', { name: 'Search your drive' })).toBeVisible();
  if ((await ada.files.count()) === 0) return 0;
  return Number(await ada.files.getAttribute('aria-rowcount')) - 1;
}

async function hasTheFileOnce(name: string, content: Buffer): Promise<void> {
  const filter = ada.page.getByRole('searchbox', { name: 'Search your drive' });
  await filter.fill(name); // Of many rows, those out of sight are not drawn.
  await expect(ada.row(name)).toHaveCount(1, { timeout: 60_000 });
  const download = await ada.download(name);
  expect(readFileSync(await download.path()).equals(content)).toBe(true);
  await filter.fill('');
}
