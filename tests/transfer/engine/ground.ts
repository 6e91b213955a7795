import 'fake-indexeddb/auto';
import type { BlobId } from '$contract/ids.ts';
import { expect } from 'vitest';
import { openDatabase } from '../../../src/lib/store/database.ts';
import { readContent } from '../../../src/lib/transfer/download/opening.ts';
import { releaseKey } from '../../../src/lib/vault/release.ts';
import { browserFetch, signUpInNode } from '../../support/node-person.ts';
import { TestLocks } from '../../support/test-locks.ts';
import { startBareStack } from '../../worker/bare-stack.ts';
import type { EngineDeps } from './engine.ts';
import { MemoryFiles } from './memory-files.ts';

/** Building and starting broker and local cloud. */
export const START_MS = 120_000;

/** A device in Node of somebody who has signed up at a broker and local cloud of their own. */
export async function openGround(
  userName: string,
): Promise<{ ground: EngineDeps; close: () => Promise<void> }> {
  const stack = await startBareStack();
  const plainFetch = globalThis.fetch;
  const locks = new TestLocks();
  Object.defineProperty(globalThis, 'navigator', {
    value: { userAgent: 'Chrome/1 Linux', locks: locks.client().locks },
    configurable: true,
  });
  globalThis.fetch = browserFetch(stack.origin);
  const person = await signUpInNode(stack, userName);
  const journal = await person.journal(person.broker);
  const database = await openDatabase(() => undefined);
  return {
    ground: { person, journal, database, files: new MemoryFiles(), locks },
    async close() {
      globalThis.fetch = plainFetch;
      database.close();
      await stack.stop();
    },
  };
}

const contents = new Map<number, Uint8Array<ArrayBuffer>>();

/** The same bytes each time that it is asked for. */
export function makeFile(name: string, sizeBytes: number): File {
  const bytes = contents.get(sizeBytes) ?? new Uint8Array(sizeBytes);
  if (!contents.has(sizeBytes)) {
    for (let index = 0; index < sizeBytes; index++) bytes[index] = index * 7 + (index >> 9);
    contents.set(sizeBytes, bytes);
  }
  return new File([bytes], name, { lastModified: 1_700_000_000_000 });
}

/** Whether the journal has a file of this name. */
export function isInDrive({ journal }: EngineDeps, name: string): boolean {
  return journal.state.entries.names.some((each) => each.startsWith(name));
}

/** What the journal has under this name; read back and compared. */
export async function expectOnceAndWhole({ person, journal }: EngineDeps, file: File): Promise<void> {
  const { name } = file;
  const { entries } = journal.state;
  const ids = entries.ids.filter((_, index) => entries.names[index]?.startsWith(name));
  expect(ids, `${name} is in the drive once`).toHaveLength(1);
  const version = journal.state.newestVersion(ids[0] ?? '');
  if (!version) throw new TypeError('expected a version');
  const blob = version.blob as BlobId;
  const vault = person.vault(person.broker, journal, () => true);
  const contentKey = await releaseKey(vault, 'file', { blob, epoch: version.epoch });
  const expected = new Uint8Array(await file.arrayBuffer());
  let offset = 0;
  for await (const bytes of readContent(
    vault,
    { ...version, blob },
    contentKey,
    new AbortController().signal,
  )) {
    expect(Buffer.compare(bytes, expected.subarray(offset, offset + bytes.length))).toBe(0);
    offset += bytes.length;
  }
  expect(offset).toBe(expected.length);
}
