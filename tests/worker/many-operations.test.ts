import { expect, test } from 'vitest';
import { isLongForm } from '../support/long-form.ts';
import { list } from '../../src/lib/journal/state/listing.ts';
import type { Bare } from './bare/main.ts';
import type { Device } from './device.ts';
import { readHistory, type History } from './journal-history.ts';
import type { Logbook, TriedRename } from './logbook.ts';
import { setUpWorlds } from './people.ts';
import { RoughCrowd } from './rough-crowd.ts';
import { seeded } from './rough-line.ts';
import type { Rare } from './rough-tab.ts';

declare const bare: Bare;

// Real tabs, the real broker and local cloud, and lines that come and go: nothing acknowledged is lost, and nothing
// comes twice.
const WORK_MS = 900_000;
const SETTLING_MS = 180_000;
/** Fewer, and another seed, for anyone who looks for something. */
const OPERATIONS = Number(process.env['HALFKEY_OPERATIONS'] ?? (isLongForm ? 500 : 15));
const SEED = Number(process.env['HALFKEY_SEED'] ?? 20_261_121);
const SAMPLES = 25;
/** For each tab: what is done once in a while, by the share of its operations that comes before. */
const RARE: readonly (readonly (readonly [number, Rare])[])[] = [
  [
    [0.2, 'purge'],
    [0.35, 'lock'],
    [0.38, 'reload'],
    [0.42, 'unlock'],
    [0.7, 'reload'],
    [0.74, 'unlock'],
  ],
  [[0.6, 'purge']],
  [
    [0.5, 'lock'],
    [0.55, 'reload'],
    [0.6, 'unlock'],
  ],
  [
    [0.15, 'unlock'],
    [0.8, 'purge'],
  ],
];
const worlds = setUpWorlds();

/** A rename that was given up, on a device of this id. */
interface Dropped {
  readonly device: string;
  readonly name: string;
}

interface Row {
  readonly file: string;
  readonly name: string;
  readonly sizeBytes: number;
}

function byFile(rows: readonly Row[]): Row[] {
  const plain = rows.map(({ file, name, sizeBytes }) => ({ file, name, sizeBytes }));
  return plain.sort((a, b) => (a.file < b.file ? -1 : 1));
}

async function rowsOf(tab: Device): Promise<Row[]> {
  const { rows } = await tab.send('view/rows', { from: 0, count: 100_000 });
  return byFile(rows.flatMap((row) => (row.kind === 'file' ? [{ ...row, file: row.entry }] : [])));
}

function rowsIn({ state }: History): Row[] {
  const listing = list(state, { place: { kind: 'all' }, sortBy: 'name', descending: false });
  return byFile(listing.rows(0, listing.total).map((row) => ({ ...row, file: row.entry })));
}

/** Opens a file, and says where it differs from what was picked; -1 when nowhere. */
function differsAt(device: Device, { file, sizeBytes }: Row): Promise<number> {
  return device.page.evaluate(
    async ({ file, sizeBytes }) => {
      const { result, code } = await bare.send('download/write', { file, form: 'plain' });
      const { opfs } = (result ?? {}) as { opfs?: File };
      if (!opfs) throw new Error(`nothing was written: ${String(code)}`);
      const bytes = new Uint8Array(await opfs.arrayBuffer());
      if (bytes.length !== sizeBytes) return bytes.length;
      return bytes.findIndex((byte, index) => byte !== (index * 7 + sizeBytes) % 256);
    },
    { file, sizeBytes },
  );
}

function grouped<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

/** What is wrong with the files that are there, going by what was tried. */
function judgeFiles(log: Logbook, rows: readonly Row[]): string[] {
  const problems: string[] = [];
  const bySize = grouped(rows, ({ sizeBytes }) => String(sizeBytes));
  for (const [size, { length }] of bySize)
    if (length > 1) problems.push(`${size} bytes: ${String(length)} times`);
  const sizes = new Set(log.uploads.map(({ sizeBytes }) => sizeBytes));
  for (const { name, sizeBytes } of rows) if (!sizes.has(sizeBytes)) problems.push(`nobody picked ${name}`);
  const purges = new Map(log.purges.map(({ file, outcome }) => [file, outcome]));
  for (const { file, name, sizeBytes, isAcknowledged } of log.uploads) {
    const row = bySize.get(String(sizeBytes))?.[0];
    const mayBeGone = !isAcknowledged || purges.has(file ?? '');
    if (!row && !mayBeGone) problems.push(`lost: ${name}, ${String(sizeBytes)} bytes`);
    if (row && file !== undefined && row.file !== file) problems.push(`another file than was told: ${name}`);
    if (row && purges.get(row.file) === 'done') problems.push(`deleted for good, and there: ${name}`);
  }
  return problems;
}

/**
 * Each rename that was acknowledged was written once, or is told to be given up; and what was not wanted was not
 * written.
 */
function judgeRenames(log: Logbook, dropped: readonly Dropped[], { operations }: History): string[] {
  const keyOf = ({ device, name }: { device: string; name: string }) => `${device} to “${name}”`;
  const written = operations.flatMap(({ writer, operation }) =>
    operation.kind === 'rename' ? [{ device: writer ?? 'nobody', name: operation.name }] : [],
  );
  const [tried, landed, given] = [log.renames, written, dropped].map((each) => grouped(each, keyOf));
  const problems: string[] = [];
  for (const [key, renames] of tried as Map<string, TriedRename[]>) {
    const acknowledged = renames.filter(({ isAcknowledged }) => isAcknowledged).length;
    const ups = landed?.get(key)?.length ?? 0;
    const downs = given?.get(key)?.length ?? 0;
    if (ups + downs < acknowledged || ups + downs > renames.length) {
      const counts = `written ${String(ups)}, dropped ${String(downs)} of ${String(acknowledged)} acknowledged`;
      problems.push(`${key}: ${counts}, ${String(renames.length)} tried`);
    }
  }
  for (const key of landed?.keys() ?? [])
    if (!tried?.has(key)) problems.push(`${key}: written, and not tried`);
  for (const key of given?.keys() ?? [])
    if (!tried?.has(key)) problems.push(`${key}: dropped, and not tried`);
  return problems;
}

/** What only one device has renamed is called as it wanted, and nothing of that was given up. */
function judgeNames(
  log: Logbook,
  dropped: readonly Dropped[],
  rows: readonly Row[],
): { problems: string[]; judged: number } {
  const problems: string[] = [];
  const given = new Set(dropped.map(({ device, name }) => `${device} ${name}`));
  const purged = new Set(log.purges.map(({ file }) => file));
  const names = new Map(rows.map(({ file, name }) => [file, name]));
  let judged = 0;
  for (const [file, renames] of grouped(log.renames, (rename) => rename.file)) {
    const [first] = renames;
    if (purged.has(file) || renames.some(({ device }) => device !== first?.device)) continue;
    for (const { device, name } of renames) {
      const isOwn = log.renames.filter((each) => each.name === name && each.device === device).length === 1;
      if (isOwn && given.has(`${device} ${name}`)) problems.push(`dropped without a rival: ${name}`);
    }
    const last = renames.at(-1);
    if (!last?.isAcknowledged) continue;
    judged++;
    const name = names.get(file) ?? 'nothing';
    const copy = /^(same \d+)( \(.+\))?\.txt$/.exec(name);
    if ((copy ? `${copy[1] ?? ''}.txt` : name) !== last.name)
      problems.push(`expected ${last.name}, got ${name}`);
  }
  return { problems, judged };
}

test(
  `two devices with two tabs of ${String(OPERATIONS)} operations each, on rough lines, lose nothing and double nothing`,
  async () => {
    console.log(`seed ${String(SEED)}`);
    const crowd = await RoughCrowd.gather(worlds, SEED);
    const { log, tabs, person } = crowd;
    const beganMs = Date.now();
    await crowd.work(OPERATIONS, RARE);
    const workedMs = Date.now() - beganMs;
    await crowd.comeToRest();
    await expect.poll(() => crowd.unfinished(), { timeout: SETTLING_MS, interval: 1000 }).toEqual([]);
    const restedMs = Date.now() - beganMs - workedMs;

    const fresh = await worlds.newDevice();
    await worlds.signIn(fresh, person);
    const rows = await rowsOf(fresh);
    for (const tab of tabs) await expect.poll(() => rowsOf(tab), { timeout: 20_000 }).toEqual(rows);
    const history = await readHistory(worlds.stack.origin, person);
    expect(rowsIn(history)).toEqual(rows);

    const dropped = await crowd.dropped();
    const names = judgeNames(log, dropped, rows);
    const acknowledged = (all: readonly { isAcknowledged: boolean }[]) =>
      `${String(all.filter(({ isAcknowledged }) => isAcknowledged).length)} of ${String(all.length)}`;
    console.log({
      workedMs,
      restedMs,
      ...{ uploads: acknowledged(log.uploads), renames: acknowledged(log.renames) },
      ...{ dropped: dropped.length, purges: log.purges.map(({ outcome }) => outcome), ...log.counts },
      ...{ files: rows.length, segments: history.segments, uncontested: names.judged },
      lines: crowd.lines.map(({ counts }) => counts),
    });
    expect(judgeFiles(log, rows)).toEqual([]);
    expect(judgeRenames(log, dropped, history)).toEqual([]);
    expect(names.problems).toEqual([]);
    expect(log.trouble).toEqual([]);
    const random = seeded(SEED);
    for (let sample = 0; sample < SAMPLES; sample++) {
      const row = rows[Math.floor(random() * rows.length)];
      expect(row && (await differsAt(fresh, row))).toBe(-1);
    }
  },
  WORK_MS,
);
