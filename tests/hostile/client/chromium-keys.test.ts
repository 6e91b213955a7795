import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Route } from 'playwright';
import { afterAll, beforeAll, expect } from 'vitest';
import { findSecrets, type Secret } from '../../e2e/find-secrets.ts';
import { chromiumPath, CHROMIUM_ARGS } from '../../support/chromium.mjs';
import type { Stack } from '../../support/stack.ts';
import { startBareStack } from '../../worker/bare-stack.ts';
import { Device } from '../../worker/device.ts';
import { backupFactor, secretsOf, signUpBare, type BareAccount } from '../support/bare-account.ts';
import { collectGarbage, heapSnapshot } from '../support/devtools.ts';
import { exportEveryKey, namesOfWhatRests, textsOfWhatWasHeard } from '../support/page-scripts.ts';
import { countInMemory, renderersOf } from '../support/process-memory.ts';
import { row } from '../support/row.ts';

// The real crypto worker in Chromium, with the real broker and local cloud: where keys are, and where they are not.

const NAME = 'heron-ledger-5e21.txt';
const CONTENT = 'the heron keeps its ledger under the third stone '.repeat(200);
const LAUNCH = { executablePath: chromiumPath(), args: CHROMIUM_ARGS };
const START_MS = 180_000;
/** What opens content or the journal; the rest of what an account has is looked for as well. */
const LIVING = ['vault key', 'content key', 'account key'];

let stack: Stack;
let folder: string;
let context: BrowserContext;
let ada: BareAccount;
let device: Device;
let secrets: Secret[];
let isSignedUp = false;

beforeAll(async () => {
  stack = await startBareStack();
  folder = mkdtempSync(join(tmpdir(), 'halfkey-thief-'));
  context = await openProfile();
  device = await Device.tab(context);
}, START_MS);
afterAll(async () => {
  await context.close();
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
}, START_MS);

async function openProfile(): Promise<BrowserContext> {
  const opened = await chromium.launchPersistentContext(folder, { ...LAUNCH, baseURL: stack.origin });
  await opened.addInitScript(() => {
    // A script of the page that hears all that page and worker say to each other.
    const heard: unknown[] = [];
    Object.assign(globalThis, { heard });
    const { prototype } = Worker;
    const post = Reflect.get(prototype, 'postMessage') as (this: Worker, ...args: unknown[]) => void;
    Reflect.set(prototype, 'postMessage', function (this: Worker, ...args: unknown[]) {
      heard.push(args[0]);
      Reflect.apply(post, this, args);
    });
    const target = EventTarget.prototype;
    const listen = Reflect.get(target, 'addEventListener') as (this: EventTarget, ...args: unknown[]) => void;
    Reflect.set(target, 'addEventListener', function (this: EventTarget, ...args: unknown[]) {
      const hear = (event: MessageEvent): void => void heard.push(event.data);
      if (this instanceof Worker && args[0] === 'message') Reflect.apply(listen, this, ['message', hear]);
      Reflect.apply(listen, this, args);
    });
  });
  return opened;
}

/** An account with one file, whose keys are known here; made by the first row that runs. */
async function signedUp(): Promise<void> {
  if (isSignedUp) return;
  isSignedUp = true;
  ada = await signUpBare(device, stack, 'ada');
  await device.upload(NAME, CONTENT);
  secrets = await secretsOf(stack.origin, ada, NAME);
  expect(secrets.map(({ name }) => name)).toEqual(expect.arrayContaining(LIVING));
}

/** Everything that was heard, each bytes and texts as they are. */
async function heard(): Promise<Buffer> {
  const parts = await device.page.evaluate(textsOfWhatWasHeard);
  return Buffer.from(parts.join('\n'), 'latin1');
}

/** Names of the secrets that stand in the memory of the profile's pages and workers. */
function keysInMemory(wanted: readonly Secret[]): string[] {
  const counts = renderersOf(folder).map((pid) =>
    countInMemory(
      pid,
      wanted.map(({ bytes }) => bytes),
    ),
  );
  return wanted.flatMap(({ name }, index) => (counts.some((each) => (each[index] ?? 0) > 0) ? [name] : []));
}

row(
  'H7',
  {
    attack: 'a script in the page goes after keys',
    tried:
      'every message of the worker, every string of the page’s heap, every key in IndexedDB in each format',
  },
  async (t) => {
    await signedUp();
    expect(await device.send('file/preview', { file: await device.file(NAME) })).toMatchObject({
      kind: 'text',
    });
    const said = await heard();
    // The ear works: it has heard the name, and what was shown.
    expect(said.includes(NAME)).toBe(true);
    expect(said.includes(ada.passphrase)).toBe(true);
    expect(said.includes('a CryptoKey')).toBe(false);
    // The words of the kit are shown once, by design.
    const forbidden = secrets.filter(({ name }) => name !== 'recovery words');
    expect(findSecrets(said, forbidden)).toEqual([]);
    t.vary(forbidden.length);

    const planted = { name: 'planted', bytes: Buffer.from('a string of the page') };
    await device.page.evaluate(
      (text) => Object.assign(globalThis, { planted: `${text}!` }),
      planted.bytes.toString(),
    );
    const heap = await heapSnapshot(device.page);
    expect(findSecrets(heap, [planted])).toEqual(['planted']);
    expect(findSecrets(heap, forbidden)).toEqual([]);
    t.vary(forbidden.length);
    t.held('no message to or from the worker and no string of the page holds a key');

    const refusals = await device.page.evaluate(exportEveryKey);
    expect(refusals.length).toBeGreaterThanOrEqual(8);
    for (const refusal of refusals) {
      expect(refusal).toMatch(/^(InvalidAccessError|NotSupportedError)$/);
      t.vary(1);
      t.refused(refusal);
    }
  },
);

/** Reads the file until its first bytes are asked for, and locks then. @returns what the reading ended with */
async function lockWhileReading(file: string, whenRead: () => void): Promise<string> {
  const held: Route[] = [];
  await context.route('**/blobs/**', (route) => {
    if (route.request().method() === 'GET') held.push(route);
    else void route.continue();
  });
  const reading = device.refused('file/preview', { file });
  await expect.poll(() => held.length, { timeout: 20_000 }).toBeGreaterThan(0);
  whenRead();
  await device.send('lock', {});
  const code = await reading;
  for (const route of held) await route.abort().catch(() => undefined);
  await context.unroute('**/blobs/**');
  await device.untilPhase('locked');
  return code;
}

row(
  'H12',
  {
    attack: 'an unlocked device is left alone, or taken',
    tried: 'a lock in the middle of an opened file, and every way to open one afterwards',
  },
  async (t) => {
    await signedUp();
    const file = await device.file(NAME);
    const code = await lockWhileReading(file, () => undefined);
    expect(code).toBe('locked');
    t.refused(code);
    t.vary(1);
    for (const command of ['file/preview', 'download/stream', 'download/write'] as const) {
      const answer = await device.refused(command, { file, form: 'plain' });
      expect(answer).toBe('locked');
      t.vary(1);
      t.refused(answer);
    }
  },
);

row(
  'H12',
  {
    attack: 'an image of the browser’s memory after a lock',
    tried:
      'the content key of a file that was uploaded, looked at, and open when the lock came, in all memory of the profile’s pages, once the engine has collected its garbage',
  },
  async (t) => {
    await signedUp();
    const contentKey = secrets.filter(({ name }) => name === 'content key');
    for (let looked = 0; looked < (t.full ? 6 : 2); looked += 1) {
      await device.send('unlock', { factor: backupFactor(ada) });
      const file = await device.file(NAME);
      for (let times = 0; times < looked; times += 1) await device.send('file/preview', { file });
      // Half-way through, the key is there: so this looks where keys are.
      await lockWhileReading(file, () => {
        expect(keysInMemory(contentKey)).toEqual(['content key']);
      });
      // Nothing of ours refers to a key any more: what WebCrypto has of it goes with the garbage.
      await collectGarbage(device.page);
      expect(keysInMemory(contentKey)).toEqual([]);
      t.vary(1);
    }
    t.held('no content key is left once the worker’s garbage is collected');
  },
);

row(
  'B11',
  {
    attack: 'the profile on the thief’s disk',
    tried: 'every byte of every file of a locked Chromium profile, for keys, names, content, in 20 encodings',
  },
  async (t) => {
    await signedUp();
    await device.page.evaluate(() => navigator.storage.estimate());
    const deviceId = await device.deviceId();
    await context.close();
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const disk = Buffer.concat(files.map((entry) => readFileSync(join(entry.parentPath, entry.name))));
    // The search finds what is stored there in the clear.
    expect(findSecrets(disk, [{ name: 'device id', bytes: Buffer.from(deviceId ?? '') }])).toEqual([
      'device id',
    ]);
    const wanted: Secret[] = [
      ...secrets,
      { name: 'file name', bytes: Buffer.from(NAME) },
      { name: 'content', bytes: Buffer.from(CONTENT.slice(0, 48)) },
      { name: 'passphrase', bytes: Buffer.from(ada.passphrase) },
      { name: 'recovery words', bytes: Buffer.from(ada.recoveryWords) },
      { name: 'backup code', bytes: Buffer.from(ada.backupCodes[0] ?? '') },
    ];
    expect(findSecrets(disk, wanted)).toEqual([]);
    t.vary(wanted.length);
    t.held(`none of ${String(wanted.length)} secrets`);
    context = await openProfile();
    device = await Device.tab(context);
    expect(await device.send('boot', {})).toEqual({ phase: 'locked' });
    // What the thief may have: the names, from the unlocked profile.
    expect(await device.names()).toEqual([NAME]);
    const code = await device.refused('file/preview', { file: await device.file(NAME) });
    expect(code).toBe('locked');
    t.refused(code);
  },
);

row(
  'D14',
  {
    attack: 'the browser evicts everything',
    tried: 'all storage of the origin cleared in the middle of a session; then passphrase and code',
  },
  async (t) => {
    await signedUp();
    const session = await context.newCDPSession(device.page);
    await session.send('Storage.clearDataForOrigin', { origin: stack.origin, storageTypes: 'all' });
    await device.reload();
    expect(await device.send('boot', {})).toEqual({ phase: 'signed-out' });
    await device.send('sign-in/start', { userName: ada.userName, passphrase: ada.passphrase });
    await device.send('sign-in/code', { factor: backupFactor(ada) });
    expect(await device.names()).toEqual([NAME]);
    const preview = await device.send('file/preview', { file: await device.file(NAME) });
    expect(preview).toEqual({ kind: 'text', text: CONTENT });
    t.vary(1);
    t.held('everything that was shown as saved came back');
  },
);

row(
  'B13',
  {
    attack: 'the next person at a shared device',
    tried:
      'sign out, then all databases and files; the memory of all processes once the tab is closed; then somebody else signs up',
  },
  async (t) => {
    await signedUp();
    const living = secrets.filter(({ name }) => LIVING.includes(name));
    expect(keysInMemory(living)).toContain('vault key');
    await device.send('sign-out', {});
    await device.untilPhase('signed-out');
    const left = await device.page.evaluate(namesOfWhatRests);
    expect(left).toEqual([]);
    t.vary(1);
    await device.reload();
    expect(await device.send('boot', {})).toEqual({ phase: 'signed-out' });
    // What the process still has of the keys ends with the tab.
    await device.page.close();
    await expect.poll(() => keysInMemory(living), { timeout: 20_000 }).toEqual([]);
    t.vary(1);
    device = await Device.tab(context);
    const bob = await signUpBare(device, stack, 'bob');
    expect(await device.names()).toEqual([]);
    expect(bob.userName).not.toBe(ada.userName);
    expect(findSecrets(await heard(), [{ name: 'file name', bytes: Buffer.from(NAME) }])).toEqual([]);
    t.vary(1);
    t.held('nothing of the first person is left in storage, nor in memory once the tab is closed');
  },
);
