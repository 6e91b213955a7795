import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobId, VaultId } from '$contract/ids.ts';
import {
  openDatabase,
  type CapturingUpload,
  type Database,
  type StoredUpload,
} from '../../src/lib/store/database.ts';
import { uploadRecords, type UploadRecords } from '../../src/lib/store/upload-records.ts';

let database: Database;
let records: UploadRecords;

beforeEach(async () => {
  database = await openDatabase(() => undefined);
  records = uploadRecords(database);
  for (const { blob } of await records.list()) await records.remove(blob);
});
afterEach(() => {
  database.close();
});

const VAULT = 'vault' as VaultId;
function upload(blob: string, capturedAtMs = 1): CapturingUpload {
  return {
    ...{ blob: blob as BlobId, vault: VAULT, epoch: 1, inboxEpoch: 0, capturedAtMs },
    ...{ state: 'capturing', mode: 'device' },
    ...{ sealedLabel: new Uint8Array(3), sealedBytes: 100, partBytes: 50, partCount: 2 },
  };
}
const MADE = { inboxEpoch: 2, partDigests: new Uint8Array(64), inboxRecord: new Uint8Array(9) };
const inState = (state: StoredUpload['state']): StoredUpload =>
  state === 'capturing' ? upload('a') : { ...upload('a'), ...MADE, state };
const part = (partNumber: number, fill: number) => ({
  partNumber,
  digest: new Uint8Array(32).fill(fill),
  sourceTag: new Uint8Array(32),
});

describe('records of uploads', () => {
  it('are listed from the oldest on', async () => {
    for (const [blob, atMs] of [
      ['b', 3],
      ['c', 1],
      ['a', 2],
    ] as const)
      await records.save(upload(blob, atMs));
    expect((await records.list()).map(({ blob }) => blob)).toEqual(['c', 'a', 'b']);
  });

  it('tell of an upload from its capture to the inbox', async () => {
    await records.save(upload('a'));
    expect(await records.beginMultipart('a', 'x')).toBe(true);
    const sealed = { ...upload('a'), ...MADE, uploadId: 'x' };
    expect(await records.seal('a', MADE)).toEqual({ ...sealed, state: 'sealed' });
    for (const state of ['uploading', 'uploaded', 'saved'] as const) {
      expect(await records.advance('a', state)).toEqual({ ...sealed, state });
      expect(await records.read('a')).toEqual({ ...sealed, state });
    }
  });

  it('that start over say nothing any more of what was made, here or in S3', async () => {
    await records.save({ ...inState('uploaded'), uploadId: 'x' });
    expect(await records.startOver('a')).toEqual({ ...upload('a'), inboxEpoch: 2 });
    expect(await records.read('a')).toEqual({ ...upload('a'), inboxEpoch: 2 });
  });

  it.each<[StoredUpload['state'], StoredUpload['state']]>([
    ['capturing', 'uploading'],
    ['capturing', 'uploaded'],
    ['capturing', 'saved'],
    ['sealed', 'saved'],
    ['uploading', 'saved'],
    ['uploaded', 'sealed'],
    ['saved', 'capturing'],
    ['saved', 'uploaded'],
    ['saved', 'saved'],
  ])('do not go from %s to %s, and stay as they were', async (from, to) => {
    await records.save(inState(from));
    const going =
      to === 'capturing'
        ? records.startOver('a')
        : to === 'sealed'
          ? records.seal('a', MADE)
          : records.advance('a', to);
    await expect(going).rejects.toThrow(TypeError);
    expect(await records.read('a')).toEqual(inState(from));
  });

  it('that were removed do not come back by a change', async () => {
    await records.save(upload('a'));
    await records.remove('a');
    expect(await records.seal('a', MADE)).toBeUndefined();
    expect(await records.advance('a', 'uploading')).toBeUndefined();
    expect(await records.startOver('a')).toBeUndefined();
    expect(await records.beginMultipart('a', 'x')).toBe(false);
    expect(await records.read('a')).toBeUndefined();
    expect(await records.list()).toEqual([]);
  });

  it('go with all that is said of their parts, and leave those of others', async () => {
    for (const blob of ['a', 'b']) await records.save(upload(blob));
    for (const number of [2, 1, 10]) await records.savePart('a', part(number, number));
    await records.savePart('b', part(1, 9));
    expect((await records.parts('a')).map(({ partNumber }) => partNumber)).toEqual([1, 2, 10]);
    await records.remove('a');
    await records.remove('a');
    expect([await records.parts('a'), await records.parts('b')]).toEqual([[], [part(1, 9)]]);
  });

  it('have one entry for each part: the last one counts', async () => {
    await records.savePart('a', part(1, 1));
    await records.savePart('a', part(1, 2));
    expect(await records.parts('a')).toEqual([part(1, 2)]);
    await records.remove('a');
  });
});
