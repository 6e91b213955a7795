import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { deriveSecrets } from './derive-secrets.ts';
import { findSecrets, type Secret } from './find-secrets.ts';
import { Person } from './person.ts';
import { startStack, type Stack } from '../support/stack.ts';

const PASSPHRASE = 'forty wooden clocks beside a frozen canal';
const NAME = 'quarterly-secret-7f3a.txt';
const PLAINTEXT = 'the heron stands in the third field until noon';

let stack: Stack;
test.beforeAll(async () => {
  stack = await startStack({ tapped: true });
});
test.afterAll(async () => {
  await stack.stop();
});

function everythingIn(folder: string): Buffer {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Buffer.concat(files.map((entry) => readFileSync(join(entry.parentPath, entry.name))));
}

test('no passphrase, key, word, name or plaintext leaves the browser, or comes to lie in data or logs', async ({
  browser,
}) => {
  const context = await browser.newContext({ baseURL: stack.origin, acceptDownloads: true });
  const person = new Person(await context.newPage(), stack, 'nan', PASSPHRASE);
  await person.signUp();
  await person.upload({ name: NAME, mimeType: 'text/plain', buffer: Buffer.from(PLAINTEXT) });
  await expect(person.row(NAME)).toBeVisible();
  expect(readFileSync(await (await person.download(NAME)).path(), 'utf8')).toBe(PLAINTEXT);
  await person.lockNow();

  // With the client's own code, in Node: what the keys of this account really are.
  const derived = await deriveSecrets(stack.origin, person, NAME);
  const secrets: Secret[] = [
    { name: 'passphrase', bytes: Buffer.from(PASSPHRASE) },
    { name: 'recovery words', bytes: Buffer.from(person.recoveryWords) },
    { name: 'file name', bytes: Buffer.from(NAME) },
    { name: 'plaintext', bytes: Buffer.from(PLAINTEXT) },
    ...derived,
  ];
  expect(derived.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'vault key',
      'content key',
      'account key',
      'identity seed',
      'recovery entropy',
      'export key',
    ]),
  );

  const sent = Buffer.concat(stack.taps.map((tap) => tap.sent()));
  expect(sent.length).toBeGreaterThan(10_000);
  // That the recording is of the real traffic, and that the search finds what is there:
  expect(findSecrets(sent, [{ name: 'user name', bytes: Buffer.from(person.userName) }])).toEqual([
    'user name',
  ]);
  for (const secret of secrets) {
    for (const form of ['utf8', 'hex', 'base64', 'base64url'] as const) {
      const planted = Buffer.from(form === 'utf8' ? secret.bytes : secret.bytes.toString(form));
      expect(findSecrets(Buffer.concat([sent, planted, Buffer.from('x')]), [secret])).toEqual([secret.name]);
    }
  }
  expect(findSecrets(sent, secrets)).toEqual([]);
  expect(findSecrets(everythingIn(stack.dataFolder), secrets)).toEqual([]);
  const unlogged: Secret[] = [{ name: 'user name', bytes: Buffer.from(`"${person.userName}"`) }, ...secrets];
  expect(findSecrets(Buffer.from(stack.logs().split('\n').slice(1).join('\n')), unlogged)).toEqual([]);
  expect(stack.logs()).not.toMatch(/X-Amz-Signature|[?&]X-Amz-/);
});
