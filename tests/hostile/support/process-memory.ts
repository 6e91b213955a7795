import { closeSync, openSync, readSync } from 'node:fs';
import { processesOf, readProcess } from '../../support/browser-processes.ts';

const PAGE_BYTES = 4096;

/** Ids of the processes that pages and workers of a browser run in. @param userDataFolder names it. Linux only */
export function renderersOf(userDataFolder: string): number[] {
  return processesOf(userDataFolder)
    .filter(({ isRenderer }) => isRenderer)
    .map(({ pid }) => pid);
}

/**
 * How often each of these bytes stands in a process's own writable memory: what somebody finds who has all of it. Pages
 * that were reserved and never touched are left out: a browser has terabytes of them.
 * @param needles each of at least 16 bytes
 */
export function countInMemory(pid: number, needles: readonly Buffer[]): number[] {
  const counts = needles.map(() => 0);
  const memory = openSync(`/proc/${String(pid)}/mem`, 'r');
  const pageMap = openSync(`/proc/${String(pid)}/pagemap`, 'r');
  try {
    for (const line of readProcess(pid, 'maps').split('\n')) {
      const [, from = '', until = ''] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
      if (from === '') continue;
      for (const run of presentRuns(pageMap, Number.parseInt(from, 16), Number.parseInt(until, 16))) {
        const bytes = Buffer.alloc(run.sizeBytes);
        const content = bytes.subarray(0, readQuietly(memory, bytes, run.at));
        for (const [index, needle] of needles.entries()) {
          for (let found = content.indexOf(needle); found >= 0; found = content.indexOf(needle, found + 1)) {
            counts[index] = (counts[index] ?? 0) + 1;
          }
        }
      }
    }
  } finally {
    closeSync(memory);
    closeSync(pageMap);
  }
  return counts;
}

/** The stretches of a mapping that are in memory or on the swap (Linux, admin-guide/mm/pagemap: bits 63 and 62). */
function* presentRuns(
  pageMap: number,
  from: number,
  until: number,
): Generator<{ at: number; sizeBytes: number }> {
  const pagesPerRead = 2 ** 18;
  let run: { at: number; sizeBytes: number } | undefined;
  for (let page = from / PAGE_BYTES; page < until / PAGE_BYTES; page += pagesPerRead) {
    const entries = Buffer.alloc(8 * Math.min(pagesPerRead, until / PAGE_BYTES - page));
    readQuietly(pageMap, entries, page * 8);
    for (let index = 0; index < entries.length / 8; index++) {
      const isPresent = (entries[index * 8 + 7] ?? 0) >= 0x40;
      if (isPresent && run) run.sizeBytes += PAGE_BYTES;
      else if (isPresent) run = { at: (page + index) * PAGE_BYTES, sizeBytes: PAGE_BYTES };
      else if (run) {
        yield run;
        run = undefined;
      }
    }
  }
  if (run) yield run;
}

/** Some mappings cannot be read, and some are gone by then. */
function readQuietly(file: number, into: Buffer, position: number): number {
  try {
    return readSync(file, into, 0, into.length, position);
  } catch {
    return 0;
  }
}
