import type { BlobId, VaultId } from '$contract/ids.ts';
import { blobGetUrls } from '$contract/vault-blobs.ts';
import { toB64, type Bytes } from '../../bytes.ts';
import { compositeDigest, sha256 } from '../../crypto/digest.ts';
import { HalfkeyError } from '../../errors.ts';
import type { Broker } from '../../remote/broker.ts';
import { getWhole } from '../../remote/s3.ts';
import type { StoredUpload } from '../../store/database.ts';
import { reportGarbage } from '../memory.ts';
import { sendParts } from './multipart.ts';
import type { PartSupply, ReadyPart, SendingDeps, SendingProgress } from './part-supply.ts';

/**
 * Sends a blob that is S3's whole at the end, wherever it stood: what S3 has is not sent again.
 *
 * @param upload as it is stored
 * @returns the digest that S3 says, which is that of what was sent
 * @throws {HalfkeyError} `digest_mismatch` when S3 holds other bytes under this id; `store_full`; `grant_missing` where
 *   so much of this device is on its way that more wants a code; `device_state_lost` when its record was removed
 *   meanwhile; AbortError
 */
export async function sendBlob(
  deps: SendingDeps,
  upload: StoredUpload,
  supply: PartSupply,
  signal: AbortSignal,
  progress: SendingProgress,
): Promise<string> {
  // A streamed part may be sealed twice, and only S3's parts tell which of them arrived: a single PUT would not.
  if (upload.partCount === 1 && upload.mode === 'device') {
    return sendWhole(deps, upload, await supply.part(1), signal, progress);
  }
  return sendParts(deps, upload, supply, signal, progress);
}

/** Up to here a PUT takes a home's line no longer than a round trip or a few. */
export const TINY_BYTES = 256 * 1024;

async function sendWhole(
  { broker, urls, put, connection, gate, tinyGate }: SendingDeps,
  upload: StoredUpload,
  { body, digest }: ReadyPart,
  signal: AbortSignal,
  { onSent }: SendingProgress,
): Promise<string> {
  const { blob, vault } = upload;
  const sha256B64 = toB64(digest);
  await connection.store.attempt(async () => {
    const wanted = { vault, blob, sizeBytes: body.size, sha256: sha256B64 };
    const url = await connection.broker.attempt(() => urls.ask(wanted, signal), signal);
    try {
      const line = body.size <= TINY_BYTES ? tinyGate : gate;
      await line.pass(() => put({ url, body, sha256B64, createOnly: true, signal, onProgress: onSent }));
    } catch (error) {
      if (!(error instanceof HalfkeyError) || error.code !== 'already_exists') throw error;
      // The answer to an earlier PUT was lost. The id is ours alone, but that these are its bytes is for the bytes to
      // say.
      await compareStored({ broker, vault }, blob, body.size, sha256B64, signal);
    }
  }, signal);
  onSent(body.size);
  reportGarbage(body.size);
  return sha256B64;
}

async function compareStored(
  { broker, vault }: { broker: Broker; vault: VaultId },
  blob: BlobId,
  sizeBytes: number,
  sha256B64: string,
  signal: AbortSignal,
): Promise<void> {
  const { urls } = await broker.call(blobGetUrls, { blobs: [blob] }, { vault, signal });
  const url = urls[0]?.url;
  if (url === undefined) throw new HalfkeyError('broker_unreachable', 'expected one URL, got none');
  const stored = await getWhole(url, sizeBytes, signal);
  if (toB64(await sha256(stored)) !== sha256B64) {
    throw new HalfkeyError('digest_mismatch', 'the store holds other bytes under this id');
  }
}

/** Of a blob's ciphertext as S3 writes it. @param parts of all parts in their order */
export async function digestOf(
  { partCount, mode }: Pick<StoredUpload, 'partCount' | 'mode'>,
  parts: readonly Bytes[],
): Promise<string> {
  const [only] = parts;
  return partCount === 1 && mode === 'device' && only ? toB64(only) : (await compositeDigest(parts)).text;
}
