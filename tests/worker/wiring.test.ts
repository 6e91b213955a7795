import 'fake-indexeddb/auto';
import { beforeAll, describe, expect, test } from 'vitest';
import { createHandlers, type Handlers } from '../../src/lib/worker/wiring.ts';
import type { CommandName, Commands, Report } from '../../src/lib/protocol/commands.ts';
import { serve } from '../../src/lib/worker/serve.ts';
import { TestLocks } from '../support/test-locks.ts';

// A worker on a device that nobody has signed in on, with no network.
const ORIGIN = 'http://127.0.0.1:9';
const reports: Report[] = [];
let handlers: Handlers;

beforeAll(() => {
  Object.defineProperty(globalThis, 'navigator', {
    value: { userAgent: 'Chrome/1 Linux', locks: new TestLocks().client().locks },
    configurable: true,
  });
  handlers = createHandlers(ORIGIN, (report) => reports.push(report));
});

/** What a command is answered with over the port: its result, or the code of the failure. */
async function send<Name extends CommandName>(command: Name, args: Commands[Name]['args']): Promise<unknown> {
  const answers: unknown[] = [];
  const message = { id: 7, command, args } as never;
  await new Promise<void>((resolve) => {
    const hear = serve(handlers, (answer) => {
      answers.push(answer.kind === 'failure' ? answer.failure.code : (answer as { result: unknown }).result);
      resolve();
    });
    hear({ data: message } as MessageEvent<never>);
  });
  await new Promise((resolve) => setTimeout(resolve));
  expect(answers).toHaveLength(1);
  return answers[0];
}

describe('a device that nobody is signed in on', () => {
  test('does not start where the browser has no private files, and says nothing else to the page', async () => {
    expect(await send('boot', {})).toBe('browser_lacks');
    expect(reports).toEqual([]);
  });

  test('makes no account there either, and asks the server for none', async () => {
    expect(await send('sign-up/check', {})).toBe('storage_refused');
    const args = { userName: 'ada', passphrase: 'quiet harbour lantern seven' };
    expect(await send('sign-up/start', args)).toBe('storage_refused');
  });

  const file = 'FFFFFFFFFFFFFFFFFFFFFA';
  test.each<[CommandName, unknown]>([
    ['unlock', { factor: { code: '123456' } }],
    ['entry/rename', { entry: file, name: 'b.txt' }],
    ['file/preview', { file }],
    ['entries/purge', { entries: [file], also: [], factor: { code: '123456' } }],
    ['deleted/read', {}],
    ['file/keep', { file, keep: true }],
    ['download/stream', { file, form: 'plain' }],
    ['download/zip', { entries: [file] }],
    ['download/zip-write', { entries: [file] }],
    ['head/compare', { phrase: '1 · aaaa aaaa aaaa aaaa aaaa' }],
    ['changes/heard', { keys: [1] }],
    ['who/read', {}],
    ['credentials/prove', { passphrase: 'p', factor: { code: '123456' } }],
    ['credentials/devices', {}],
    ['factor-reset/stop', {}],
    ['start/write', { passphrase: 'p' }],
  ])('refuses %s as without a session, and nothing breaks', async (command, args) => {
    expect(await send(command, args as never)).toBe('session_missing');
  });

  test('judges and makes passphrases all the same', async () => {
    expect(await send('passphrase/judge', { passphrase: 'password', userName: 'ada' })).toEqual({ score: 0 });
    const { passphrase } = (await send('passphrase/generate', {})) as { passphrase: string };
    expect(passphrase.split('-')).toHaveLength(6);
  });

  test('says that a sign-in needs the network', async () => {
    const args = { userName: 'ada', passphrase: 'p' };
    expect(await send('sign-in/start', args)).toBe('broker_unreachable');
  });

  test('may be locked, again and again', async () => {
    for (let times = 0; times < 2; times++) expect(await send('lock', {})).toBeUndefined();
  });
});

test('a command whose handler breaks is answered as internal, and nothing of the error is told', async () => {
  const said: unknown[] = [];
  const broken = { active: () => Promise.reject(new TypeError('a secret')) } as unknown as Handlers;
  serve(broken, (answer) => said.push(answer))({
    data: { id: 1, command: 'active', args: {} },
  } as MessageEvent<never>);
  await expect.poll(() => said.length).toBe(1);
  expect(JSON.stringify(said)).not.toContain('secret');
  expect(said).toEqual([{ kind: 'failure', id: 1, failure: { code: 'internal', detail: {} } }]);
});
