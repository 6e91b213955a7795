import { expect, test } from 'vitest';
import { concat, u32be, u64be, utf8, type Bytes } from '../../src/lib/bytes.ts';
import { createOpener, createSealer, open } from '../../src/lib/crypto/floe.ts';
import { fromHex } from './hex.ts';
import { refusalCode } from './refusal.ts';

/*
 * ATTACKS A7. AES-GCM does not commit to its key: whoever knows two keys can make a ciphertext that both open, to different
 * plaintexts. Here is one, at FLOE's segment level; the header's tag is what refuses it.
 */

const AAD = utf8('two keys');
const [KEY_1, KEY_2] = [fromHex('31'.repeat(32)), fromHex('32'.repeat(32))];
const IV = fromHex('33'.repeat(32));
const NONCE = fromHex('340000000000000000000034');
const SEGMENT_AAD = concat(u64be(0), Uint8Array.of(1));

test('a segment that opens under two keys is made, but no ciphertext of it opens under both', async () => {
  const [dek1, dek2] = [await segmentKey(KEY_1), await segmentKey(KEY_2)];
  const body = await collide(dek1, dek2);
  const [bare1, bare2] = [await bareOpen(dek1, body), await bareOpen(dek2, body)];
  expect(bare1).not.toEqual(bare2); // GCM alone takes it under both keys.

  const segment = concat(u32be(16 + body.length), NONCE, body);
  const header1 = (await createSealer(KEY_1, AAD, { random: () => IV })).header;
  const header2 = (await createSealer(KEY_2, AAD, { random: () => IV })).header;
  expect(await open(KEY_1, AAD, concat(header1, segment))).toEqual(bare1);
  expect(await open(KEY_2, AAD, concat(header2, segment))).toEqual(bare2);
  expect(await refusalCode(createOpener(KEY_2, AAD, header1))).toBe('key_mismatch');
  expect(await refusalCode(createOpener(KEY_1, AAD, header2))).toBe('key_mismatch');
  expect(await refusalCode(open(KEY_2, AAD, concat(header1, segment)))).toBe('key_mismatch');
  expect(await refusalCode(open(KEY_1, AAD, concat(header2, segment)))).toBe('key_mismatch');
});

/**
 * Two blocks and a tag that both keys accept. With H the hash key and S the block that masks the tag, GCM's tag is
 * A·H⁴ + C₁·H³ + C₂·H² + L·H + S; the second block is chosen so that both keys' are equal.
 */
async function collide(dek1: Bytes, dek2: Bytes): Promise<Bytes> {
  const lengths = toField(concat(u64be(8 * SEGMENT_AAD.length), u64be(8 * 32)));
  const additional = toField(concat(SEGMENT_AAD, new Uint8Array(7)));
  const first = toField(utf8('salamander eats!'));
  const maskCounter = concat(NONCE, u32be(1));
  const sides = await Promise.all(
    [dek1, dek2].map(async (dek) => {
      const h = toField(await encryptBlock(dek, new Uint8Array(16)));
      const h2 = multiply(h, h);
      const mask = toField(await encryptBlock(dek, maskCounter));
      const h3 = multiply(h2, h);
      const known = multiply(additional, multiply(h3, h)) ^ multiply(first, h3) ^ multiply(lengths, h) ^ mask;
      return { h2, known };
    }),
  );
  const [one, two] = sides;
  if (!one || !two) throw new Error('expected two sides');
  const second = multiply(one.known ^ two.known, inverse(one.h2 ^ two.h2));
  const tag = one.known ^ multiply(second, one.h2);
  return concat(fromField(first), fromField(second), fromField(tag));
}

async function segmentKey(key: Bytes): Promise<Bytes> {
  const prefix = concat(fromHex('00000008000000000020'), IV);
  const messageKey = await hmac(key, concat(prefix, utf8('MESSAGE_KEY:'), AAD, Uint8Array.of(1)));
  const dek = await hmac(messageKey, concat(prefix, utf8('DEK:'), u64be(0), AAD, Uint8Array.of(1)));
  return dek.slice(0, 32);
}

async function hmac(key: Bytes, message: Bytes): Promise<Bytes> {
  const held = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-384' }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', held, message));
}

async function encryptBlock(key: Bytes, block: Bytes): Promise<Bytes> {
  const held = await crypto.subtle.importKey('raw', key, 'AES-CTR', false, ['encrypt']);
  const algorithm = { name: 'AES-CTR', counter: block, length: 32 };
  return new Uint8Array(await crypto.subtle.encrypt(algorithm, held, new Uint8Array(16)));
}

async function bareOpen(key: Bytes, body: Bytes): Promise<Bytes> {
  const held = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt']);
  const algorithm = { name: 'AES-GCM', iv: NONCE, additionalData: SEGMENT_AAD };
  return new Uint8Array(await crypto.subtle.decrypt(algorithm, held, body));
}

// GF(2^128) as GCM has it (NIST SP 800-38D §6.3): the first bit of the first byte is the coefficient of x^0.

const ONE = 1n << 127n;

function toField(block: Bytes): bigint {
  return block.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function fromField(value: bigint): Bytes {
  return fromHex(value.toString(16).padStart(32, '0'));
}

function multiply(a: bigint, b: bigint): bigint {
  let product = 0n;
  let shifted = b;
  for (let bit = ONE; bit > 0n; bit >>= 1n) {
    if (a & bit) product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ (0xe1n << 120n) : shifted >> 1n;
  }
  return product;
}

/** a^(2^128 − 2). */
function inverse(a: bigint): bigint {
  let result = ONE;
  let square = a;
  for (let round = 1; round < 128; round++) {
    square = multiply(square, square);
    result = multiply(result, square);
  }
  return result;
}
