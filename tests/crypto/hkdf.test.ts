import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/lib/bytes.ts';
import { sealAad } from '../../src/lib/crypto/aad.ts';
import { deriveKey, derivationInfo, hkdf } from '../../src/lib/crypto/hkdf.ts';
import derivations from '../vectors/derivations.json';
import { fromHex } from './hex.ts';

const NO_SALT = new Uint8Array(0);

describe('HKDF-SHA-256, known answers of RFC 5869, appendix A', () => {
  test.each([
    {
      name: 'A.1, basic',
      ikm: '0b'.repeat(22),
      salt: '000102030405060708090a0b0c',
      info: 'f0f1f2f3f4f5f6f7f8f9',
      okm: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    },
    {
      name: 'A.2, longer inputs',
      ikm: counting(0x00, 80),
      salt: counting(0x60, 80),
      info: counting(0xb0, 80),
      okm: 'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
    },
    {
      name: 'A.3, without salt and info',
      ikm: '0b'.repeat(22),
      salt: '',
      info: '',
      okm: '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    },
  ])('gives what RFC 5869 says for $name', async ({ ikm, salt, info, okm }) => {
    const derived = await hkdf(fromHex(ikm), fromHex(salt), fromHex(info), okm.length / 2);
    expect(toHex(derived)).toBe(okm);
  });

  test('gives 32 bytes unless told otherwise', async () => {
    expect(await hkdf(fromHex('00'), NO_SALT, NO_SALT)).toHaveLength(32);
  });
});

describe('derivations', () => {
  test.each(derivations)(
    '$purpose of $ids is what node:crypto gave',
    async ({ purpose, ikm, salt, info, key, ids }) => {
      const fields = ids.map((id) => (typeof id === 'string' ? id : fromHex(id.hex)));
      expect(toHex(derivationInfo(purpose, ...fields))).toBe(info);
      expect(toHex(await hkdf(fromHex(ikm), fromHex(salt), fromHex(info)))).toBe(key);
    },
  );

  test('are made by one call wherever there is no salt', async () => {
    const unsalted = derivations.filter(({ salt }) => salt === '');
    const keys = unsalted.map(({ ikm, purpose, ids }) => {
      const fields = ids.map((id) => (typeof id === 'string' ? id : fromHex(id.hex)));
      return deriveKey(fromHex(ikm), purpose, ...fields);
    });
    expect(unsalted.length).toBeGreaterThan(5);
    expect((await Promise.all(keys)).map(toHex)).toEqual(unsalted.map(({ key }) => key));
  });

  test('differ from each other, all of them', () => {
    expect(new Set(derivations.map(({ key }) => key)).size).toBe(derivations.length);
  });
});

describe('the AAD of a sealed thing', () => {
  test('is suite, type, owner, id and epoch, each behind its length', () => {
    expect(toHex(sealAad('content', 'v', 'blob', 258))).toBe(
      '00000009' +
        '68616c666b65792f31' + // halfkey/1
        '00000007' +
        '636f6e74656e74' +
        '00000001' +
        '76' +
        '00000004' +
        '626c6f62' +
        '00000004' +
        '00000102',
    );
  });

  test('differs with each of its parts', () => {
    const all = [
      sealAad('journal', 'owner', 'id', 1),
      sealAad('snapshot', 'owner', 'id', 1),
      sealAad('journal', 'owneri', 'd', 1),
      sealAad('journal', 'owner', 'id', 2),
      sealAad('journal', 'owner', 'ie', 1),
    ];
    expect(new Set(all.map(toHex)).size).toBe(all.length);
  });

  test.each([-1, 0.5, 2 ** 32])('has no epoch %d', (epoch) => {
    expect(() => sealAad('journal', 'owner', 'id', epoch)).toThrow(RangeError);
  });
});

function counting(first: number, count: number): string {
  return toHex(Uint8Array.from({ length: count }, (_, index) => first + index));
}
