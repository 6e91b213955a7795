import { wordlist } from '@scure/bip39/wordlists/english.js';
import { chromium, type Browser } from 'playwright';
import { afterAll, beforeAll, expect } from 'vitest';
import { chromiumPath, CHROMIUM_ARGS } from '../../support/chromium.mjs';
import type { Stack } from '../../support/stack.ts';
import { startBareStack } from '../../worker/bare-stack.ts';
import { Device } from '../../worker/device.ts';
import { backupFactor, secretsOf, signUpBare } from '../support/bare-account.ts';
import { row } from '../support/row.ts';
import { secretsInBuffers, secretsInStrings } from '../support/worker-buffers.ts';

// The crypto worker in Chromium, whose buffers are watched: what is left in them of keys that are used no more.

const NAME = 'heron-ledger-5e21.txt';
const START_MS = 180_000;
/** These the worker has as long as it is signed in. */
const RESTING = ['vault key', 'account key', 'sharing key', 'journal key'];

let stack: Stack;
let browser: Browser;

beforeAll(async () => {
  stack = await startBareStack({ isWatched: true });
  browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGS });
}, START_MS);
afterAll(async () => {
  await browser.close();
  await stack.stop();
}, START_MS);

/** A passphrase that the worker makes, and the random bytes that it was made of. */
async function generatedPassphrase(device: Device): Promise<Buffer> {
  const [worker] = device.page.workers();
  // The random bytes of a passphrase are told from all others by its words. Kept inverted, so that they are not found
  // here.
  await worker?.evaluate(() => {
    const inverted: number[][] = [];
    const random = crypto.getRandomValues.bind(crypto);
    Object.assign(globalThis, { inverted });
    Reflect.set(crypto, 'getRandomValues', (target: Uint8Array<ArrayBuffer>) => {
      random(target);
      if (target.length === 12) inverted.push([...target].map((byte) => 255 - byte));
      return target;
    });
  });
  const { passphrase } = await device.send('passphrase/generate', {});
  const picks = passphrase.split('-').map((word) => wordlist.indexOf(word));
  const outputs =
    (await worker?.evaluate(() => (globalThis as unknown as { inverted: number[][] }).inverted)) ?? [];
  const drawn = outputs
    .map((output) => Buffer.from(output.map((byte) => 255 - byte)))
    .find((output) => picks.every((pick, index) => output.readUInt16LE(2 * index) % 2048 === pick));
  if (!drawn) throw new Error('expected the random bytes of the passphrase');
  return drawn;
}

row(
  'J13',
  {
    attack: 'reading halves of secrets in the worker’s memory after a lock',
    tried:
      'each eight bytes of content key, KMS half, recovery entropy, export key, identity seed and a generated passphrase, in every buffer and string of the worker, after a sign-up, a preview and a capture',
  },
  async (t) => {
    const device = await Device.open(browser, stack.origin);
    const ada = await signUpBare(device, stack, 'ada');
    await device.upload(NAME, 'the heron keeps its ledger under the third stone '.repeat(200));
    const secrets = await secretsOf(stack.origin, ada, NAME);
    const passphrase = await generatedPassphrase(device);
    await device.send('unlock', { factor: backupFactor(ada) });
    await device.send('file/preview', { file: await device.file(NAME) });
    await device.send('lock', {});
    await device.untilPhase('locked');
    const gone = secrets.filter(({ name }) => !RESTING.includes(name));
    const wanted = [...gone, { name: 'generated passphrase', bytes: passphrase }];
    // A name is in the list as long as the profile is unlocked, and the vault key in a buffer: so this looks where
    // things are.
    const listed = { name: 'name of the file', bytes: Buffer.from(NAME) };
    expect(await secretsInStrings(device.page, [...wanted, listed])).toEqual([listed.name]);
    t.held('no eight bytes of them are left in a string');
    const resting = secrets.filter(({ name }) => name === 'vault key');
    expect(await secretsInBuffers(device.page, [...wanted, ...resting])).toEqual(['vault key']);
    t.held('nor in a buffer of ours');
    t.vary(2 * wanted.length);
  },
);
