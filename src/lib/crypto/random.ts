import { HalfkeyError } from '../errors.ts';
import { toB64Url, type Bytes } from '../bytes.ts';

const REMEMBERED_OUTPUTS = 65_536; // About 5 MB at most; a generator that loops, loops sooner.
const SHORTEST_CHECKED_BYTES = 12; // A nonce. Shorter outputs may repeat by chance.
const FINGERPRINT_BYTES = 16;
const ID_BYTES = 16;

const seen = new Set<string>();
const inOrder: string[] = []; // A ring. (A Set's own first element is slow to find once many were deleted.)
let next = 0;

/**
 * Bytes of the platform's CSPRNG that are no secret: ids, salts, IVs, nonces. Every output of 12 bytes or more is
 * compared with the last 65,536 of this process: a generator that repeats itself would repeat nonces and keys, and is
 * refused.
 *
 * @param sizeBytes 1 to 65,536
 * @throws {HalfkeyError} `browser_lacks` when the generator repeats an output
 */
export function randomBytes(sizeBytes: number): Bytes {
  const bytes = crypto.getRandomValues(new Uint8Array(sizeBytes));
  if (sizeBytes >= SHORTEST_CHECKED_BYTES) refuseRepeated(bytes);
  return bytes;
}

/**
 * Bytes for a key, or for anything else that must stay secret. They are remembered nowhere, so that what is wiped is
 * gone: an output that is thrown away is compared in their place, which a generator that is stuck, was cloned, or loops
 * repeats as well.
 *
 * @param sizeBytes 1 to 65,536
 * @throws {HalfkeyError} as `randomBytes`
 */
export function randomSecret(sizeBytes: number): Bytes {
  randomBytes(FINGERPRINT_BYTES);
  return crypto.getRandomValues(new Uint8Array(sizeBytes));
}

/** A new id: 128 random bits in base64url, 22 characters. @throws {HalfkeyError} as `randomBytes` */
export function randomId(): string {
  return toB64Url(randomBytes(ID_BYTES));
}

function refuseRepeated(bytes: Bytes): void {
  const fingerprint = String.fromCharCode(...bytes.subarray(0, FINGERPRINT_BYTES));
  if (seen.has(fingerprint)) {
    throw new HalfkeyError('browser_lacks', 'the random generator repeated an output', {
      detail: { feature: 'crypto.getRandomValues' },
    });
  }
  const oldest = inOrder[next];
  if (oldest !== undefined) seen.delete(oldest);
  seen.add(fingerprint);
  inOrder[next] = fingerprint;
  next = (next + 1) % REMEMBERED_OUTPUTS;
}
