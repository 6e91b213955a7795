import { afterEach, describe, expect, test, vi } from 'vitest';
import { concat, lengthPrefixed, toHex, u32be, utf8, type Bytes } from '../../src/lib/bytes.ts';
import { sealAad } from '../../src/lib/crypto/aad.ts';
import { sha256 } from '../../src/lib/crypto/digest.ts';
import { openEnvelope, sealEnvelope, type Envelope } from '../../src/lib/crypto/envelope.ts';
import { open } from '../../src/lib/crypto/floe.ts';
import { derivationInfo, hkdf } from '../../src/lib/crypto/hkdf.ts';
import { randomBytes } from '../../src/lib/crypto/random.ts';
import { fromHex } from './hex.ts';
import { refusal, refusalCode } from './refusal.ts';

const CONTENT_KEY = fromHex('c0'.repeat(32));
const HALVES = { kmsHalf: fromHex('0a'.repeat(32)), vaultKey: fromHex('0b'.repeat(32)) };
const BINDING = { purpose: 'file', vault: 'eu-central-1:v', blob: 'b1', epoch: 3 } as const;
const KMS_BLOB = utf8('what KMS gave for this half');
const INPUT = { ...HALVES, ...BINDING };
const ENVELOPE = await sealEnvelope({ ...INPUT, contentKey: CONTENT_KEY, kmsBlob: KMS_BLOB });

afterEach(() => {
  vi.restoreAllMocks();
});

describe('an envelope', () => {
  test('gives the content key back to both halves', async () => {
    expect(ENVELOPE.suite).toBe('halfkey/1');
    expect(ENVELOPE.salt).toHaveLength(32);
    expect(ENVELOPE.sealedKey).toHaveLength(138);
    expect(await openEnvelope({ ...INPUT, envelope: ENVELOPE })).toEqual(CONTENT_KEY);
  });

  test('is what docs/FORMAT.md says', async () => {
    const ikm = concat(HALVES.kmsHalf, HALVES.vaultKey);
    const info = derivationInfo('file', BINDING.vault, BINDING.blob, u32be(BINDING.epoch));
    const kek = await hkdf(ikm, ENVELOPE.salt, info);
    const aad = lengthPrefixed(
      ...['halfkey/1', 'content-key', BINDING.vault, BINDING.blob],
      u32be(BINDING.epoch),
      await sha256(KMS_BLOB),
    );
    expect(await open(kek, aad, ENVELOPE.sealedKey)).toEqual(CONTENT_KEY);
  });

  test('has a salt and a ciphertext of its own each time', async () => {
    const again = await sealEnvelope({ ...INPUT, contentKey: CONTENT_KEY, kmsBlob: KMS_BLOB });
    expect(toHex(again.salt)).not.toBe(toHex(ENVELOPE.salt));
    expect(toHex(again.sealedKey)).not.toBe(toHex(ENVELOPE.sealedKey));
  });
});

test.each([
  ['sealed', () => sealEnvelope({ ...INPUT, contentKey: CONTENT_KEY, kmsBlob: KMS_BLOB })],
  ['opened', () => openEnvelope({ ...INPUT, envelope: ENVELOPE })],
])('of what it was %s with nothing stays in memory', async (_, use) => {
  const imported = vi.spyOn(crypto.subtle, 'importKey');
  const derived = vi.spyOn(crypto.subtle, 'deriveBits');
  await use();
  const joined = imported.mock.calls.flatMap(([, bytes, algorithm]) => (algorithm === 'HKDF' ? [bytes] : []));
  expect(joined).toEqual([new Uint8Array(64)]);
  const wrapping = derived.mock.settledResults.map(({ value }) => new Uint8Array(value as ArrayBuffer));
  expect(wrapping).toEqual([new Uint8Array(32)]);
});

describe('a wrong half', () => {
  test('of KMS is told apart from damage', async () => {
    const wrong = openEnvelope({ ...INPUT, kmsHalf: randomBytes(32), envelope: ENVELOPE });
    expect(await refusalCode(wrong)).toBe('kms_half_wrong');
  });

  test('of the vault, or both exchanged, opens nothing', async () => {
    const other = openEnvelope({ ...INPUT, vaultKey: randomBytes(32), envelope: ENVELOPE });
    expect(await refusalCode(other)).toBe('kms_half_wrong');
    const { kmsHalf: vaultKey, vaultKey: kmsHalf } = HALVES;
    const exchanged = openEnvelope({ ...INPUT, kmsHalf, vaultKey, envelope: ENVELOPE });
    expect(await refusalCode(exchanged)).toBe('kms_half_wrong');
  });

  test('alone does not open it: every other KMS half or vault key gives another KEK', async () => {
    // B4: all that the broker knows, with a vault key of zeros in place of the one it lacks.
    const vaultKey = new Uint8Array(32);
    expect(await refusalCode(openEnvelope({ ...INPUT, vaultKey, envelope: ENVELOPE }))).toBe(
      'kms_half_wrong',
    );
  });

  test.each([0, 31, 33, 64])('of KMS with %d bytes is refused, on sealing too', async (sizeBytes) => {
    const kmsHalf = new Uint8Array(sizeBytes);
    expect(await refusalCode(openEnvelope({ ...INPUT, kmsHalf, envelope: ENVELOPE }))).toBe('kms_half_wrong');
    const sealing = sealEnvelope({ ...INPUT, kmsHalf, contentKey: CONTENT_KEY, kmsBlob: KMS_BLOB });
    expect(await refusalCode(sealing)).toBe('kms_half_wrong');
  });

  test('of our own with another size is a programming error', async () => {
    const vaultKey = new Uint8Array(33);
    await expect(openEnvelope({ ...INPUT, vaultKey, envelope: ENVELOPE })).rejects.toThrow(RangeError);
    const contentKey = new Uint8Array(31);
    await expect(sealEnvelope({ ...INPUT, contentKey, kmsBlob: KMS_BLOB })).rejects.toThrow(RangeError);
  });
});

describe('an envelope in another place', () => {
  test.each([
    { name: 'vault', change: { vault: 'eu-central-1:w' } },
    { name: 'blob', change: { blob: 'b2' } },
    { name: 'vault and blob, their letters moved', change: { vault: 'eu-central-1:vb', blob: '1' } },
  ])('of another $name does not open', async ({ change }) => {
    expect(await refusalCode(openEnvelope({ ...INPUT, ...change, envelope: ENVELOPE }))).toBe(
      'kms_half_wrong',
    );
  });

  test('of another purpose is refused before anything is derived', async () => {
    const binding = { ...INPUT, purpose: 'inbox' } as const;
    expect(await refusalCode(openEnvelope({ ...binding, envelope: ENVELOPE }))).toBe('envelope_corrupt');
    const relabelled = { ...ENVELOPE, purpose: 'inbox' } as const;
    expect(await refusalCode(openEnvelope({ ...binding, envelope: relabelled }))).toBe('kms_half_wrong');
  });

  test('of another epoch is refused before anything is derived', async () => {
    expect(await refusalCode(openEnvelope({ ...INPUT, epoch: 4, envelope: ENVELOPE }))).toBe(
      'envelope_corrupt',
    );
    const relabelled = { ...ENVELOPE, epoch: 4 };
    expect(await refusalCode(openEnvelope({ ...INPUT, envelope: relabelled }))).toBe('envelope_corrupt');
    expect(await refusalCode(openEnvelope({ ...INPUT, epoch: 4, envelope: relabelled }))).toBe(
      'kms_half_wrong',
    );
  });

  test('with another blob’s sealed key, salt or KMS blob does not open', async () => {
    const other = await sealEnvelope({ ...INPUT, contentKey: CONTENT_KEY, kmsBlob: utf8('another') });
    for (const field of ['sealedKey', 'salt', 'kmsBlob'] as const) {
      const mixed = { ...ENVELOPE, [field]: other[field] };
      expect(await refusalCode(openEnvelope({ ...INPUT, envelope: mixed }))).toBe('kms_half_wrong');
    }
  });

  test('of another suite is unknown', async () => {
    for (const suite of ['halfkey/2', 'halfkey/0', 'halfkey/1 ', 'HALFKEY/1', '']) {
      const other = { ...ENVELOPE, suite } as unknown as Envelope;
      expect(await refusalCode(openEnvelope({ ...INPUT, envelope: other }))).toBe('format_unknown');
    }
  });
});

describe('bits flipped', () => {
  test('each one of the sealed key, the salt and the KMS blob: refused, and by the same code wherever the key does not fit', async () => {
    for (const field of ['sealedKey', 'salt', 'kmsBlob'] as const) {
      for (let bit = 0; bit < 8 * ENVELOPE[field].length; bit++) {
        const envelope = { ...ENVELOPE, [field]: flip(ENVELOPE[field], bit) };
        const error = await refusal(openEnvelope({ ...INPUT, envelope }));
        const byte = Math.floor(bit / 8);
        // Parameters (10 bytes) and segment (from byte 74) are damage; IV and header tag cannot be told from another
        // key.
        const damaged = field === 'sealedKey' && (byte < 10 || byte >= 74);
        expect(error.code).toBe(damaged ? 'envelope_corrupt' : 'kms_half_wrong');
      }
    }
  });

  test('each one of both halves: refused', async () => {
    for (const field of ['kmsHalf', 'vaultKey'] as const) {
      for (let bit = 0; bit < 256; bit++) {
        const changed = { ...INPUT, [field]: flip(INPUT[field], bit) };
        expect(await refusalCode(openEnvelope({ ...changed, envelope: ENVELOPE }))).toBe('kms_half_wrong');
      }
    }
  });

  test('fields of another length: refused', async () => {
    for (const field of ['sealedKey', 'salt'] as const) {
      for (const bytes of [ENVELOPE[field].slice(1), concat(ENVELOPE[field], u32be(0)), new Uint8Array(0)]) {
        const envelope = { ...ENVELOPE, [field]: bytes };
        expect(await refusalCode(openEnvelope({ ...INPUT, envelope }))).toBe('envelope_corrupt');
      }
    }
    const envelope = { ...ENVELOPE, kmsBlob: new Uint8Array(0) };
    expect(await refusalCode(openEnvelope({ ...INPUT, envelope }))).toBe('kms_half_wrong');
  });
});

test('what is sealed as a content key does not open as anything else', async () => {
  const info = derivationInfo('file', BINDING.vault, BINDING.blob, u32be(BINDING.epoch));
  const kek = await hkdf(concat(HALVES.kmsHalf, HALVES.vaultKey), ENVELOPE.salt, info);
  const aad = sealAad('content-key', BINDING.vault, BINDING.blob, BINDING.epoch);
  expect(await refusalCode(open(kek, aad, ENVELOPE.sealedKey))).toBe('key_mismatch');
});

function flip(bytes: Bytes, bit: number): Bytes {
  const flipped = bytes.slice();
  const index = Math.floor(bit / 8);
  flipped[index] = (flipped[index] ?? 0) ^ (1 << (bit % 8));
  return flipped;
}
