import { expect, test } from 'vitest';
import { inLongForm } from '../support/long-form.ts';
import type { Bare } from './bare/main.ts';
import type { Device } from './device.ts';
import { setUpWorlds, type Person } from './people.ts';

declare const bare: Bare;

// A device that its owner signs out from another one.
const CONTENT = 'what only its owner reads\n';
const NEXT_PASSPHRASE = 'seven lanterns drift over the quiet harbour';
const worlds = setUpWorlds();

/** Somebody at home on two devices, who has lost the second, and has shown passphrase and code on the first. */
async function lostOne(): Promise<{ home: Device; lost: Device; person: Person; device: string }> {
  const home = await worlds.newDevice();
  const person = await worlds.signUp(home);
  await home.upload('one.txt', CONTENT);
  const lost = await worlds.newDevice();
  await worlds.signIn(lost, person);
  await lost.file('one.txt');
  await home.until('view', ({ files }) => files === 1);
  await home.send('credentials/prove', { passphrase: person.passphrase, factor: person.factor() });
  const device = (await lost.deviceId()) ?? '';
  await expect.poll(async () => others(home)).toEqual([device]);
  return { home, lost, person, device };
}

async function others(device: Device): Promise<string[]> {
  const { devices } = await device.send('credentials/devices', {});
  return devices.map((other) => other.device);
}

async function reads(device: Device, name: string): Promise<void> {
  const file = await device.file(name);
  expect(await device.send('file/preview', { file })).toEqual({ kind: 'text', text: CONTENT });
}

test('is named, signed out, and believed no more', async () => {
  const { home, lost, device } = await lostOne();
  // Enrolled, it speaks for the first time a moment later.
  await expect
    .poll(async () => (await home.send('credentials/devices', {})).devices, { timeout: 20_000 })
    .toEqual([
      { device, name: expect.stringMatching(/\w/) as string, lastHeardMs: expect.any(Number) as number },
    ]);
  await home.send('credentials/revoke', { device });
  await home.send('credentials/revoke', { device });
  expect(await others(home)).toEqual([]);
  expect(await home.send('who/read', {})).toEqual({ otherDevices: [] });
  await lost.send('lock', {}).catch(() => undefined);
  expect(await lost.refused('unlock', { factor: { code: '000000' } })).toBe('session_missing');
  await lost.untilPhase('signed-out');
  await home.send('lock', {});
  expect(await home.refused('credentials/revoke', { device })).toBe('proof_missing');
});

inLongForm(test)(
  'is signed out at the broker though the journal cannot be reached, and in the journal by another try',
  async () => {
    const { home, lost, device } = await lostOne();
    await home.context.route('**/log', (route) => route.abort());
    expect(await home.refused('credentials/revoke', { device })).toBe('broker_unreachable');
    await lost.send('lock', {}).catch(() => undefined);
    expect(await lost.refused('unlock', { factor: { code: '000000' } })).toBe('session_missing');
    expect(await others(home)).toEqual([device]);
    await home.context.unroute('**/log');
    await home.send('credentials/revoke', { device });
    expect(await others(home)).toEqual([]);
  },
);

test('comes back as a new one, with what it had taken in', async () => {
  const { home, lost, person, device } = await lostOne();
  await lost.send('lock', {});
  await lost.context.route('**/api/**', (route) => route.abort('internetdisconnected'));
  await lost.page.evaluate(async (content) => {
    await bare.send('upload/add', {
      files: [{ source: new File([content], 'captured.txt', { type: 'text/plain' }), folder: '' }],
    });
  }, CONTENT);
  await lost.until('transfer', ({ transfer }) => transfer.name === 'captured.txt' && transfer.isSafe);
  await home.send('credentials/revoke', { device });
  await lost.context.unroute('**/api/**');
  expect(await lost.refused('unlock', { factor: { code: '000000' } })).toBe('session_missing');
  await lost.untilPhase('signed-out');

  await worlds.signIn(lost, person);
  const now = await lost.deviceId();
  expect(now).not.toBe(device);
  await expect.poll(() => others(home)).toEqual([now]);
  await reads(lost, 'one.txt');
  await reads(lost, 'captured.txt');
  await reads(home, 'captured.txt');
  await lost.reload();
  await lost.send('boot', {});
  await lost.untilPhase('locked');
  expect(await lost.names()).toEqual(expect.arrayContaining(['one.txt', 'captured.txt']));
});

test('leaves uploads in the inbox: those since it was lost are thrown away, those before taken in', async () => {
  const { home, lost, person, device } = await lostOne();
  const capture = async (name: string) => {
    await lost.send('lock', {}).catch(() => undefined);
    await lost.page.evaluate(
      async ([content, as]) => {
        await bare.send('upload/add', {
          files: [{ source: new File([content], as, { type: 'text/plain' }), folder: '' }],
        });
      },
      [CONTENT, name] as const,
    );
    await lost.until(
      'transfer',
      ({ transfer }) => transfer.name === name && transfer.phase === 'waiting-for-code',
    );
  };
  await home.send('lock', {});
  await capture('before.txt');
  const left = async (sinceMs: number) => (await home.send('credentials/activity', { device, sinceMs })).left;
  await home.send('credentials/prove', { passphrase: person.passphrase, factor: person.factor() });
  // The store says seconds, and no more.
  await expect.poll(() => left(Date.now() - 1000)).toEqual({ before: 1, since: 0 });
  const sinceMs = Date.now() - 1000;
  await capture('since.txt');
  expect(await left(sinceMs)).toEqual({ before: 1, since: 1 });
  const about = { device, takeIn: true, doubtedMs: sinceMs };
  expect(await home.refused('credentials/revoke', about)).toBe('locked');
  await home.send('unlock', { factor: person.factor() });
  await home.send('credentials/revoke', about);
  expect(await left(0)).toEqual({ before: 0, since: 0 });
  await reads(home, 'before.txt');
  expect(await home.names()).not.toContain('since.txt');
});

inLongForm(test)('comes back as a new one by its recovery words, too', async () => {
  const { home, lost, person, device } = await lostOne();
  await home.send('credentials/revoke', { device });
  const { words } = person;
  await lost.send('recover', { words, passphrase: NEXT_PASSPHRASE, factor: person.factor() });
  await lost.untilPhase('open');
  expect(await lost.deviceId()).not.toBe(device);
  await reads(lost, 'one.txt');
});
