import { concat, toB64, type Bytes } from '../bytes.ts';

/** SHA-256 (FIPS 180-4), 32 bytes. */
export async function sha256(bytes: Uint8Array): Promise<Bytes> {
  // WebCrypto refuses memory that another thread could change under it.
  const input = bytes.buffer instanceof ArrayBuffer ? (bytes as Bytes) : new Uint8Array(bytes);
  return new Uint8Array(await crypto.subtle.digest('SHA-256', input));
}

/**
 * The SHA-256 of the parts' SHA-256s: S3's composite checksum ("checksum of checksums") of a multipart upload.
 *
 * @param partDigests of all parts in their order, 32 bytes each, one at least
 * @returns the digest (32 bytes), and the text as S3 writes it: base64, "-", number of parts
 * @throws {RangeError} when there is no part
 */
export async function compositeDigest(
  partDigests: readonly Bytes[],
): Promise<{ digest: Bytes; text: string }> {
  if (partDigests.length === 0) throw new RangeError('expected the digest of one part at least');
  const digest = await sha256(concat(...partDigests));
  return { digest, text: `${toB64(digest)}-${String(partDigests.length)}` };
}
