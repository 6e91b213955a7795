import { beforeEach, describe, expect, it } from 'vitest';
import { concat, type Bytes } from '../../../src/lib/bytes.ts';
import { sealAad } from '../../../src/lib/crypto/aad.ts';
import { sha256 } from '../../../src/lib/crypto/digest.ts';
import { open, SEGMENT_BYTES, SEGMENT_PLAINTEXT_BYTES } from '../../../src/lib/crypto/floe.ts';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import type { SealedUpload } from '../../../src/lib/store/database.ts';
import { planBlob, planStored, type BlobPlan } from '../../../src/lib/transfer/plan.ts';
import { Capture, sealedParts, splitDigests } from '../../../src/lib/transfer/upload/capturing.ts';
import { refusalCode } from '../../crypto/refusal.ts';
import { MemoryFiles } from '../engine/memory-files.ts';

const CONTENT_KEY = new Uint8Array(32).fill(7);
const WHERE = { vault: 'vault', epoch: 1, contentKey: CONTENT_KEY };
const content = new Uint8Array(2 * SEGMENT_PLAINTEXT_BYTES + 5).map((_, index) => index % 251);
const source = new Blob([content]);
/** Three parts of a segment each. */
const plan: BlobPlan = planStored({ ...planBlob(content.length), partBytes: SEGMENT_BYTES });
const never = new AbortController().signal;
let files: MemoryFiles;
let capture: Capture;

beforeEach(() => {
  files = new MemoryFiles();
  capture = new Capture(files, 'blob');
});

async function bytesOf(parts: { part: Capture['part'] }): Promise<Bytes> {
  const bodies = [];
  for (let number = 1; number <= plan.partCount; number++) {
    bodies.push(new Uint8Array(await (await parts.part(number)).body.arrayBuffer()));
  }
  return concat(...bodies);
}

describe('a capture', () => {
  it('leaves the file sealed on this device, and the digests of its parts', async () => {
    const digests = splitDigests(await capture.seal(source, plan, WHERE, never));
    expect(digests).toHaveLength(3);
    const parts = [...files.blobs.get('blob')!].sort(([a], [b]) => a - b).map(([, bytes]) => bytes);
    expect(digests).toEqual(await Promise.all(parts.map((part) => sha256(part))));
    const opened = await open(CONTENT_KEY, sealAad('content', 'vault', 'blob', 1), concat(...parts));
    expect(Buffer.compare(opened.subarray(0, content.length), content)).toBe(0);
  });

  it('gives each part away once it is on the disk, whoever asked for it before', async () => {
    const early = bytesOf(capture);
    expect(capture.known(1)).toBeUndefined();
    const digests = splitDigests(await capture.seal(source, plan, WHERE, never));
    expect(Buffer.compare(await early, await bytesOf(capture))).toBe(0);
    expect([1, 2, 3].map((number) => capture.known(number))).toEqual(digests);
  });

  it('that fails says so to all who wait for a part, and to who asks later', async () => {
    files.write = () => Promise.reject(new HalfkeyError('device_full', 'no room'));
    const waiting = refusalCode(capture.part(3));
    expect(await refusalCode(capture.seal(source, plan, WHERE, never))).toBe('device_full');
    expect([await waiting, await refusalCode(capture.part(1))]).toEqual(['device_full', 'device_full']);
  });

  it('of a file that has changed since is none', async () => {
    const shorter = source.slice(1);
    expect(await refusalCode(capture.seal(shorter, plan, WHERE, never))).toBe('source_changed');
  });

  it('that is called off writes no more', async () => {
    const controller = new AbortController();
    files.write = (...args) => {
      controller.abort();
      return MemoryFiles.prototype.write.apply(files, args);
    };
    await expect(capture.seal(source, plan, WHERE, controller.signal)).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(files.blobs.get('blob')?.has(3)).toBe(false);
  });
});

describe('the parts of an upload that rests here', () => {
  it('are those of its capture, each with its digest', async () => {
    const partDigests = await capture.seal(source, plan, WHERE, never);
    const parts = sealedParts(files, { ...plan, blob: 'blob', partDigests } as unknown as SealedUpload);
    expect(Buffer.compare(await bytesOf(parts), await bytesOf(capture))).toBe(0);
    expect((await parts.part(2)).digest).toEqual(capture.known(2));
  });

  it('that the browser has taken away are lost', async () => {
    await files.write('blob', 1, new Uint8Array(3));
    const partDigests = new Uint8Array(32);
    const parts = sealedParts(files, { ...plan, blob: 'other', partDigests } as unknown as SealedUpload);
    await expect(parts.part(1)).rejects.toMatchObject({
      code: 'device_state_lost',
      detail: { partNumber: 1 },
    });
  });
});
