import { expect, test } from 'vitest';
import { inLongForm } from '../support/long-form.ts';
import type { Operation } from '../../src/lib/journal/entries/operations.ts';
import { Device } from './device.ts';
import { followHistory, type History } from './journal-history.ts';
import { setUpWorlds, type Person } from './people.ts';
import type { Bare } from './bare/main.ts';

declare const bare: Bare;

// Inbox keys come and go by the day; what is captured under one of them is never lost with it.
const WORK_MS = 180_000;
const DAY = 25 * 60 * 60_000;
const SOON = { timeout: 20_000 };
const worlds = setUpWorlds();

/** The device is started on another day, locked. */
async function wakeOn(device: Device, day: number): Promise<void> {
  await device.reload();
  await device.setClock({ aheadMs: day * DAY });
  expect(await device.send('boot', {})).toEqual({ phase: 'locked' });
}

async function openOn(device: Device, day: number, { factor }: Person): Promise<void> {
  await wakeOn(device, day);
  await device.send('unlock', { factor: factor() });
}

function all<Kind extends Operation['kind']>({ operations }: History, kind: Kind) {
  const isOfKind = (operation: Operation): operation is Extract<Operation, { kind: Kind }> =>
    operation.kind === kind;
  return operations.map(({ operation }) => operation).filter(isOfKind);
}

/** What a device has said last of the inbox keys that it needs. */
async function lastNeed(history: History, device: Device): Promise<number | undefined> {
  return history.state.heartbeats.get((await device.deviceId()) ?? '')?.inboxEpoch;
}

async function capture(device: Device, name: string, text: string): Promise<void> {
  await device.page.evaluate(
    ({ name, text }) =>
      bare.send('upload/add', {
        files: [{ source: new File([text], name, { type: 'text/plain' }), folder: '' }],
      }),
    { name, text },
  );
  await device.until('transfer', ({ transfer }) => transfer.name === name && transfer.isSafe);
}

test(
  'old inbox keys are retired when no device needs them, not before, and erased with the next deletion for good',
  async () => {
    const laptop = await worlds.newDevice();
    const person = await worlds.signUp(laptop);
    await laptop.upload('one.txt', 'one');
    const phone = await worlds.newDevice();
    await worlds.signIn(phone, person);
    const read = await followHistory(worlds.stack.origin, person);
    await expect.poll(async () => lastNeed(await read(), phone), SOON).toBe(0);
    await phone.send('lock', {});
    await phone.context.route('**/api/**', (route) => route.abort());
    await capture(phone, 'later.txt', 'captured long ago');

    for (const day of [1, 2]) {
      await openOn(laptop, day, person);
      await expect.poll(async () => all(await read(), 'inbox-key').length, SOON).toBe(day);
    }
    // The laptop needs none but the newest of that morning; of the phone that is not known.
    expect(await lastNeed(await read(), laptop)).toBe(1);

    await phone.context.unrouteAll({ behavior: 'ignoreErrors' });
    await wakeOn(phone, 2);
    await expect.poll(() => laptop.names(), SOON).toEqual(['later.txt', 'one.txt']);
    expect(await lastNeed(await read(), phone)).toBe(0);
    expect(all(await read(), 'inbox-retire')).toEqual([]);

    await openOn(laptop, 3, person);
    await expect.poll(async () => all(await read(), 'inbox-key').length, SOON).toBe(3);
    expect(all(await read(), 'inbox-retire')).toEqual([]);
    // The phone has made none so far, and seals to the first one: with a code it makes its own, and says so the day
    // after.
    await openOn(phone, 3, person);
    await expect.poll(async () => all(await read(), 'inbox-key').length, SOON).toBe(4);
    expect(await lastNeed(await read(), phone)).toBe(0);
    await wakeOn(phone, 4);
    await expect.poll(async () => all(await read(), 'inbox-retire').at(-1)?.epoch, SOON).toBe(2);
    expect(await lastNeed(await read(), phone)).toBe(4);
    const { state } = await read();
    expect(state.oldestInboxEpoch).toBe(2);
    expect(state.unpurged.size).toBe(2);
    for (const device of [laptop, phone]) {
      if (device === phone) await phone.send('unlock', { factor: person.factor() });
      const file = await device.file('later.txt');
      expect(await device.send('file/preview', { file })).toEqual({
        kind: 'text',
        text: 'captured long ago',
      });
    }

    const file = await laptop.file('one.txt');
    await laptop.send('entries/purge', { entries: [file], also: [], factor: person.factor() });
    await expect.poll(async () => (await read()).state.unpurged.size, SOON).toBe(0);
    const purged = all(await read(), 'purged').flatMap(({ blobs }) => blobs);
    expect(purged).toHaveLength(3); // The file's, and those of two keys.
  },
  WORK_MS,
);

inLongForm(test)(
  'a device speaks for itself only while one tab of it is open: another one could still seal to an older key',
  async () => {
    const device = await worlds.newDevice();
    const person = await worlds.signUp(device);
    const read = await followHistory(worlds.stack.origin, person);
    const other = await Device.tab(device.context); // It never asks what the time is.
    await openOn(device, 1, person);
    await expect.poll(async () => all(await read(), 'inbox-key').length, SOON).toBe(1);
    const heartbeats = async () => all(await read(), 'heartbeat').length;
    const before = await heartbeats();
    await wakeOn(device, 2);
    await expect.poll(heartbeats, SOON).toBe(before + 1);
    expect(await lastNeed(await read(), device)).toBe(0);
    await other.page.close();
    await wakeOn(device, 3);
    await expect.poll(heartbeats, SOON).toBe(before + 2);
    expect(await lastNeed(await read(), device)).toBe(1);
  },
  WORK_MS,
);
