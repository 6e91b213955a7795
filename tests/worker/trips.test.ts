import { describe, expect, test } from 'vitest';
import { dollarsOf, longestChain, type Trip } from '../trips/chain.ts';
import { growOld } from '../trips/long-account.ts';
import { isLongForm } from '../support/long-form.ts';
import { signInInNode } from './journal-history.ts';
import { type CloudLine, startCloudLine } from '../trips/cloud-line.ts';
import type { Bare } from './bare/main.ts';
import type { Device } from './device.ts';
import { type Person, setUpWorlds } from './people.ts';

declare const bare: Bare;

// What people wait for: requests between browser, broker and cloud, and how many of them come one after the other.
// Counts, and no times. `npm run bench -- trips` runs this file, and prints.
const BENCH = process.env['HALFKEY_TRIPS'];
/**
 * In the test requests are slow beside what the machine does, so that what is asked side by side overlaps on a busy
 * one, too.
 */
const SCALES: Readonly<Record<string, number>> = { delayed: 1, undelayed: 0 };
const scale = SCALES[BENCH ?? ''] ?? 4;

/** What one row of the table may come to: as many as it takes now, and no more. */
interface Bound {
  /** Requests one after the other. */
  readonly inSequence: number;
  /** Where that is not reached yet. */
  readonly target?: number;
  /** Of all requests, for each file. */
  readonly perFile?: number;
}

const FILE_BYTES = 20_000;
/** Of the long-lived account. */
const PAST = { events: 5000, segments: 3000 };
let line: CloudLine;
const worlds = setUpWorlds({
  openCloudFront: async (endpoint) => (line = await startCloudLine(endpoint, scale)),
});
const rows: string[] = [];

/**
 * When the page itself saw what was waited for, by this process's clock: that it is told here takes a while on a busy
 * machine.
 */
const seen: { atMs: number | undefined } = { atMs: undefined };
const endedAtMs = () => seen.atMs ?? performance.now();
const inThisProcess = (epochMs: number) => epochMs - performance.timeOrigin;

/** Does it, and counts what began until it was done. */
async function count<Result>(
  what: string,
  bound: Bound,
  work: () => Promise<Result>,
  files = 0,
): Promise<Result> {
  await settled();
  line.reset();
  const startMs = performance.now();
  seen.atMs = undefined;
  const result = await work();
  const endMs = endedAtMs();
  // What is still under way when it is done was not waited for.
  const trips = line.trips().filter((trip) => trip.endMs <= endMs && !isPoll(trip, line.trips()));
  const chain = longestChain(trips);
  const counts = `${String(trips.length)} requests, ${String(chain.length)} in sequence (target ${String(bound.target ?? bound.inSequence)})`;
  rows.push(`${what}: ${counts}, ${(endMs - startMs).toFixed(0)} ms, $${dollarsOf(trips).toFixed(6)}`);
  if (BENCH !== undefined) {
    console.log(rows.at(-1));
    if (process.env['HALFKEY_TRIPS_CHAIN'] !== undefined) console.log(listed(trips, startMs));
  }
  if (BENCH === undefined) {
    expect
      .soft(chain.length, `${what}: ${chain.map(({ name }) => name).join(', ')}`)
      .toBeLessThanOrEqual(bound.inSequence);
    if (bound.perFile !== undefined)
      expect.soft(trips.length / files, what).toBeLessThanOrEqual(bound.perFile);
  }
  return result;
}

/**
 * A broker that tells of news looks for them by itself: the vault's record alone, where a request reads its account
 * too.
 */
function isPoll({ name, startMs }: Trip, all: readonly Trip[]): boolean {
  if (!/^GET \/[^/]+\/m\/[^/.]+$/.test(name)) return false;
  return !all.some((other) => other.name.includes('/a/') && Math.abs(other.startMs - startMs) < 12);
}

const listed = (trips: readonly Trip[], fromMs: number): string =>
  trips
    .map(
      ({ name, startMs, endMs }) =>
        `  ${(startMs - fromMs).toFixed(0)}–${(endMs - fromMs).toFixed(0)} ${name.replace(/^(\w+) \/[^/]+\//, '$1 ')}`,
    )
    .join('\n');

/** Until nothing but polls has been asked for a while. */
async function settled(): Promise<void> {
  const isQuiet = () => line.trips().every(({ endMs }) => endMs < performance.now() - QUIET_MS);
  await expect
    .poll(
      async () => {
        line.reset();
        await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
        return line.trips().every((trip) => isPoll(trip, line.trips())) || isQuiet();
      },
      { timeout: 60_000 },
    )
    .toBe(true);
}
const QUIET_MS = 400;

/** Until the list has so many files. */
async function untilFiles({ page }: Device, files: number): Promise<void> {
  const seenAt = await page.evaluate(async (files) => {
    await bare.send('view/set', {
      place: { kind: 'folder', folder: '' },
      search: '',
      sortBy: 'name',
      descending: false,
    });
    for (;;) {
      const view = bare.last('view');
      if (view?.kind === 'view' && view.files >= files) return performance.timeOrigin + performance.now();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }, files);
  seen.atMs = inThisProcess(seenAt);
}

/** Picks so many files at once, and waits until the list has them all. */
async function upload(device: Device, count: number, before: number): Promise<void> {
  const seenAt = await device.page.evaluate(
    async ({ count, size, before }) => {
      await bare.send('view/set', {
        place: { kind: 'folder', folder: '' },
        search: '',
        sortBy: 'name',
        descending: false,
      });
      const files = Array.from({ length: count }, (_, index) => ({
        source: new File([new Uint8Array(size).fill(index)], `file ${String(before + index)}.bin`),
        folder: '',
      }));
      await bare.send('upload/add', { files });
      for (;;) {
        const view = bare.last('view');
        if (view?.kind === 'view' && view.files >= before + count)
          return performance.timeOrigin + performance.now();
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    },
    { count, size: FILE_BYTES, before },
  );
  seen.atMs = inThisProcess(seenAt);
}

/** Until what was changed here is in the journal. */
async function untilLanded(device: Device): Promise<void> {
  const seenAt = await device.page.evaluate(async () => {
    for (;;) {
      const { result } = await bare.send('storage/read', {});
      if ((result as { pendingNames: number }).pendingNames === 0)
        return performance.timeOrigin + performance.now();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  });
  seen.atMs = inThisProcess(seenAt);
}

/** What somebody does with a hundred files at once. They are where they were afterwards. */
async function arrange(device: Device): Promise<void> {
  const { entries: all } = await device.send('view/entries', { from: 0, to: 100 });
  const { folder } = await device.send('folder/add', { parent: '', name: 'all of them' });
  await untilLanded(device);
  await settled();
  const placesIn = (to: string) => all.map((entry) => ({ entry, folder: to }));
  await count('100 files moved', { inSequence: 5 }, async () => {
    await device.send('entries/move', { places: placesIn(folder) });
    await untilLanded(device);
  });
  await settled();
  await count('a zip of 100 small files', { inSequence: 65, target: 30 }, () =>
    device.send('download/zip-write', { entries: [folder] }),
  );
  await device.send('entries/move', { places: placesIn('') });
  await untilLanded(device);
  await settled();
  await count('100 files moved to the trash', { inSequence: 5 }, async () => {
    await device.send('entries/trash', { entries: all });
    await untilLanded(device);
  });
  await device.send('entries/restore', { entries: all });
  await untilLanded(device);
  await settled();
}

async function download(device: Device, name: string): Promise<void> {
  const file = await device.file(name);
  await device.send('download/write', { file, form: 'plain' });
}

async function signUp(device: Device, userName: string): Promise<Person> {
  const { passphrase } = await device.send('passphrase/generate', {});
  const { totpSecret } = await count('sign-up: form to QR code', { inSequence: 4 }, () =>
    device.send('sign-up/start', { userName, passphrase }),
  );
  const person = worlds.personOf({ userName, passphrase, totpSecret });
  const code = await person.authenticator.code();
  const kit = await count('sign-up: first code to kit', { inSequence: 14 }, () =>
    device.send('sign-up/verify', { code }),
  );
  const codes = [...kit.backupCodes];
  await device.untilPhase('open');
  return {
    ...person,
    words: kit.recoveryWords.join(' '),
    backupCodes: kit.backupCodes,
    factor: () => ({ backupCode: codes.shift() ?? '' }),
  };
}

/** On a device that knows of no account. */
async function signIn(what: string, person: Person, files: number): Promise<void> {
  const device = await worlds.newDevice();
  await device.send('passphrase/judge', { passphrase: 'wakes the worker', userName: '' });
  await count(`sign-in: form to code field, ${what}`, { inSequence: 4 }, () =>
    device.send('sign-in/start', { userName: person.userName, passphrase: person.passphrase }),
  );
  const factor = { code: await person.authenticator.code() };
  await count(`sign-in: code to first row, ${what}`, { inSequence: 12 }, async () => {
    await device.send('sign-in/code', { factor });
    await untilFiles(device, files);
  });
  await device.page.goto('about:blank'); // Its worker ends with it.
}

describe('what people wait for', () => {
  test('is few requests one after the other', { timeout: 300_000 }, async () => {
    const device = await worlds.newDevice();
    const person = await signUp(device, 'trips');
    let files = 0;
    const more = async (what: string, number: number, bound: Bound): Promise<void> => {
      await count(what, bound, () => upload(device, number, files), number);
      files += number;
    };
    await more('upload of one small file, to its row', 1, { inSequence: 8 });
    await count('download with a live grant', { inSequence: 4 }, () => download(device, 'file 0.bin'));
    await device.send('lock', {});
    await settled();
    const factor = { code: await person.authenticator.code() };
    const file = await device.file('file 0.bin');
    await count('the same when locked: code, grant, release', { inSequence: 8 }, async () => {
      await device.send('unlock', { factor, files: [file] });
      await download(device, 'file 0.bin');
    });
    await settled();
    await device.reload();
    await count('reload of a signed-in device, to the first row', { inSequence: 3 }, async () => {
      await device.send('boot', {});
      await untilFiles(device, files);
    });
    await settled();
    await device.send('unlock', { factor: { code: await person.authenticator.code() } });
    await more('100 files of 20 kB', 100, { inSequence: 40, target: 30, perFile: 4.5 });
    await arrange(device);
    // Its worker ends with it, or it would look for news as soon as there is a broker again.
    await device.page.goto('about:blank');
    await worlds.restartBroker();
    await signIn('after 101 uploads', person, files);
    if (BENCH === undefined && !isLongForm) return;
    await device.page.goto(worlds.stack.origin);
    await device.send('boot', {});
    await device.send('unlock', { factor: { code: await person.authenticator.code() } });
    await untilFiles(device, files);
    await more('500 files of 20 kB', 500, { inSequence: 155, target: 120, perFile: 4.5 });
    await device.page.goto('about:blank'); // Its worker ends with it.
    // However much came before.
    const entry = await signInInNode(worlds.stack.origin, person);
    await worlds.restartBroker(() => growOld(worlds.stack, entry, PAST));
    await signIn(`after ${String(PAST.events)} events, ${String(PAST.segments)} segments`, person, files);
  });
});
