import { randomId } from '../../../src/lib/crypto/random.ts';
import type { Journal } from '../../../src/lib/journal/journal.ts';
import { ROOT, type Operation } from '../../../src/lib/journal/entries/operations.ts';
import { ONLY } from '../../../src/lib/store/database.ts';
import { openJournal } from '../../../src/lib/session/entry/joining.ts';
import { residence } from './residence.ts';

const FOLDERS = ['Letters', 'Photos', 'Invoices', 'Music', 'Notes'] as const;

/** Adds so many files to the journal; no bodies are needed for that. @returns what it took */
export async function importEntries(count: number): Promise<{ segments: number; ms: number }> {
  const journal = await ownJournal();
  await journal.refresh();
  const before = journal.head.seq;
  const operations = Array.from({ length: count }, (_, index) =>
    fileNamed(`${FOLDERS[index % FOLDERS.length] ?? ''} ${String(index).padStart(6, '0')}.pdf`, index),
  );
  const start = performance.now();
  await journal.append(() => operations);
  const ms = performance.now() - start;
  const segments = journal.head.seq - before;
  await journal.flush();
  return { segments, ms };
}

/** One more file. @returns when that was asked for, ms since 1970 */
export async function addEntry(name: string): Promise<number> {
  const journal = await ownJournal();
  await journal.refresh();
  const start = Date.now();
  await journal.append(() => [fileNamed(name, 0)]);
  await journal.flush();
  return start;
}

/** This device knows the account still, and nothing of its journal. */
export async function dropLocalCopy(): Promise<void> {
  const { database } = await residence();
  await database.delete('journal', ONLY);
}

export async function hasLocalCopy(): Promise<boolean> {
  const { database } = await residence();
  return (await database.count('journal')) > 0;
}

async function ownJournal(): Promise<Journal> {
  const { localAccount, broker, database } = await residence();
  return openJournal(localAccount, { broker, database, nowMs: () => Date.now() });
}

function fileNamed(name: string, index: number): Operation {
  const sizeBytes = 1000 + ((index * 7919) % 5_000_000);
  return {
    kind: 'file-add',
    file: randomId(),
    folder: ROOT,
    name,
    version: {
      blob: randomId(),
      epoch: 0,
      sizeBytes,
      sealedBytes: sizeBytes + 106,
      partBytes: 8 * 1024 ** 2,
      digest: 'A'.repeat(43) + '=',
      mediaType: 'application/pdf',
      modifiedAtMs: 1_700_000_000_000 + index,
      addedAtMs: 1_700_000_000_000 + index,
    },
  };
}
