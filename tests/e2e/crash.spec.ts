import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import type { GateRequest, Moment } from '../support/gate.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { createMortalBrowser, pickFile, type MortalBrowser } from './mortal-browser.ts';
import { Person } from './person.ts';

// The browser is killed, or the line is cut, at each request that an upload of several parts makes: before the server has seen it,
// and when the server has acted and its answer is on its way. Whatever happens, a code brings the file into the drive, once and whole.

const PART_BYTES = 8 * 1024 * 1024;
const content = randomBytes(3 * PART_BYTES + 12_345);
const folder = mkdtempSync(join(tmpdir(), 'halfkey-crash-'));
const NAME = 'Expedition.bin';
const source = join(folder, NAME);

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
  'the browser is killed': (browser: MortalBrowser) => browser.kill(),
  'the line is cut': () => Promise.resolve(),
} as const;

function request(method: string, path: RegExp) {
  return (seen: GateRequest) => seen.method === method && path.test(seen.path);
}

function part(number: string) {
  return (seen: GateRequest) => seen.method === 'PUT' && seen.query.get('partNumber') === number;
}

let stack: Stack;
let people = 0;
test.beforeAll(async () => {
  writeFileSync(source, content);
  stack = await startStack({ gated: true });
});
test.afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

for (const [step, isStep] of Object.entries(STEPS)) {
  for (const [moment, when] of [['before', 'just before'] as const, ['after', 'just after'] as const]) {
    for (const [blow, strike] of Object.entries(BLOWS)) {
      test(`${blow} ${when} ${step}`, async () => {
        const browser = createMortalBrowser();
        try {
          const ada = await newPerson(browser);
          const struck = onceAt(isStep, moment, () => strike(browser));
          await pickFile(ada.page, source);
          await struck;
          const isAlive = strike === BLOWS['the line is cut'];
          await hasTheFileOnce(isAlive ? ada : await comesBack(ada, browser));
        } finally {
          for (const gate of stack.gates) gate.guard = () => 'pass';
          await browser.remove();
        }
      });
    }
  }
}

async function newPerson(browser: MortalBrowser): Promise<Person> {
  people += 1;
  const name = `ada-${String(people)}`;
  const person = new Person(await browser.start(), stack, name, 'quiet harbour lantern seven');
  await person.signUp();
  // Chromium writes cookies down half a minute late: somebody who has just signed in would have to do so again.
  await browser.quit();
  return comesBack(person, browser, person.backupCodes[0]);
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
async function comesBack(person: Person, browser: MortalBrowser, backupCode?: string): Promise<Person> {
  const page = await browser.start();
  await page.goto(stack.origin);
  const same = person.at(page);
  await same.unlock(backupCode);
  return same;
}

async function hasTheFileOnce(person: Person): Promise<void> {
  await expect(person.row(NAME)).toHaveCount(1, { timeout: 60_000 });
  await expect(person.files.getByRole('button', { name: /^Actions for / })).toHaveCount(1);
  const download = await person.download(NAME);
  expect(readFileSync(await download.path()).equals(content)).toBe(true);
}
