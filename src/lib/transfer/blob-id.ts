import type { BlobId } from '$contract/ids.ts';
import { randomId } from '../crypto/random.ts';

/** For a blob that there is not yet: 128 random bits, base64url. */
export function newBlobId(): BlobId {
  return randomId() as BlobId;
}
