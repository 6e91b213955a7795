import { describe, expect, test } from 'vitest';
import { inLongForm } from '../support/long-form.ts';
import type { Device } from './device.ts';
import { setUpWorlds, type Person } from './people.ts';

// A device that asks for the passphrase at each start.
const CONTENT = 'what only its owner reads\n';
const worlds = setUpWorlds();

/** A device whose owner has turned it on. */
async function closing(): Promise<{ device: Device; person: Person }> {
  const device = await worlds.newDevice();
  const person = await worlds.signUp(device);
  await device.upload('one.txt', CONTENT);
  await device.send('start/write', { passphrase: person.passphrase });
  return { device, person };
}

async function restart(device: Device): Promise<unknown> {
  await device.reload();
  return device.send('boot', {});
}

/** Changes the account's record as it is stored; `patch` is written over it, deep. */
function edit(device: Device, patch: Record<string, unknown>): Promise<void> {
  return device.page.evaluate(
    (changes) =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open('halfkey');
        opening.onsuccess = () => {
          const database = opening.result;
          const transaction = database.transaction('account', 'readwrite');
          const store = transaction.objectStore('account');
          const reading = store.get('only');
          reading.onsuccess = () => {
            const record = reading.result as Record<string, Record<string, unknown>>;
            for (const [key, value] of Object.entries(changes)) {
              if (typeof value === 'object') Object.assign(record[key] ?? {}, value);
              else Object.assign(record, { [key]: value });
            }
            store.put(record, 'only');
          };
          transaction.oncomplete = () => {
            database.close();
            resolve();
          };
          transaction.onerror = () => {
            reject(new Error('the record was not written'));
          };
        };
      }),
    patch,
  );
}

describe('a device that asks for the passphrase at each start', () => {
  test('is closed after a start, names too, until it was typed, offline as well', async () => {
    const { device, person } = await closing();
    expect(await device.send('start/read', {})).toEqual({ asksPassphrase: true });
    await device.context.route('**/api/**', (route) => route.abort());
    expect(await restart(device)).toEqual({ phase: 'closed' });
    expect(await device.names()).toEqual([]);
    expect(await device.send('start/read', {})).toEqual({ asksPassphrase: true });
    expect(await device.refused('unlock', { factor: { code: '123456' } })).toBe('locked');
    expect(await device.refused('entry/rename', { entry: 'x', name: 'y' })).toBe('locked');
    expect(await device.refused('start/write', {})).toBe('locked');
    expect(await device.refused('start/open', { passphrase: `${person.passphrase} ` })).toBe(
      'passphrase_wrong',
    );
    expect(await device.names()).toEqual([]);
    await device.send('start/open', { passphrase: person.passphrase });
    await device.untilPhase('locked');
    expect(await device.names()).toEqual(['one.txt']);

    await device.context.unroute('**/api/**');
    await device.until('connection', ({ online }) => online);
    await device.send('unlock', { factor: person.factor() });
    await device.untilPhase('open');
    const file = await device.file('one.txt');
    expect(await device.send('file/preview', { file })).toEqual({ kind: 'text', text: CONTENT });
  });

  inLongForm(test)(
    'does so only when the passphrase was the account’s, and the broker could say so',
    async () => {
      const device = await worlds.newDevice();
      const { passphrase, factor } = await worlds.signUp(device);
      expect(await device.refused('start/write', { passphrase: `${passphrase}x` })).toBe('passphrase_wrong');
      await device.context.route('**/api/signin/start', (route) => route.abort());
      expect(await device.refused('start/write', { passphrase })).toBe('broker_unreachable');
      expect(await device.send('start/read', {})).toEqual({ asksPassphrase: false });
      await device.context.unroute('**/api/signin/start');
      expect(await restart(device)).toEqual({ phase: 'locked' });
      // The session is the one that it was before the proof: it still buys grants.
      await device.send('start/write', { passphrase });
      await device.send('unlock', { factor: factor() });
      await device.untilPhase('open');
    },
  );

  inLongForm(test)('does so no longer when it was turned off', async () => {
    const { device } = await closing();
    await device.send('start/write', {});
    expect(await device.send('start/read', {})).toEqual({ asksPassphrase: false });
    expect(await restart(device)).toEqual({ phase: 'locked' });
    expect(await device.names()).toEqual(['one.txt']);
  });

  test('closes with Lock now, in every tab', async () => {
    const { device, person } = await closing();
    const tab = await worlds.newTab(device);
    await tab.send('start/open', { passphrase: person.passphrase });
    await tab.untilPhase('locked');
    expect(await tab.names()).toEqual(['one.txt']);
    await device.send('lock', {});
    for (const each of [device, tab]) {
      await each.untilPhase('closed');
      expect(await each.names()).toEqual([]);
    }
    await device.send('start/open', { passphrase: person.passphrase });
    await device.untilPhase('locked');
    expect(await tab.last('phase')).toMatchObject({
      phase: { phase: 'closed' },
    });
  });

  test('makes who guesses wait, longer each time, in other tabs and after a restart too', async () => {
    const { device, person } = await closing();
    const nowMs = Date.now();
    const guess = (from: Device, passphrase = 'wrong') => from.refusal('start/open', { passphrase });
    const early = await worlds.newTab(device, { stoppedAtMs: nowMs });
    for (let wrong = 1; wrong <= 3; wrong++) {
      expect(await guess(early)).toEqual({ code: 'passphrase_wrong', detail: {} });
    }
    expect(await guess(early)).toEqual({ code: 'passphrase_wrong', detail: { retryAfterSeconds: 2 } });
    const second = await worlds.newTab(device, { stoppedAtMs: nowMs + 1_000 });
    const third = await worlds.newTab(device, { stoppedAtMs: nowMs + 1_999 });
    for (const [tab, retryAfterSeconds] of [
      [early, 2],
      [second, 1],
      [third, 1],
    ] as const) {
      // The right one does not help either.
      const refused = { code: 'too_many_requests', detail: { retryAfterSeconds } };
      expect(await guess(tab, person.passphrase)).toEqual(refused);
    }
    const later = await worlds.newTab(device, { stoppedAtMs: nowMs + 2_000 });
    expect(await guess(later)).toEqual({ code: 'passphrase_wrong', detail: { retryAfterSeconds: 4 } });
    // A clock that was set back begins the pause anew, and no more than that.
    const setBack = await worlds.newTab(device, { stoppedAtMs: nowMs - 3_600_000 });
    expect((await guess(setBack)).code).toBe('too_many_requests');
    const latest = await worlds.newTab(device, { stoppedAtMs: nowMs - 3_600_000 + 4_000 });
    await latest.send('start/open', { passphrase: person.passphrase });
    await latest.untilPhase('locked');
    expect(await guess(later)).toEqual({ code: 'passphrase_wrong', detail: {} });
  });

  inLongForm(test)(
    'asks for the new passphrase once it was changed by the kit, and stays so through a sign-in',
    async () => {
      const { device, person } = await closing();
      const next = (await device.send('passphrase/generate', {})).passphrase;
      await device.send('recover', { words: person.words, passphrase: next, factor: person.factor() });
      await device.untilPhase('open');
      expect(await restart(device)).toEqual({ phase: 'closed' });
      expect(await device.refused('start/open', { passphrase: person.passphrase })).toBe('passphrase_wrong');
      await device.send('start/open', { passphrase: next });
      await device.untilPhase('locked');

      await device.context.clearCookies();
      expect(await device.refused('unlock', { factor: person.factor() })).toBe('session_missing');
      await device.untilPhase('signed-out');
      await worlds.signIn(device, { ...person, passphrase: next });
      expect(await restart(device)).toEqual({ phase: 'closed' });
      await device.send('start/open', { passphrase: next });
      await device.untilPhase('locked');
      expect(await device.names()).toEqual(['one.txt']);
    },
  );

  inLongForm(test)('is signed out of while closed, and nothing is left', async () => {
    const { device } = await closing();
    await restart(device);
    const tab = await worlds.newTab(device);
    await device.send('sign-out', {});
    for (const each of [device, tab]) await each.untilPhase('signed-out');
    expect(await device.page.evaluate(() => indexedDB.databases())).toEqual([]);
    const somebody = await worlds.signUp(device);
    expect(await device.send('start/read', {})).toEqual({ asksPassphrase: false });
    expect(somebody.words.split(' ')).toHaveLength(24);
  });
});

describe('a record that was changed where it rests', () => {
  test('does not open, and a new sign-in mends it', async () => {
    const { device, person } = await closing();
    for (const [what, patch, code] of [
      ['weaker parameters', { stretching: { memoryKib: 1024 } }, 'kdf_downgrade'],
      ['fewer passes', { stretching: { passes: 1 } }, 'kdf_downgrade'],
      ['parameters to die of', { stretching: { memoryKib: 2 ** 24 } }, 'device_state_lost'],
      ['another vault', { vault: 'eu-central-1:0' }, 'device_state_lost'],
      ['another epoch', { epoch: 7 }, 'device_state_lost'],
    ] as const) {
      await edit(device, patch);
      expect(await restart(device), what).toEqual({ phase: 'closed' });
      expect(await device.refused('start/open', { passphrase: person.passphrase }), what).toBe(code);
      expect(await device.names(), what).toEqual([]);
      await worlds.signIn(device, person);
      expect(await device.names(), what).toEqual(['one.txt']);
    }
  });

  inLongForm(test)(
    'and names another server, refuses the real one until the device is signed out of',
    async () => {
      const { device, person } = await closing();
      await edit(device, { serverPublicKey: 'AAEC' });
      await restart(device);
      const { userName, passphrase } = person;
      expect(await device.refused('start/open', { passphrase })).toBe('device_state_lost');
      expect(await device.refused('sign-in/start', { userName, passphrase })).toBe('server_unknown');
      await device.send('sign-out', {});
      await worlds.signIn(device, person);
      expect(await device.names()).toEqual(['one.txt']);
    },
  );

  inLongForm(test)('and is no record any more, is told once and leads to a sign-in', async () => {
    const device = await worlds.newDevice();
    const person = await worlds.signUp(device);
    await device.upload('one.txt', CONTENT);
    await edit(device, { epoch: 'x' });
    expect(await restart(device)).toEqual({ phase: 'signed-out' });
    await device.untilAlarm('device_state_lost');
    await worlds.signIn(device, person);
    expect(await restart(device)).toEqual({ phase: 'locked' });
    expect(await device.names()).toEqual(['one.txt']);
  });
});

inLongForm(test)('an idle device closes, but not while somebody is there in another tab', async () => {
  // A minute of these devices is a second.
  const clock = { speed: 60 };
  const { device, person } = await closing();
  await device.reload();
  await device.setClock(clock);
  await device.send('boot', {});
  const tab = await worlds.newTab(device, clock);
  for (const each of [device, tab]) {
    await each.send('start/open', { passphrase: person.passphrase });
    await each.untilPhase('locked');
  }
  // Eight minutes of their time, with input in one of them.
  for (let halfMinute = 0; halfMinute < 16; halfMinute++) {
    await tab.send('active', {});
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  expect(await device.names()).toEqual(['one.txt']);
  for (const each of [device, tab]) {
    await each.untilPhase('closed');
    expect(await each.names()).toEqual([]);
  }
});
