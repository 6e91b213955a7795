import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import type { GateRequest } from '../support/gate.ts';
import { productOf } from '../support/products.ts';
import { findWebKit } from '../support/program-path.mjs';
import { startStack, type Stack } from '../support/stack.ts';
import { createWebKit, type WebKit } from '../support/webkit.ts';
import { WebKitPerson } from './webkit-person.ts';

// The same app in Safari's engine, driven over WebDriver: WebKitGTK, whose files something stands in for
// (sync-access-stand-in.mjs).

const programs = findWebKit();
test.skip(
  programs === undefined,
  'no WebKit on this machine: install webkit2gtk-driver, gjs, gir1.2-webkit2-4.1 and xvfb',
);

const PASSPHRASE = 'quiet harbour lantern seven';
const PART_BYTES = 8 * 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), 'halfkey-webkit-source-'));

let stack: Stack;
test.beforeAll(async () => {
  stack = await startStack({ dist: join(await productOf('webkit-app'), 'dist'), gated: true });
});
test.afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

function makeFile(name: string, content: Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

/** Waits until a download is there, whole. */
async function isSaved({ downloads }: WebKit, name: string, content: Buffer): Promise<void> {
  const path = join(downloads, name);
  await expect
    .poll(() => existsSync(path) && readFileSync(path).equals(content), { timeout: 60_000 })
    .toBe(true);
}

const partOf = ({ method, query }: GateRequest) => (method === 'PUT' ? query.get('partNumber') : null);

/** Lets the first part of an upload through to S3, and cuts the second one off: resolves then. */
function whenSecondPartIsNext(): Promise<void> {
  return new Promise((resolve) => {
    let firstHasArrived: () => void;
    const firstPart = new Promise<void>((arrived) => (firstHasArrived = arrived));
    stack.gates[1]!.guard = async (seen, moment) => {
      if (partOf(seen) === '1' && moment === 'after') firstHasArrived();
      if (partOf(seen) !== '2') return 'pass';
      await firstPart;
      resolve();
      return 'cut';
    };
  });
}

/** The numbers of the parts that are sent from now on. */
function partsSent(): string[] {
  const sent: string[] = [];
  stack.gates[1]!.guard = (seen, moment) => {
    const part = partOf(seen);
    if (part !== null && moment === 'before') sent.push(part);
    return 'pass';
  };
  return sent;
}

async function withWebKit(
  run: (webkit: WebKit) => Promise<void>,
  options: { isPrivate?: boolean } = {},
): Promise<void> {
  if (!programs) throw new Error('expected a WebKit');
  const webkit = await createWebKit(programs, options);
  try {
    await run(webkit);
  } catch (error) {
    console.error(webkit.output());
    throw error;
  } finally {
    await webkit.remove();
  }
}

test('signs up, uploads, locks, opens and downloads in WebKit, and goes on after restarts', async () => {
  await withWebKit(async (webkit) => {
    let wera = new WebKitPerson(await webkit.start(), stack);
    await wera.signUp('wera', PASSPHRASE);
    const holiday = randomBytes(2 * PART_BYTES + 7);
    await wera.upload(makeFile('Holiday.bin', holiday));
    await wera.untilListed('Holiday.bin');
    await wera.upload(makeFile('Letter.txt', Buffer.from('dear you')));
    await wera.untilListed('Letter.txt');
    await wera.act('Letter.txt', 'Open');
    await wera.untilSaid('dear you');
    await wera.click('button', 'Lock now');
    await wera.untilSaid('Enter a code to see this file again.');
    await wera.typeCode();
    await wera.untilSaid('dear you');
    await wera.click('button', 'Close');
    await wera.act('Holiday.bin', 'Download');
    await isSaved(webkit, 'Holiday.bin', holiday);
    await opensInPrivateWindow(wera, holiday);

    // The browser, not the page: only then does it ask anew where the app's scripts come from.
    await webkit.quit();
    await stack.broker.halt();
    await stack.s3.halt();
    wera = wera.at(await webkit.start());
    await wera.open();
    await wera.untilListed('Holiday.bin');
    const diary = randomBytes(2 * PART_BYTES + 7);
    await wera.upload(makeFile('Diary.bin', diary));
    await wera.untilSaid('Encrypted on this device. The server isn’t answering.');
    await webkit.quit();

    await stack.s3.resume();
    await stack.broker.resume();
    wera = wera.at(await webkit.start());
    const struck = whenSecondPartIsNext();
    await wera.open();
    await struck;
    await webkit.kill();
    const sentAgain = partsSent();
    wera = wera.at(await webkit.start());
    await wera.open();
    await wera.unlock();
    await wera.untilListed('Diary.bin');
    await wera.act('Diary.bin', 'Download');
    await isSaved(webkit, 'Diary.bin', diary);
    expect(sentAgain).toContain('2');
    expect(sentAgain).not.toContain('1');
  });
});

/** No account can be made in a private window, and who has one opens the file there. */
async function opensInPrivateWindow(wera: WebKitPerson, content: Buffer): Promise<void> {
  await withWebKit(
    async (webkit) => {
      const person = wera.at(await webkit.start());
      await person.open('/sign-up');
      await person.untilSaid('This looks like a private window');
      await person.click('link', 'Sign in');
      await person.signIn('wera', PASSPHRASE);
      await person.act('Holiday.bin', 'Download');
      await isSaved(webkit, 'Holiday.bin', content);
      await person.upload(makeFile('Note.bin', randomBytes(7)));
      await person.untilSaid('This looks like a private window');
    },
    { isPrivate: true },
  );
}
