import { release, type Bytes } from '../../../src/lib/bytes.ts';
import { sealAad } from '../../../src/lib/crypto/aad.ts';
import { sha256 } from '../../../src/lib/crypto/digest.ts';
import {
  createOpener,
  createSealer,
  HEADER_BYTES,
  SEGMENT_BYTES,
  SEGMENT_PLAINTEXT_BYTES,
} from '../../../src/lib/crypto/floe.ts';
import { inLanes } from '../../../src/lib/concurrency/lanes.ts';
import { PartBuffers } from '../../../src/lib/transfer/memory.ts';
import { largestPartBytes, planBlob, planPart } from '../../../src/lib/transfer/plan.ts';
import { sealPart } from '../../../src/lib/transfer/upload/sealing.ts';
import { race, type Rate } from './race.ts';
import { sameBytes } from './same-bytes.ts';

const SLICE = 8 * 1024 ** 2;
/** As many parts at a time as an upload has. */
const LANES = 4;
const AAD = sealAad('content', 'bench', 'bench', 0);

/**
 * Only reading a file, by the slices that are fastest; reading and sealing it as an upload does; and hashing it
 * besides.
 */
export async function filingContest(file: File, rounds: number): Promise<Rate[]> {
  await checkSealed(file);
  return race(file.size, rounds, [
    { name: 'only reading', run: () => readFile(file) },
    { name: 'sealing', run: () => sealFile(file) },
    { name: 'sealing and hashing', run: () => sealFile(file, sha256) },
  ]);
}

async function readFile(file: File): Promise<void> {
  for (let offset = 0; offset < file.size; offset += SLICE)
    release(new Uint8Array(await file.slice(offset, offset + SLICE).arrayBuffer()));
}

/** Seals each part, and drops it when `take` is done with it. */
export function sealFile(file: File, take: (bytes: Bytes) => unknown = () => undefined): Promise<void> {
  const key = crypto.getRandomValues(new Uint8Array(32));
  return sealParts(file, key, (_partNumber, bytes) => take(bytes));
}

async function sealParts(
  file: File,
  key: Bytes,
  take: (partNumber: number, bytes: Bytes) => unknown,
): Promise<void> {
  const plan = planBlob(file.size);
  const sealer = await createSealer(key, AAD);
  const buffers = new PartBuffers(largestPartBytes(plan));
  const partNumbers = Array.from({ length: plan.partCount }, (_, index) => index + 1);
  await inLanes(partNumbers, LANES, new AbortController().signal, async (partNumber) => {
    const bytes = await sealPart(file, sealer, plan, partNumber, buffers);
    await take(partNumber, bytes);
    buffers.giveBack(bytes);
  });
}

/** Seals once, opens every segment again, and compares with the file. */
async function checkSealed(file: File): Promise<void> {
  const plan = planBlob(file.size);
  const key = crypto.getRandomValues(new Uint8Array(32));
  const parts = new Map<number, Bytes>();
  await sealParts(file, key, (partNumber, bytes) => parts.set(partNumber, bytes.slice()));
  const header = (parts.get(1) ?? new Uint8Array()).subarray(0, HEADER_BYTES);
  const opener = await createOpener(key, AAD, header);
  for (let partNumber = 1; partNumber <= plan.partCount; partNumber++) {
    const { firstSegmentIndex, segmentCount, plaintextOffsetBytes } = planPart(plan, partNumber);
    const bytes = parts.get(partNumber) ?? new Uint8Array();
    parts.delete(partNumber);
    const opened: Bytes[] = [];
    for (let index = 0; index < segmentCount; index++) {
      const offset = (partNumber === 1 ? HEADER_BYTES : 0) + index * SEGMENT_BYTES;
      const last = firstSegmentIndex + index === plan.segmentCount - 1;
      const segment = bytes.subarray(offset, offset + SEGMENT_BYTES);
      opened.push(await opener.openSegment(firstSegmentIndex + index, segment, last));
    }
    const untilByte = Math.min(file.size, plaintextOffsetBytes + segmentCount * SEGMENT_PLAINTEXT_BYTES);
    const expected = file.slice(plaintextOffsetBytes, untilByte);
    await sameBytes(expected, new Blob(opened).slice(0, expected.size));
  }
}
