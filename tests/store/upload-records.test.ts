import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase, type Database, type StoredUpload } from '../../src/lib/store/database.ts';
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

function upload(blob: string, capturedAtMs = 1): StoredUpload {
  return {
    ...{ blob, vault: 'vault', epoch: 1, inboxEpoch: 0, state: 'captured', mode: 'device', capturedAtMs },
    ...{ sealedLabel: new Uint8Array(3), sealedBytes: 100, partBytes: 50, partCount: 2 },
  };
}
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

  it('are changed in what is named, and stay as they are else', async () => {
    await records.save(upload('a'));
    const changed = await records.change('a', { state: 'uploading', uploadId: 'x' });
    expect(changed).toEqual({ ...upload('a'), state: 'uploading', uploadId: 'x' });
    expect(await records.read('a')).toEqual(changed);
  });

  it('that were removed do not come back by a change', async () => {
    await records.save(upload('a'));
    await records.remove('a');
    expect(await records.change('a', { state: 'uploading' })).toBeUndefined();
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
