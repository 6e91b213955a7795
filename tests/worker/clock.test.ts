import { describe, expect, test } from 'vitest';
import { inLongForm, isLongForm } from '../support/long-form.ts';
import { setUpWorlds } from './people.ts';

// Devices whose clocks are off. The broker's is right.
const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;
const GRANT_MS = 5 * 60_000;
const CONTENT = 'what only its owner reads\n';
const worlds = setUpWorlds();

/** A minute is forgiven, hours and days are not. */
const OFF: readonly (readonly [string, number])[] = [
  ['a minute ahead', 60_000],
  ['ten years behind', -3650 * DAY],
];
const OFF_TOO: typeof OFF = [
  ['an hour ahead', HOUR],
  ['an hour behind', -HOUR],
  ['a day ahead', DAY],
  ['a day behind', -DAY],
];

test.each(isLongForm ? [...OFF, ...OFF_TOO] : OFF)(
  '%s: everything works, and a grant lasts no longer than it may',
  async (_name, aheadMs) => {
    const device = await worlds.newDevice({ aheadMs });
    const person = await worlds.signUp(device);
    await device.upload('one.txt', CONTENT); // Signed URLs to put by.
    const file = await device.file('one.txt');
    expect(await device.send('file/preview', { file })).toEqual({ kind: 'text', text: CONTENT }); // And to get by.
    await device.send('entry/rename', { entry: file, name: 'renamed.txt' });

    await device.reload();
    await device.setClock({ aheadMs });
    expect(await device.send('boot', {})).toEqual({ phase: 'locked' });
    const askedAtMs = Date.now() + aheadMs;
    await device.send('unlock', { factor: person.factor() });
    await device.until('phase', ({ phase }) => {
      if (phase.phase !== 'open') return false;
      const leftMs = phase.expiresAtMs - askedAtMs;
      // A minute's difference looks like a grant that is shorter, or is cut to the longest one.
      return leftMs > GRANT_MS - 65_000 && leftMs <= GRANT_MS + 20_000;
    });

    const other = await worlds.newDevice();
    await worlds.signIn(other, person);
    expect(await other.names()).toEqual(['renamed.txt']);
    const alarms = (await device.reports()).filter(({ kind }) => kind === 'alarm');
    expect(alarms).toEqual([]);
  },
);

describe('a code that is wrong', () => {
  test.each([
    ['an hour ahead', HOUR, 3600],
    ['a day behind', -DAY, -86_400],
  ])('says by how much the clock is off that made it: %s', async (_name, aheadMs, seconds) => {
    const device = await worlds.newDevice({ aheadMs });
    const { authenticator } = await worlds.signUp(device);
    await device.send('lock', {});
    // The authenticator is on the same device.
    const code = await authenticator.at(Math.floor((Date.now() + aheadMs) / 30_000));
    const { code: refused, detail } = await device.refusal('unlock', { factor: { code } });
    expect(refused).toBe('code_wrong');
    expect(Math.abs((detail?.clockAheadSeconds ?? 0) - seconds)).toBeLessThan(10);
  });

  inLongForm(test)('says nothing of clocks where they agree', async () => {
    const device = await worlds.newDevice();
    const { authenticator } = await worlds.signUp(device);
    await device.send('lock', {});
    const factor = { code: await authenticator.wrongCode() };
    expect(await device.refusal('unlock', { factor })).toEqual({ code: 'code_wrong', detail: {} });
  });
});

inLongForm(test)(
  'a heartbeat that a clock days ahead has dated does not silence the device once it is right',
  async () => {
    const device = await worlds.newDevice();
    const appends: string[] = [];
    // What was answered has landed: a page that is reloaded takes along what it only sent.
    device.context.on('response', (response) => {
      const isAppend = response.request().method() === 'POST' && response.url().endsWith('/log');
      if (isAppend && response.ok()) appends.push(response.url());
    });
    await worlds.signUp(device);
    // The first one is due at once.
    await expect.poll(() => appends.length, { timeout: 20_000 }).toBeGreaterThan(0);
    const heartbeatsAt = async (aheadMs: number) => {
      const before = appends.length;
      await device.reload();
      await device.setClock({ aheadMs });
      await device.send('boot', {});
      await device.until('connection', ({ online }) => online);
      await expect.poll(() => appends.length - before, { timeout: 20_000 }).toBe(1);
    };
    await heartbeatsAt(3 * DAY);
    await heartbeatsAt(0);
  },
);
