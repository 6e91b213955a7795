import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { concat, type Bytes } from '../../../src/lib/bytes.ts';
import { sealAad } from '../../../src/lib/crypto/aad.ts';
import { sha256 } from '../../../src/lib/crypto/digest.ts';
import { HEADER_BYTES, open, SEGMENT_BYTES, SEGMENT_PLAINTEXT_BYTES } from '../../../src/lib/crypto/floe.ts';
import { openDatabase, type Database, type StoredUpload } from '../../../src/lib/store/database.ts';
import { uploadRecords, type UploadRecords } from '../../../src/lib/store/upload-records.ts';
import { planBlob, planStored } from '../../../src/lib/transfer/plan.ts';
import { Streaming } from '../../../src/lib/transfer/upload/streaming.ts';

const CONTENT_KEY = new Uint8Array(32).fill(7);
const content = new Uint8Array(2 * SEGMENT_PLAINTEXT_BYTES + 5).map((_, index) => index % 251);
const plan = planStored({ ...planBlob(content.length), partBytes: SEGMENT_BYTES });
const UPLOAD = { blob: 'blob', vault: 'vault', epoch: 1, mode: 'streamed' } as StoredUpload;
let database: Database;
let records: UploadRecords;

beforeEach(async () => {
  database = await openDatabase(() => undefined);
  records = uploadRecords(database);
  await records.remove('blob');
});
afterEach(() => {
  database.close();
});

const begin = (source: Uint8Array<ArrayBuffer>, header?: Bytes, signal = new AbortController().signal) =>
  Streaming.begin(
    { ...UPLOAD, ...(header && { header }) },
    { records, source: new Blob([source]), plan, contentKey: CONTENT_KEY.slice(), signal },
  );
const bytesOf = async (parts: Streaming, number: number) =>
  new Uint8Array(await (await parts.part(number)).body.arrayBuffer());

describe('parts that are made as they are asked for', () => {
  it('are together the sealed file, in whatever order they are made', async () => {
    const { parts, header } = await begin(content);
    const [third, first, second] = [
      await bytesOf(parts, 3),
      await bytesOf(parts, 1),
      await bytesOf(parts, 2),
    ];
    expect(first.slice(0, HEADER_BYTES)).toEqual(header);
    const opened = await open(
      CONTENT_KEY,
      sealAad('content', 'vault', 'blob', 1),
      concat(first, second, third),
    );
    expect(Buffer.compare(opened.subarray(0, content.length), content)).toBe(0);
  });

  it('are noted on the disk before they are given away', async () => {
    const { parts } = await begin(content);
    const { body, digest } = await parts.part(2);
    expect(await sha256(new Uint8Array(await body.arrayBuffer()))).toEqual(digest);
    expect(await records.parts('blob')).toMatchObject([{ partNumber: 2, digest }]);
    expect([parts.known(1), parts.known(2)]).toEqual([undefined, digest]);
  });

  it('cannot be had once more as the same bytes, and say so', async () => {
    const { parts } = await begin(content);
    const [one, two] = [(await parts.part(1)).digest, (await parts.part(1)).digest];
    expect(parts.isRepeatable).toBe(false);
    expect(one).not.toEqual(two);
    expect((await records.parts('blob'))[0]?.digest).toEqual(two);
  });

  it('are not made any more once that was called off', async () => {
    const controller = new AbortController();
    const { parts } = await begin(content, undefined, controller.signal);
    controller.abort();
    await expect(parts.part(1)).rejects.toMatchObject({ name: 'AbortError' });
    expect(await records.parts('blob')).toEqual([]);
  });
});

describe('an upload that goes on after a crash', () => {
  it('goes on from its header with what was sent of the same file', async () => {
    const first = await begin(content);
    const { digest } = await first.parts.part(1);
    const again = await begin(content, first.header);
    expect(again.header).toEqual(first.header);
    await again.parts.compare();
    expect([again.parts.known(1), again.parts.known(2)]).toEqual([digest, undefined]);
  });

  it('does not go on with another file, be it of the same size', async () => {
    const first = await begin(content);
    for (const number of [1, 2]) await first.parts.part(number);
    const other = content.slice();
    other[SEGMENT_PLAINTEXT_BYTES + 7]! ^= 1;
    const again = await begin(other, first.header);
    await expect(again.parts.compare()).rejects.toMatchObject({
      code: 'source_changed',
      detail: { partNumber: 2 },
    });
  });
});
