import type { Bytes } from '../bytes.ts';

/** One key of 128 fails below: four in a row are one of 10⁸. */
const TRIES = 4;

/**
 * WebKitGTK (2.50, by libgcrypt) drops a private or public key's leading zero byte, and then has no key: it fails to
 * make one Ed25519 key of 128 and one X25519 key of 256, with an OperationError that says nothing, and makes the next.
 * What fails for another reason fails each time.
 */
export async function madeAgain<Result>(make: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; tries < TRIES; tries += 1) {
    try {
      return await make();
    } catch {
      // Asked again.
    }
  }
  return make();
}

/**
 * Whether every engine can import this private key of 32 bytes: WebKitGTK cannot where it starts with a zero byte. A
 * key that is to travel is drawn anew until it is one of these (docs/FORMAT.md §2).
 */
export function isPortable(privateKey: Bytes): boolean {
  return privateKey[0] !== 0;
}
