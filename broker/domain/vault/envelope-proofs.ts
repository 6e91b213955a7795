import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { KeyPurpose } from '../../contract/envelope.ts';
import type { BlobId, VaultId } from '../../contract/ids.ts';
import { LIMITS } from '../../contract/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import { lengthPrefixed } from '../state/length-prefixed.ts';

/** A half that was made with a grant, and the one envelope that it is for. */
interface MadeHalf {
  readonly vault: VaultId;
  readonly blob: BlobId;
  /** Of the vault key. */
  readonly epoch: number;
  readonly purpose: KeyPurpose;
  readonly kmsBlob: Uint8Array;
}

/**
 * What `generate` gives out with a half, so that its envelope can be written after the grant has ended, and no other:
 * anyone who only has a session can put nothing at a place that a file is to have.
 */
export interface EnvelopeProofs {
  /** Base64url of 40 bytes: its end (u64be, ms since 1970), HMAC-SHA-256. */
  issue(half: MadeHalf): string;
  holds(half: MadeHalf, proof: string): boolean;
}

const END_BYTES = 8;

/** @param key 32 bytes, from `broker/setup` */
export function createEnvelopeProofs(key: Uint8Array, clock: Clock): EnvelopeProofs {
  function macOf({ vault, blob, epoch, purpose, kmsBlob }: MadeHalf, end: Uint8Array): Buffer {
    const kmsBlobHash = createHash('sha256').update(kmsBlob).digest();
    return createHmac('sha256', key)
      .update(lengthPrefixed('halfkey/envelope/1', vault, blob, String(epoch), purpose, kmsBlobHash, end))
      .digest();
  }

  return {
    issue(half) {
      const end = Buffer.alloc(END_BYTES);
      end.writeBigUInt64BE(BigInt(clock() + LIMITS.envelopeSeconds * 1000));
      return Buffer.concat([end, macOf(half, end)]).toString('base64url');
    },
    holds(half, proof) {
      const bytes = Buffer.from(proof, 'base64url');
      const mac = bytes.subarray(END_BYTES);
      const expected = macOf(half, bytes.subarray(0, END_BYTES));
      if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) return false;
      return bytes.readBigUInt64BE() > BigInt(clock());
    },
  };
}
