import { createCipheriv, createHmac } from 'node:crypto';

// The attack of "Invisible salamanders" (Dodis et al., CRYPTO 2018, §3): one GCM ciphertext and tag that two keys open.
// GHASH is linear, so a single free block settles that both tags agree. Bit 0 of an element is the most significant of
// byte 0 (NIST SP 800-38D §6.3).

const R = 0xe1n << 120n;
const BLOCK_BYTES = 16;

function multiply(x: bigint, y: bigint): bigint {
  let product = 0n;
  let shifted = y;
  for (let bit = 127n; bit >= 0n; bit--) {
    if ((x >> bit) & 1n) product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ R : shifted >> 1n;
  }
  return product;
}

/** x^(2^128 − 2), which is the inverse. */
function inverse(x: bigint): bigint {
  let result = 1n << 127n; // One.
  let power = x;
  for (let bit = 1; bit < 128; bit++) {
    power = multiply(power, power);
    result = multiply(result, power);
  }
  return result;
}

const toBlock = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
const fromBlock = (block: bigint): Buffer => Buffer.from(block.toString(16).padStart(32, '0'), 'hex');

function encryptBlock(key: Uint8Array, block: Uint8Array): bigint {
  const cipher = createCipheriv('aes-256-ecb', key, null);
  cipher.setAutoPadding(false);
  return toBlock(cipher.update(block));
}

function blocksOf(bytes: Uint8Array): bigint[] {
  const padded = Buffer.concat([
    bytes,
    Buffer.alloc((BLOCK_BYTES - (bytes.length % BLOCK_BYTES)) % BLOCK_BYTES),
  ]);
  return Array.from({ length: padded.length / BLOCK_BYTES }, (_, index) =>
    toBlock(padded.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES)),
  );
}

/**
 * A ciphertext with its tag behind it that AES-256-GCM opens under both keys, to different plaintexts.
 * @param bodyBytes whole blocks; the last is the one that is settled
 */
export function collide(
  keys: readonly [Uint8Array, Uint8Array],
  nonce: Uint8Array,
  aad: Uint8Array,
  bodyBytes: number,
): Buffer {
  const body = Buffer.alloc(bodyBytes, 0x5a);
  const lengths = Buffer.alloc(BLOCK_BYTES);
  lengths.writeBigUInt64BE(BigInt(8 * aad.length));
  lengths.writeBigUInt64BE(BigInt(8 * bodyBytes), 8);
  body.fill(0, bodyBytes - BLOCK_BYTES); // The free block counts nothing yet.
  const sides = keys.map((key) => {
    const h = encryptBlock(key, Buffer.alloc(BLOCK_BYTES));
    const mask = encryptBlock(key, Buffer.concat([nonce, Buffer.from([0, 0, 0, 1])]));
    const hash = [...blocksOf(aad), ...blocksOf(body), toBlock(lengths)].reduce(
      (sum, block) => multiply(sum ^ block, h),
      0n,
    );
    return { tag: hash ^ mask, weight: multiply(h, h) };
  });
  const [one, other] = sides;
  if (!one || !other) throw new TypeError('expected two keys');
  const free = multiply(one.tag ^ other.tag, inverse(one.weight ^ other.weight));
  fromBlock(free).copy(body, bodyBytes - BLOCK_BYTES);
  return Buffer.concat([body, fromBlock(one.tag ^ multiply(free, one.weight))]);
}

/**
 * The key under which FLOE seals the first segments of a message (c2sp.org/FLOE): what the attacker, who has the key,
 * derives.
 */
export function floeSegmentKey(key: Uint8Array, header: Uint8Array, aad: Uint8Array): Buffer {
  const context = header.subarray(0, 42);
  const derive = (from: Uint8Array, purpose: Uint8Array, sizeBytes: number): Buffer =>
    createHmac('sha384', from)
      .update(Buffer.concat([context, purpose, aad, Buffer.from([1])]))
      .digest()
      .subarray(0, sizeBytes);
  const message = derive(key, Buffer.from('MESSAGE_KEY:'), 48);
  return derive(message, Buffer.concat([Buffer.from('DEK:'), Buffer.alloc(8)]), 32);
}
