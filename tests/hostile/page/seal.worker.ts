import { toHex, utf8 } from '../../../src/lib/bytes.ts';
import { createSealer } from '../../../src/lib/crypto/floe.ts';
import { randomBytes } from '../../../src/lib/crypto/random.ts';

const IV_OFFSET = 10;
const IV_BYTES = 32;
const NONCE_OFFSET = 4;
const NONCE_BYTES = 12;

// What the crypto worker does at each upload: a content key, a ciphertext's IV, a segment's nonce.
globalThis.onmessage = async ({ data: ciphertexts }: MessageEvent<number>) => {
  const made: string[] = [];
  const aad = utf8('a10');
  for (let count = 0; count < ciphertexts; count++) {
    const key = randomBytes(32);
    const sealer = await createSealer(key, aad);
    const segment = await sealer.sealSegment(0, key.subarray(0, 1), true);
    const nonce = segment.subarray(NONCE_OFFSET, NONCE_OFFSET + NONCE_BYTES);
    made.push(toHex(key), toHex(sealer.header.subarray(IV_OFFSET, IV_OFFSET + IV_BYTES)), toHex(nonce));
  }
  globalThis.postMessage(made);
};
