import type { BlobId } from '../../../broker/contract/ids.ts';
import { LIMITS } from '../../../broker/contract/limits.ts';
import { uploadAbort, uploadCreate, uploadPartUrls } from '../../../broker/contract/vault-blobs.ts';
import { toB64, type Bytes } from '../../../src/lib/bytes.ts';
import { sealAad } from '../../../src/lib/crypto/aad.ts';
import { sha256 } from '../../../src/lib/crypto/digest.ts';
import { createSealer } from '../../../src/lib/crypto/floe.ts';
import { randomBytes } from '../../../src/lib/crypto/random.ts';
import { put } from '../../../src/lib/remote/s3.ts';
import { readContent, type StoredBlob } from '../../../src/lib/transfer/download/opening.ts';
import { newBlobId } from '../../../src/lib/transfer/blob-id.ts';
import { PartBuffers } from '../../../src/lib/transfer/memory.ts';
import { largestPartBytes, planBlob } from '../../../src/lib/transfer/plan.ts';
import { sealPart } from '../../../src/lib/transfer/upload/sealing.ts';
import { Capture, splitDigests } from '../../../src/lib/transfer/upload/capturing.ts';
import { inLanes } from '../../../src/lib/concurrency/lanes.ts';
import { Semaphore } from '../../../src/lib/concurrency/semaphore.ts';
import { Streaming } from '../../../src/lib/transfer/upload/streaming.ts';
import { Connection } from '../../../src/lib/transfer/connection.ts';
import { digestOf, sendBlob } from '../../../src/lib/transfer/upload/sending.ts';
import type { SendingDeps } from '../../../src/lib/transfer/upload/part-supply.ts';
import { PutUrls } from '../../../src/lib/transfer/upload/put-urls.ts';
import { opfsParts } from '../../../src/lib/store/part-files.ts';
import type { CapturingUpload } from '../../../src/lib/store/database.ts';
import { PARALLEL } from '../../../src/lib/store/transfer-settings.ts';
import { uploadRecords } from '../../../src/lib/store/upload-records.ts';
import { race, type Rate, type Side } from './race.ts';
import { residence, type Residence } from './residence.ts';
import { sameBytes } from './same-bytes.ts';

/** As many PUTs at a time as an upload has. */
const LANES = PARALLEL.usual;
const PART_BYTES = 8 * 1024 ** 2;

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
 * PUTs of parts that are sealed, hashed and presigned already, and nothing else; the same of the file's own bytes, each
 * part read into memory first, as anyone who wants to look at them must; and the product's upload of the same file:
 * seal, hash, a URL for each part, PUTs, and S3's completion.
 */
export async function uploadingContest(file: File, rounds: number): Promise<Rate[]> {
  const here = await residence();
  await checkUpload(here, file);
  const sealed = await readyParts(file);
  const slices = await readySlices(file);
  return race(file.size, rounds, [
    putting('plain PUTs', here, sealed, (body) => body),
    putting('reading and PUTs', here, slices, async (slice) => new Blob([await slice.arrayBuffer()])),
    uploading('uploading', here, () => upload(here, file)),
    uploading('streaming', here, () => uploadUnkept(here, file)),
  ]);
}

/** PUTs and nothing else but `load`, which makes a part's body. */
function putting(
  name: string,
  here: Residence,
  parts: readonly ReadyPart[],
  load: (body: Blob) => Blob | Promise<Blob>,
): Side {
  return {
    name,
    prepare: () => readyUpload(here, parts),
    run: (ready: ReadyUpload) => putAll(parts, ready, load),
    clear: ({ blob, uploadId }: ReadyUpload) =>
      here.broker.call(uploadAbort, { blob, uploadId }, { vault: here.vault }),
  };
}

/**
 * What a round leaves in S3 goes before the next one, on every side: a machine's memory is slower the first time that
 * it is used.
 */
function uploading(name: string, { vault }: Residence, run: () => Promise<UploadedBlob>): Side {
  let blob: string | undefined;
  return {
    name,
    async run() {
      blob = (await run()).stored.blob;
    },
    async clear() {
      const { ok } = await fetch(`/stored/v/${vault}/blobs/${blob ?? ''}`, { method: 'DELETE' });
      if (!ok) throw new Error('what a round had stored was not erased');
    },
  };
}

/** A blob that is in S3, and what opens it. */
export interface UploadedBlob {
  readonly stored: StoredBlob;
  readonly contentKey: Bytes;
}

/**
 * The product's engine, without the journal: each part is sealed, hashed and written to this device's files, and goes
 * up from there while the next ones are sealed; the records are written as the product writes them.
 */
export async function upload(
  { broker, vault, epoch, database }: Residence,
  file: File,
): Promise<UploadedBlob> {
  const [records, files] = [uploadRecords(database), opfsParts('uploads')];
  const plan = planBlob(file.size);
  const contentKey = randomBytes(32);
  const { signal } = new AbortController();
  const { sealedBytes, partBytes, partCount } = plan;
  const begun: CapturingUpload = {
    ...{ blob: newBlobId(), vault, epoch, inboxEpoch: 0 },
    ...{ state: 'capturing', mode: 'device', capturedAtMs: Date.now(), sealedLabel: randomBytes(618) },
    ...{ sealedBytes, partBytes, partCount },
  };
  await records.save(begun);
  const capture = new Capture(files, begun.blob);
  const sealed = capture.seal(file, plan, { vault, epoch, contentKey }, signal).then(async (partDigests) => {
    await records.seal(begun.blob, { inboxEpoch: 0, partDigests, inboxRecord: randomBytes(1160) });
    return partDigests;
  });
  const options = { isAllowed: () => true, isPatient: true };
  const connection = { broker: new Connection(options), store: new Connection(options) };
  const sending = sendingBy(broker, records, connection);
  const digest = await sendBlob(sending, begun, capture, signal, {
    onSent: () => undefined,
    onVerifying: async () => {
      await sealed;
    },
  });
  if (digest !== (await digestOf(begun, splitDigests(await sealed)))) throw new Error('the digests differ');
  await records.advance(begun.blob, 'uploaded');
  await records.remove(begun.blob);
  await files.remove(begun.blob);
  return { stored: { ...plan, blob: begun.blob, epoch, digest }, contentKey };
}

function sendingBy(
  broker: Residence['broker'],
  records: SendingDeps['records'],
  connection: SendingDeps['connection'],
): SendingDeps {
  const grant = () => ({});
  const gates = { gate: new Semaphore(LANES), tinyGate: new Semaphore(LANES) };
  return { broker, urls: new PutUrls(broker, grant), put, records, connection, ...gates, grant };
}

/**
 * The same where this device has no room for a copy: each part is sealed and hashed when its turn comes, and sent from
 * memory.
 */
async function uploadUnkept(
  { broker, vault, epoch, database }: Residence,
  file: File,
): Promise<UploadedBlob> {
  const records = uploadRecords(database);
  const plan = planBlob(file.size);
  const { signal } = new AbortController();
  const { sealedBytes, partBytes, partCount } = plan;
  const fresh = {
    ...{ blob: newBlobId(), vault, epoch, inboxEpoch: 0 },
    ...{
      state: 'capturing' as const,
      mode: 'streamed' as const,
      capturedAtMs: Date.now(),
      sealedLabel: randomBytes(618),
    },
    ...{ sealedBytes, partBytes, partCount },
  };
  const contentKey = randomBytes(32);
  const deps = { records, source: file, plan, contentKey, signal };
  const { parts, header } = await Streaming.begin(fresh, deps);
  const begun = { ...fresh, draft: randomBytes(1080), header };
  await records.save(begun);
  const options = { isAllowed: () => true, isPatient: true };
  const connection = { broker: new Connection(options), store: new Connection(options) };
  const sending = sendingBy(broker, records, connection);
  const digest = await sendBlob(sending, begun, parts, signal, {
    onSent: () => undefined,
    onVerifying: () => Promise.resolve(),
  });
  await records.remove(begun.blob);
  return { stored: { ...plan, blob: begun.blob, epoch, digest }, contentKey };
}

async function checkUpload(here: Residence, file: File): Promise<void> {
  const { stored, contentKey } = await upload(here, file);
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

/** The file's own bytes, in parts like those that it is sealed into. */
async function readySlices(file: File): Promise<ReadyPart[]> {
  const parts: ReadyPart[] = [];
  for (let offset = 0; offset < file.size; offset += PART_BYTES) {
    const body = file.slice(offset, offset + PART_BYTES);
    const digest = await sha256(new Uint8Array(await body.arrayBuffer()));
    parts.push({ partNumber: parts.length + 1, body, sha256: toB64(digest) });
  }
  return parts;
}

async function readyUpload({ broker, vault }: Residence, parts: readonly ReadyPart[]): Promise<ReadyUpload> {
  const blob = newBlobId();
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

function putAll(
  parts: readonly ReadyPart[],
  { urls }: ReadyUpload,
  load: (body: Blob) => Blob | Promise<Blob>,
): Promise<void> {
  return inLanes(parts, LANES, new AbortController().signal, async ({ partNumber, body, sha256 }, signal) => {
    const url = urls.get(partNumber) ?? '';
    await put({ url, body: await load(body), sha256B64: sha256, createOnly: false, signal });
  });
}
