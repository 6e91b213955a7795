import type { BenchPage } from '../chromium.ts';
import { limit, type Figure } from '../figure.ts';
import { Person } from '../person.ts';
import type { Contest } from './contest.ts';

const COPY_MS = 30_000;
const NEW_NAME = 'Zebra, just seen.pdf';

interface FirstRow {
  readonly rows: number;
  readonly files: number;
  readonly ms: number;
}

/** A journal of many entries on two devices: written on one, opened on the other by the product's own worker. */
export const journal: Contest = {
  async run(ground, { entries, rounds }) {
    const person = new Person(ground.stack.clock);
    const [writing, reading] = [await ground.openPage(), await ground.openPage()];
    await person.signUp(writing);
    await writing.reload();
    const imported = await writing.call<{ segments: number; ms: number }>('run', {
      contest: 'importEntries',
      args: { count: entries },
    });
    await person.signIn(reading);

    const size = `${entries.toLocaleString('en')} entries`;
    const coldMs = await medianOf(rounds, () => openCold(reading, entries));
    const warmMs = await medianOf(rounds, () => openWarm(reading, entries));
    const seenMs = await untilSeen(writing, reading);
    const seconds = (what: string, ms: number, below: number): Figure =>
      limit(what, size, { value: ms / 1000, unit: 's' }, { below });
    return [
      limit(
        'importing into a journal',
        size,
        { value: imported.segments, unit: 'segments', note: `in ${(imported.ms / 1000).toFixed(1)} s` },
        { atMost: 400 },
      ),
      seconds('opening it cold from S3, to the first rows', coldMs, 3),
      seconds('opening it warm, to the first rows', warmMs, 0.5),
      seconds('a new entry seen on the other device', seenMs, 3),
    ];
  },
};

/** The median of so many runs. */
async function medianOf(rounds: number, run: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(await run());
  return times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
}

async function openCold(page: BenchPage, entries: number): Promise<number> {
  await page.reload();
  await page.call('run', { contest: 'dropLocalCopy' });
  const ms = await firstRow(page, entries);
  await untilCopied(page);
  return ms;
}

async function openWarm(page: BenchPage, entries: number): Promise<number> {
  await page.reload();
  return firstRow(page, entries);
}

async function firstRow(page: BenchPage, entries: number): Promise<number> {
  const { rows, files, ms } = await page.call<FirstRow>('firstRow');
  if (rows === 0 || files !== entries)
    throw new Error(`expected ${String(entries)} files, got ${String(files)}`);
  return ms;
}

/** The local copy is written behind the first rows. */
async function untilCopied(page: BenchPage): Promise<void> {
  const deadline = Date.now() + COPY_MS;
  while (!(await page.call<boolean>('run', { contest: 'hasLocalCopy' }))) {
    if (Date.now() > deadline) throw new Error(`no local copy in ${String(COPY_MS)} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function untilSeen(writing: BenchPage, reading: BenchPage): Promise<number> {
  const seen = reading.call<number>('awaitName', { name: NEW_NAME });
  const asked = await writing.call<number>('run', { contest: 'addEntry', args: { name: NEW_NAME } });
  return (await seen) - asked;
}
