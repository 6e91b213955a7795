import { describe, expect, test } from 'vitest';
import { inLongForm } from '../support/long-form.ts';
import { Authenticator } from '../support/authenticator.ts';
import type { Device } from './device.ts';
import { passOn } from './pass-on.ts';
import { setUpWorlds, type Person } from './people.ts';

// What one signs in and gets back in with, made anew.
const CONTENT = 'what only its owner reads\n';
const NEXT_PASSPHRASE = 'seven lanterns drift over the quiet harbour';
const worlds = setUpWorlds();

async function atHome(): Promise<{ device: Device; person: Person }> {
  const device = await worlds.newDevice();
  const person = await worlds.signUp(device);
  await device.upload('one.txt', CONTENT);
  return { device, person };
}

/** Somebody at home who has shown passphrase and code. */
async function proven(): Promise<{ device: Device; person: Person }> {
  const { device, person } = await atHome();
  await device.send('credentials/prove', { passphrase: person.passphrase, factor: person.factor() });
  return { device, person };
}

/** Lets the next request on a path take effect, and loses its answer. */
async function loseAnswer({ context }: Device, path: string): Promise<void> {
  await context.route(
    `**${path}`,
    async (route) => {
      const cookies = await context.cookies();
      const answer = await passOn(route, worlds.stack.origin);
      expect(answer.ok()).toBe(true);
      await context.addCookies(cookies); // What came with the answer was lost too.
      await route.abort();
    },
    { times: 1 },
  );
}

/**
 * Lets the next request on a path take effect, and its answer wait until another request was refused for the token it
 * came with.
 */
async function meanwhile<T>(
  { context }: Device,
  path: string,
  ask: () => Promise<T>,
): Promise<() => Promise<T | undefined>> {
  let asked: Promise<T> | undefined;
  await context.route(
    `**${path}`,
    async (route) => {
      const cookies = await context.cookies();
      const answer = await passOn(route, worlds.stack.origin);
      expect(answer.ok()).toBe(true);
      const renewed = await context.cookies();
      await context.addCookies(cookies);
      const refused = context.waitForEvent('response', (response) => response.status() === 401);
      asked = ask();
      await refused;
      await context.addCookies(renewed);
      await route.fulfill({ response: answer });
    },
    { times: 1 },
  );
  return () => asked ?? Promise.resolve(undefined);
}

async function reads(device: Device): Promise<void> {
  const file = await device.file('one.txt');
  expect(await device.send('file/preview', { file })).toEqual({ kind: 'text', text: CONTENT });
}

describe('passphrase and code', () => {
  test('come first, both of them, and are forgotten with the lock', async () => {
    const { device, person } = await atHome();
    for (const command of [
      'credentials/kit',
      'credentials/backup-codes',
      'credentials/authenticator',
    ] as const) {
      expect(await device.refused(command, {})).toBe('proof_missing');
    }
    expect(await device.refused('credentials/passphrase', { passphrase: NEXT_PASSPHRASE })).toBe(
      'proof_missing',
    );
    const { passphrase } = person;
    const factor = person.factor();
    expect(await device.refused('credentials/prove', { passphrase: `${passphrase} `, factor })).toBe(
      'passphrase_wrong',
    );
    expect(await device.refused('credentials/prove', { passphrase, factor: { code: '12345' } })).toBe(
      'code_malformed',
    );
    const wrong = { backupCode: 'AAAA-AAAA-AAAA-AAAA' };
    expect(await device.refused('credentials/prove', { passphrase, factor: wrong })).toBe(
      'backup_code_refused',
    );
    expect(await device.refused('credentials/kit', {})).toBe('proof_missing');

    await device.send('credentials/prove', { passphrase, factor });
    expect(await device.refused('credentials/accept', {})).toBe('proof_missing'); // Nothing was shown.
    await device.send('credentials/kit', {});
    await device.send('lock', {});
    expect(await device.refused('credentials/accept', {})).toBe('proof_missing');
  });

  inLongForm(test)('count for nothing when Halfkey was locked while they were on their way', async () => {
    const { device, person } = await atHome();
    let hasLocked = false;
    await device.context.route('**/api/credentials/prove', async (route) => {
      const answer = await passOn(route, worlds.stack.origin);
      await device.send('lock', {});
      hasLocked = true;
      await route.fulfill({ response: answer });
    });
    const { passphrase } = person;
    const factor = person.factor();
    expect(await device.refused('credentials/prove', { passphrase, factor })).toBe('proof_missing');
    expect(hasLocked).toBe(true);
    expect(await device.refused('credentials/kit', {})).toBe('proof_missing');
  });
});

describe('new recovery words', () => {
  test('count once they are kept, and the old ones no more', async () => {
    const { device, person } = await proven();
    const { recoveryWords, headPhrase } = await device.send('credentials/kit', {});
    expect(recoveryWords).toHaveLength(24);
    expect(await device.send('head/compare', { phrase: headPhrase })).toEqual({ verdict: 'seen' });
    const words = recoveryWords.join(' ');
    const other = await worlds.newDevice();
    const recover = (typed: string) =>
      ({ words: typed, passphrase: NEXT_PASSPHRASE, factor: person.factor() }) as const;
    expect(await other.refused('recover', recover(words))).toBe('recovery_refused');

    // The answer is lost behind its effect: the same again is fine.
    await loseAnswer(device, '/api/credentials/kit');
    expect(await device.refused('credentials/accept', {})).toBe('broker_unreachable');
    await device.send('credentials/accept', {});
    expect(await other.refused('recover', recover(person.words))).toBe('recovery_refused');
    await reads(device);

    await other.send('recover', recover(words));
    await other.untilPhase('open');
    await reads(other);
  });

  inLongForm(test)('replace nothing when they are lost before they were kept', async () => {
    const { device, person } = await proven();
    await device.send('credentials/kit', {});
    await device.reload();
    await device.send('boot', {});
    expect(await device.refused('credentials/accept', {})).toBe('proof_missing');
    const other = await worlds.newDevice();
    const { words } = person;
    await other.send('recover', { words, passphrase: NEXT_PASSPHRASE, factor: person.factor() });
    await other.untilPhase('open');
    await reads(other);
  });

  inLongForm(test)('of two devices that make some at once, one is told that it was second', async () => {
    const { device, person } = await proven();
    const second = await worlds.newDevice();
    await worlds.signIn(second, person);
    await second.send('credentials/prove', { passphrase: person.passphrase, factor: person.factor() });
    const first = await device.send('credentials/kit', {});
    await second.send('credentials/kit', {});
    await device.send('credentials/accept', {});
    expect(await second.refused('credentials/accept', {})).toBe('keyring_changed');
    await reads(second);
    const other = await worlds.newDevice();
    const words = first.recoveryWords.join(' ');
    await other.send('recover', { words, passphrase: NEXT_PASSPHRASE, factor: person.factor() });
    await other.untilPhase('open');
  });
});

inLongForm(describe)('a device that asks for the passphrase at each start', () => {
  test('goes on to ask for the same one after new words, and keeps what another tab has set', async () => {
    const { device, person } = await proven();
    const { passphrase } = person;
    const tab = await worlds.newTab(device);
    await device.send('credentials/kit', {});
    await tab.send('start/write', { passphrase });
    // The lock that was set since stays; no answer reaches the journal, and the words count all the same.
    await device.context.route('**/log', (route) => route.abort());
    await device.send('credentials/accept', {});
    await device.context.unroute('**/log');
    expect(await tab.send('start/read', {})).toEqual({ asksPassphrase: true });
    await device.reload();
    expect(await device.send('boot', {})).toEqual({ phase: 'closed' });
    await device.send('start/open', { passphrase });
    await device.send('unlock', { factor: person.factor() });
    await device.untilPhase('open');
    await reads(device);
    // What was not pinned then is pinned by the next proof.
    await device.send('credentials/prove', { passphrase, factor: person.factor() });
    await device.send('start/write', {});
    expect(await device.send('start/read', {})).toEqual({ asksPassphrase: false });
  });
});

describe('the kit of a new account', () => {
  test('is asked about until somebody has said that it is kept, or has made a new one', async () => {
    const { device, person } = await atHome();
    const all = ['words', 'backup-codes'];
    expect(await device.send('kit/read', {})).toEqual({ unkept: all });
    await device.reload();
    await device.send('boot', {});
    expect(await device.send('kit/read', {})).toEqual({ unkept: all });
    await device.send('credentials/prove', { passphrase: person.passphrase, factor: person.factor() });
    await device.send('credentials/kit', {});
    expect(await device.send('kit/read', {})).toEqual({ unkept: all });
    await device.send('credentials/accept', {});
    expect(await device.send('kit/read', {})).toEqual({ unkept: ['backup-codes'] });
    await device.send('credentials/backup-codes', {});
    await device.send('credentials/accept', {});
    expect(await device.send('kit/read', {})).toEqual({ unkept: [] });

    const another = await worlds.newDevice();
    await worlds.signUp(another);
    await another.send('kit/kept', { parts: ['words', 'backup-codes'] });
    expect(await another.send('kit/read', {})).toEqual({ unkept: [] });
  });
});

describe('new backup codes', () => {
  test('count once they are kept, and the old ones no more', async () => {
    const { device, person } = await proven();
    const { backupCodes } = await device.send('credentials/backup-codes', {});
    const [backupCode = ''] = backupCodes;
    await device.send('lock', {});
    expect(await device.refused('unlock', { factor: { backupCode } })).toBe('backup_code_refused');
    await device.send('credentials/prove', { passphrase: person.passphrase, factor: person.factor() });
    const later = await device.send('credentials/backup-codes', {});
    await loseAnswer(device, '/api/credentials/backup-codes');
    expect(await device.refused('credentials/accept', {})).toBe('broker_unreachable');
    await device.send('credentials/accept', {});
    await device.send('lock', {});
    expect(await device.refused('unlock', { factor: person.factor() })).toBe('backup_code_refused');
    await device.send('unlock', { factor: { backupCode: later.backupCodes[9] ?? '' } });
    await device.untilPhase('open');
  });
});

describe('another authenticator', () => {
  test('counts from its first code on', async () => {
    const { device, person } = await proven();
    await device.send('credentials/authenticator', {}); // Another one is asked for below: this one never counts.
    await device.send('lock', {});
    await device.send('credentials/prove', {
      passphrase: person.passphrase,
      factor: { code: await person.authenticator.code() },
    });
    const { totpSecret, otpauthUri } = await device.send('credentials/authenticator', {});
    expect(decodeURIComponent(otpauthUri)).toContain(`Halfkey:${person.userName}`);
    const next = new Authenticator(totpSecret, worlds.stack.clock);
    const second = await worlds.newDevice();
    await worlds.signIn(second, person);
    expect(await device.refused('credentials/authenticator-confirm', { code: '000000' })).toBe('code_wrong');
    const confirm = async () => ({ code: await next.code() });
    await device.send('credentials/authenticator-confirm', await confirm());
    await device.send('lock', {});
    const old = { code: await person.authenticator.code() };
    expect(await device.refused('unlock', { factor: old })).toBe('code_wrong');
    await device.send('unlock', { factor: await confirm() });
    await device.untilPhase('open');
    await reads(device);
    await second.send('lock', {});
    expect(await second.refused('unlock', { factor: person.factor() })).toBe('session_missing');
  }, 240_000);

  inLongForm(test)(
    'ends no session with what another tab asked before its answer was there',
    async () => {
      const { device } = await proven();
      const tab = await worlds.newTab(device);
      await tab.untilPhase('locked');
      const { totpSecret } = await device.send('credentials/authenticator', {});
      const next = new Authenticator(totpSecret, worlds.stack.clock);
      const refusals: string[] = [];
      tab.page.context().on('response', (response) => {
        if (response.status() === 401) refusals.push(new URL(response.url()).pathname);
      });
      const asked = await meanwhile(device, '/api/credentials/authenticator/confirm', () =>
        tab.refused('unlock', { factor: { backupCode: 'AAAA-AAAA-AAAA-AAAA' } }),
      );
      await device.send('credentials/authenticator-confirm', { code: await next.code() });
      expect(await asked()).toBe('backup_code_refused');
      expect(refusals).toContain('/api/grants');
      await tab.send('unlock', { factor: { code: await next.code() } });
      await reads(tab);
      await device.untilPhase('open');
    },
    240_000,
  );

  test('counts though its answer was lost: then this device is signed out too', async () => {
    const { device, person } = await proven();
    const { totpSecret } = await device.send('credentials/authenticator', {});
    const next = new Authenticator(totpSecret, worlds.stack.clock);
    await loseAnswer(device, '/api/credentials/authenticator/confirm');
    const code = await next.code();
    expect(await device.refused('credentials/authenticator-confirm', { code })).toBe('broker_unreachable');
    expect(await device.refused('credentials/authenticator-confirm', { code })).toBe('session_missing');
    await device.untilPhase('signed-out');
    const { userName, passphrase } = person;
    await device.send('sign-in/start', { userName, passphrase });
    await device.send('sign-in/code', { factor: { code: await next.code() } });
    await device.untilPhase('open');
    await reads(device);
  }, 240_000);
});

describe('another passphrase', () => {
  inLongForm(test)('opens everything, signs the other devices out, and leaves the words good', async () => {
    const { device, person } = await atHome();
    await device.send('start/write', { passphrase: person.passphrase });
    const second = await worlds.newDevice();
    await worlds.signIn(second, person);
    await device.send('credentials/prove', { passphrase: person.passphrase, factor: person.factor() });
    expect(await device.refused('credentials/passphrase', { passphrase: 'password1' })).toBe(
      'passphrase_weak',
    );
    await device.send('credentials/passphrase', { passphrase: NEXT_PASSPHRASE });
    await reads(device); // The grant is still good.
    await second.send('lock', {});
    expect(await second.refused('unlock', { factor: person.factor() })).toBe('session_missing');
    await second.untilPhase('signed-out');
    const { userName, passphrase } = person;
    expect(await second.refused('sign-in/start', { userName, passphrase })).toBe('login_refused');
    await worlds.signIn(second, { ...person, passphrase: NEXT_PASSPHRASE });
    await reads(second);

    // The device that asks for it at each start asks for the new one.
    await device.reload();
    expect(await device.send('boot', {})).toEqual({ phase: 'closed' });
    expect(await device.refused('start/open', { passphrase })).toBe('passphrase_wrong');
    await device.send('start/open', { passphrase: NEXT_PASSPHRASE });
    await device.send('unlock', { factor: person.factor() });
    await device.untilPhase('open');
    await reads(device);

    const third = await worlds.newDevice();
    const { words } = person;
    await third.send('recover', { words, passphrase: 'quite another set of words', factor: person.factor() });
    await third.untilPhase('open');
    await reads(third);
  });

  test('counts though its answer was lost: then this device is signed out too', async () => {
    const { device, person } = await proven();
    await loseAnswer(device, '/api/credentials/passphrase');
    expect(await device.refused('credentials/passphrase', { passphrase: NEXT_PASSPHRASE })).toBe(
      'broker_unreachable',
    );
    const again = await device.refused('credentials/passphrase', { passphrase: NEXT_PASSPHRASE });
    expect(again).toBe('session_missing');
    await device.untilPhase('signed-out');
    await worlds.signIn(device, { ...person, passphrase: NEXT_PASSPHRASE });
    await reads(device);
  });
});
