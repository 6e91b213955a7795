import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/lib/bytes.ts';
import { newStretching, stretch, type Stretching } from '../../src/lib/crypto/stretching.ts';
import { refusalCode } from './refusal.ts';

const PINNED: Stretching = {
  salt: Uint8Array.from({ length: 16 }, (_, index) => index),
  memoryKib: 65_536,
  passes: 3,
  lanes: 4,
};

// Argon2id, version 0x13, 32 bytes: computed with the independent implementation in @noble/hashes 2.0.
describe('Argon2id, known answers', () => {
  test.each([
    [
      'zebra-quick-violin-under-major-pond',
      'e45fe6163f0437ca474364399066786ad380d13fd4c05529502c8c6df3a2e520',
    ],
    ['pä55wörd 12 Ω', '2320a0fc41cf868625c0d274f1fc0a581eab929c0ea54f9c3106cac0c5d32d62'],
  ])('makes of %j the key that another implementation makes', async (passphrase, key) => {
    expect(toHex(await stretch(passphrase, PINNED))).toBe(key);
  });
});

test('a new stretching has the pinned parameters and a salt of its own', () => {
  const [one, other] = [newStretching(), newStretching()];
  expect(one).toEqual({ ...PINNED, salt: one.salt });
  expect(one.salt).toHaveLength(16);
  expect(one.salt).not.toEqual(other.salt);
});
describe('parameters other than the pinned ones', () => {
  test.each([
    ['one KiB less', { memoryKib: 65_535 }],
    ['8 KiB', { memoryKib: 8 }],
    ['none', { memoryKib: 0 }],
    ['less than none', { memoryKib: -1 }],
    ['two passes', { passes: 2 }],
    ['no pass', { passes: 0 }],
    ['a salt of 15 bytes', { salt: new Uint8Array(15) }],
    ['no salt', { salt: new Uint8Array() }],
  ])('are refused as weaker: %s', async (_name, change) => {
    expect(await refusalCode(stretch('x', { ...PINNED, ...change }))).toBe('kdf_downgrade');
  });

  test.each([
    ['2 GiB', { memoryKib: 2_097_152 }],
    ['no whole number of KiB', { memoryKib: 65_536.5 }],
    ['no number', { memoryKib: Number.NaN }],
    ['no end', { memoryKib: Number.POSITIVE_INFINITY }],
    ['33 passes', { passes: 33 }],
    ['3.5 passes', { passes: 3.5 }],
    ['one lane', { lanes: 1 }],
    ['five lanes', { lanes: 5 }],
    ['a salt of 17 bytes', { salt: new Uint8Array(17) }],
  ])('are refused as impossible: %s', async (_name, change) => {
    expect(await refusalCode(stretch('x', { ...PINNED, ...change }))).toBe('device_state_lost');
  });

  test('are taken where they are stronger, and give another key', async () => {
    const key = await stretch('x', PINNED);
    expect(await stretch('x', { ...PINNED, passes: 4 })).not.toEqual(key);
  });
});
