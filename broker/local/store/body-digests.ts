import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Bodies up to this size are in the log, beside their record. */
export const INLINE_BYTES = 64 * 1024;

/** What was computed of a body; base64 but for the ETag. */
export interface BodyDigestValues {
  /** Without quotes: MD5 in hex, or SHA-256 in hex of a big body whose SHA-256 was asked for. */
  readonly etag: string;
  readonly sha256Hex: string | undefined;
  readonly sha256B64: string | undefined;
  readonly crc32B64: string | undefined;
  readonly md5B64: string | undefined;
}

/**
 * Digests of a body as it streams by. MD5 costs twice as much as SHA-256 and S3 promises it for plain bodies only (an
 * ETag is opaque, and not the MD5 of objects under SSE-KMS); so a big body that carries a SHA-256 gets an ETag from
 * that, which cannot be taken for an MD5 because it is longer.
 */
export class BodyDigests {
  #md5: Hash | undefined = createHash('md5');
  readonly #sha256: Hash | undefined;
  readonly #wantsMd5: boolean;
  readonly #wantsCrc32: boolean;
  #crc32 = 0;
  #sizeBytes = 0;

  constructor(wants: { sha256: boolean; crc32: boolean; md5: boolean }) {
    this.#sha256 = wants.sha256 ? createHash('sha256') : undefined;
    this.#wantsCrc32 = wants.crc32;
    this.#wantsMd5 = wants.md5 || !wants.sha256;
  }

  update(bytes: Uint8Array): void {
    this.#sizeBytes += bytes.length;
    if (!this.#wantsMd5 && this.#sizeBytes > INLINE_BYTES) this.#md5 = undefined;
    this.#md5?.update(bytes);
    this.#sha256?.update(bytes);
    if (this.#wantsCrc32) this.#crc32 = crc32(bytes, this.#crc32);
  }

  /** Ends the computation; once only. */
  finish(): BodyDigestValues {
    const md5 = this.#md5?.digest();
    const sha256 = this.#sha256?.digest();
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(this.#crc32);
    return {
      etag: (md5 ?? sha256 ?? Buffer.alloc(0)).toString('hex'),
      sha256Hex: sha256?.toString('hex'),
      sha256B64: sha256?.toString('base64'),
      crc32B64: this.#wantsCrc32 ? crc.toString('base64') : undefined,
      md5B64: md5?.toString('base64'),
    };
  }
}
