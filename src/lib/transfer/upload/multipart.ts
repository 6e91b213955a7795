import type { BlobId } from '$contract/ids.ts';
import { uploadComplete, uploadCreate, uploadList } from '$contract/vault-blobs.ts';
import { toB64, type Bytes } from '../../bytes.ts';
import { compositeDigest } from '../../crypto/digest.ts';
import { HalfkeyError } from '../../errors.ts';
import type { StoredUpload } from '../../store/database.ts';
import { inLanes } from '../../concurrency/lanes.ts';
import { reportGarbage } from '../memory.ts';
import { isStale, PartUrls, type SignedPart } from './part-urls.ts';
import { partSizeBytes } from '../plan.ts';
import type { PartSupply, SendingDeps, SendingProgress } from './part-supply.ts';

/** Parts that wait for their URL besides those that are being sent. */
const AHEAD = 2;
/** S3 takes minutes to put thousands of parts together; the broker waits a little less long. */
const COMPLETE_TIMEOUT_MS = 360_000;
/** Multipart uploads of one blob that S3 may lose before people are asked. */
const MAX_UPLOADS = 5;
/**
 * In place of an ETag that was never seen: the broker looks whether the blob is there before it says that an upload is
 * lost.
 */
const NO_ETAG = '""';
const NOT_COMPLETED = new Set(['upload_lost', 'upload_mismatch']);

interface SentPart {
  readonly etag: string;
  readonly digest: Bytes;
}

/** One multipart upload as S3 knows it. */
interface Multipart {
  readonly blob: BlobId;
  readonly uploadId: string;
}

/** As `sendBlob`, in parts. S3's own list of parts says what is still to be sent. */
export async function sendParts(
  deps: SendingDeps,
  upload: StoredUpload,
  supply: PartSupply,
  signal: AbortSignal,
  progress: SendingProgress,
): Promise<string> {
  let { uploadId } = upload;
  for (let uploads = 1; ; uploads++) {
    const isNew = uploadId === undefined;
    uploadId ??= await create(deps, upload, signal);
    const multipart = { blob: upload.blob, uploadId };
    const sent = new Map<number, SentPart>();
    try {
      if (!isNew) await listSent(deps, upload, multipart, supply, sent, signal);
      await sendMissing(deps, upload, multipart, supply, sent, signal, progress);
      const parts = [...sent].sort(([a], [b]) => a - b);
      await progress.onVerifying(parts.map(([, { digest }]) => digest));
      return await complete(deps, upload, multipart, parts, signal);
    } catch (error) {
      if (!(error instanceof HalfkeyError) || error.code !== 'upload_lost') throw error;
      const digest = await findCompleted(deps, upload, multipart, supply, signal);
      if (digest !== undefined) return digest;
      if (uploads >= MAX_UPLOADS || !supply.isRepeatable) throw error;
      uploadId = undefined; // The same sealed bytes again, as a new upload of the same blob.
    }
  }
}

async function create(
  { broker, connection, records, grant }: SendingDeps,
  upload: StoredUpload,
  signal: AbortSignal,
): Promise<string> {
  const { blob, vault, sealedBytes: sizeBytes, partBytes } = upload;
  const plan = { sizeBytes, firstPartBytes: partSizeBytes(upload, 1), partBytes };
  const { uploadId } = await connection.broker.attempt(
    () => broker.call(uploadCreate, { blob, ...plan, ...grant() }, { vault, signal }),
    signal,
  );
  if (!(await records.beginMultipart(upload.blob, uploadId)))
    throw new HalfkeyError('device_state_lost', 'the upload was removed meanwhile');
  return uploadId;
}

/** A part counts as sent when S3 has exactly these bytes of it. */
async function listSent(
  { broker, connection }: SendingDeps,
  upload: StoredUpload,
  multipart: Multipart,
  supply: PartSupply,
  sent: Map<number, SentPart>,
  signal: AbortSignal,
): Promise<void> {
  const { vault } = upload;
  const { parts } = await connection.broker.attempt(
    () => broker.call(uploadList, multipart, { vault, signal }),
    signal,
  );
  for (const { partNumber, etag, sha256 } of parts) {
    const digest = supply.known(partNumber);
    if (digest && toB64(digest) === sha256) sent.set(partNumber, { etag, digest });
  }
}

async function sendMissing(
  { broker, put, connection, gate }: SendingDeps,
  upload: StoredUpload,
  multipart: Multipart,
  supply: PartSupply,
  sent: Map<number, SentPart>,
  signal: AbortSignal,
  { onSent }: SendingProgress,
): Promise<void> {
  const { vault } = upload;
  const urls = new PartUrls({ broker, vault }, multipart, signal);
  const leaving = new Map<number, number>();
  let sentBytes = 0;
  for (const partNumber of sent.keys()) sentBytes += partSizeBytes(upload, partNumber);
  const tell = () => {
    let sum = sentBytes;
    for (const bytes of leaving.values()) sum += bytes;
    onSent(sum);
  };
  tell();
  await inLanes(missing(upload, sent), gate.places + AHEAD, signal, async (partNumber, laneSignal) => {
    const { body, digest } = await unlessAborted(supply.part(partNumber), laneSignal);
    const sha256B64 = toB64(digest);
    const signed = { partNumber, sizeBytes: body.size, sha256: sha256B64 };
    const ask = () =>
      connection.broker.attempt(
        () => urls.ask(signed, sealedNext(upload, supply, sent, partNumber)),
        laneSignal,
      );
    const onProgress = (bytes: number) => {
      leaving.set(partNumber, bytes);
      tell();
    };
    const etag = await connection.store.attempt(async () => {
      const early = await ask();
      return gate.pass(async () => {
        const { url } = isStale(early) ? await ask() : early;
        return put({ url, body, sha256B64, createOnly: false, signal: laneSignal, onProgress });
      });
    }, laneSignal);
    reportGarbage(body.size);
    leaving.delete(partNumber);
    sentBytes += body.size;
    sent.set(partNumber, { etag, digest });
    tell();
  });
}

function* missing({ partCount }: StoredUpload, sent: ReadonlyMap<number, SentPart>): Generator<number> {
  for (let partNumber = 1; partNumber <= partCount; partNumber++) {
    if (!sent.has(partNumber)) yield partNumber;
  }
}

/** Parts that follow one, as far as they are sealed, and as they will be sent. */
function* sealedNext(
  upload: StoredUpload,
  supply: PartSupply,
  sent: ReadonlyMap<number, SentPart>,
  partNumber: number,
): Generator<SignedPart> {
  if (!supply.isRepeatable) return; // Sealed once more, a part is another one.
  for (let next = partNumber + 1; next <= upload.partCount; next++) {
    const digest = supply.known(next);
    if (!digest) return;
    const part = { partNumber: next, sizeBytes: partSizeBytes(upload, next), sha256: toB64(digest) };
    if (!sent.has(next)) yield part;
  }
}

/** What is being sealed is not waited for when it is not wanted any more. */
function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const abort = () => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
    });
  });
}

async function complete(
  deps: SendingDeps,
  upload: StoredUpload,
  multipart: Multipart,
  parts: readonly (readonly [number, SentPart])[],
  signal: AbortSignal,
): Promise<string> {
  const expected = await compositeDigest(parts.map(([, { digest }]) => digest));
  const digest = await askToComplete(deps, upload, multipart, parts, signal);
  // What S3 says it holds is compared before anything is written that vouches for it.
  if (digest !== expected.text)
    throw new HalfkeyError('digest_mismatch', 'the store holds other bytes than were sent');
  return digest;
}

/**
 * An answer to an earlier completion may have been lost: then S3 has the blob, and no upload any more.
 * @returns undefined when S3 does not have it
 */
async function findCompleted(
  deps: SendingDeps,
  upload: StoredUpload,
  multipart: Multipart,
  supply: PartSupply,
  signal: AbortSignal,
): Promise<string | undefined> {
  const parts: [number, SentPart][] = [];
  for (let partNumber = 1; partNumber <= upload.partCount; partNumber++) {
    const digest = supply.known(partNumber) ?? (await supply.part(partNumber)).digest;
    parts.push([partNumber, { etag: NO_ETAG, digest }]);
  }
  try {
    return await askToComplete(deps, upload, multipart, parts, signal);
  } catch (error) {
    const isAbsent = error instanceof HalfkeyError && NOT_COMPLETED.has(error.code);
    if (isAbsent) return undefined;
    throw error;
  }
}

async function askToComplete(
  { broker, connection }: SendingDeps,
  upload: StoredUpload,
  multipart: Multipart,
  parts: readonly (readonly [number, SentPart])[],
  signal: AbortSignal,
): Promise<string> {
  const { vault } = upload;
  const request = {
    ...multipart,
    sizeBytes: upload.sealedBytes,
    parts: parts.map(([partNumber, { etag, digest }]) => ({ partNumber, etag, sha256: toB64(digest) })),
  };
  const call = () => broker.call(uploadComplete, request, { vault, signal, timeoutMs: COMPLETE_TIMEOUT_MS });
  let isRepeated = false;
  const { digest } = await connection.broker.attempt(async () => {
    try {
      return await call();
    } catch (error) {
      if (!isRepeated || !(error instanceof HalfkeyError) || error.code !== 'upload_lost') throw error;
      // The request whose answer was lost may still be at work: until it is done S3 knows neither upload nor blob.
      throw new HalfkeyError('store_unreachable', 'the parts may be being put together', { cause: error });
    } finally {
      isRepeated = true;
    }
  }, signal);
  return digest;
}
