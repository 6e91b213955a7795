import { BlobId } from '../../../broker/contract/ids.ts';
import { LIMITS } from '../../../broker/contract/limits.ts';
import { uploadAbort, uploadCreate, uploadPartUrls } from '../../../broker/contract/vault.ts';
import * as v from 'valibot';
import { toB64 } from '../../../src/lib/bytes.ts';
import { sealAad } from '../../../src/lib/crypto/aad.ts';
import { sha256 } from '../../../src/lib/crypto/digest.ts';
import { createSealer } from '../../../src/lib/crypto/floe.ts';
import { randomBytes, randomId } from '../../../src/lib/crypto/random.ts';
import { put } from '../../../src/lib/remote/s3.ts';
import { inLanes } from '../../../src/lib/transfer/lanes.ts';
import { readContent } from '../../../src/lib/transfer/opening.ts';
import { PartBuffers } from '../../../src/lib/transfer/memory.ts';
import { largestPartBytes, planBlob } from '../../../src/lib/transfer/plan.ts';
import { sealPart } from '../../../src/lib/transfer/sealing.ts';
import { Upload, type UploadedBlob } from '../../../src/lib/transfer/upload.ts';
import { race, type Rate } from './race.ts';
import { residence, type Residence } from './residence.ts';
import { sameBytes } from './same-bytes.ts';

/** As many PUTs at a time as an upload has. */
const LANES = 4;

/** A part that was sealed and hashed before anybody looked at the clock. */
interface ReadyPart {
  readonly partNumber: number;
  readonly body: Blob;
  readonly sha256: string;
}

/** What one round of plain PUTs needs: a new multipart upload with a URL for each part. */
interface ReadyUpload {
  readonly blob: BlobId;
  readonly uploadId: string;
  readonly urls: ReadonlyMap<number, string>;
}

/**
 * PUTs of parts that are sealed, hashed and presigned already, and nothing else; and the product's upload of the same file: seal,
 * hash, a URL for each part, PUTs, and S3's completion.
 */
export async function uploadingContest(file: File, rounds: number): Promise<Rate[]> {
  const here = await residence();
  await checkUpload(here, file);
  const parts = await readyParts(file);
  const plainPuts = {
    name: 'plain PUTs',
    prepare: () => readyUpload(here, parts),
    run: (ready: ReadyUpload) => putAll(parts, ready),
    clear: ({ blob, uploadId }: ReadyUpload) =>
      here.broker.call(uploadAbort, { blob, uploadId }, { vault: here.vault }),
  };
  return race(file.size, rounds, [plainPuts, { name: 'uploading', run: () => upload(here, file) }]);
}

/** The product's engine, without the journal. */
export function upload(here: Residence, file: File): Promise<UploadedBlob> {
  const progress = { onSent: () => undefined, onPhase: () => undefined };
  return new Upload(file, here).run(new AbortController().signal, progress);
}

async function checkUpload(here: Residence, file: File): Promise<void> {
  const { blob, contentKey, plan, digest } = await upload(here, file);
  const stored = { ...plan, blob, digest, epoch: here.epoch };
  let offset = 0;
  for await (const bytes of readContent(here, stored, contentKey, new AbortController().signal)) {
    await sameBytes(file.slice(offset, offset + bytes.length), new Blob([bytes]));
    offset += bytes.length;
  }
  if (offset !== file.size) throw new Error(`expected ${String(file.size)} bytes, got ${String(offset)}`);
}

async function readyParts(file: File): Promise<ReadyPart[]> {
  const plan = planBlob(file.size);
  const sealer = await createSealer(randomBytes(32), sealAad('content', 'bench', 'bench', 0));
  const buffers = new PartBuffers(largestPartBytes(plan));
  const parts: ReadyPart[] = [];
  for (let partNumber = 1; partNumber <= plan.partCount; partNumber++) {
    const bytes = await sealPart(file, sealer, plan, partNumber, buffers);
    parts.push({ partNumber, body: new Blob([bytes]), sha256: toB64(await sha256(bytes)) });
    buffers.giveBack(bytes);
  }
  return parts;
}

async function readyUpload({ broker, vault }: Residence, parts: readonly ReadyPart[]): Promise<ReadyUpload> {
  const blob = v.parse(BlobId, randomId());
  const sizeBytes = parts.reduce((sum, { body }) => sum + body.size, 0);
  const { uploadId } = await broker.call(uploadCreate, { blob, sizeBytes }, { vault });
  const urls = new Map<number, string>();
  for (let index = 0; index < parts.length; index += LIMITS.batch) {
    const wanted = parts
      .slice(index, index + LIMITS.batch)
      .map(({ partNumber, body, sha256 }) => ({ partNumber, sizeBytes: body.size, sha256 }));
    const answer = await broker.call(uploadPartUrls, { blob, uploadId, parts: wanted }, { vault });
    for (const { partNumber, url } of answer.urls) urls.set(partNumber, url);
  }
  return { blob, uploadId, urls };
}

function putAll(parts: readonly ReadyPart[], { urls }: ReadyUpload): Promise<void> {
  return inLanes(parts, LANES, new AbortController().signal, async ({ partNumber, body, sha256 }, signal) => {
    await put({ url: urls.get(partNumber) ?? '', body, sha256B64: sha256, createOnly: false, signal });
  });
}
