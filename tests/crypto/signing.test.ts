import { describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../../src/lib/bytes.ts';
import { generateDeviceKeyPair, sign, signingKeyFromSeed, verify } from '../../src/lib/crypto/signing.ts';
import { fromHex } from './hex.ts';

// RFC 8032 §7.1
const VECTORS = [
  {
    name: 'TEST 1',
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    name: 'TEST 2',
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    name: 'TEST 3',
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
];

describe('Ed25519, known answers of RFC 8032', () => {
  test.each(VECTORS)(
    'makes and takes the signature of $name',
    async ({ seed, publicKey, message, signature }) => {
      const pair = await signingKeyFromSeed(fromHex(seed));
      expect(toHex(pair.publicKey)).toBe(publicKey);
      expect(toHex(await sign(pair.privateKey, fromHex(message)))).toBe(signature);
      expect(await verify(fromHex(publicKey), fromHex(message), fromHex(signature))).toBe(true);
    },
  );
});

describe('a signature', () => {
  const signed = async () => {
    const pair = await generateDeviceKeyPair();
    const message = utf8('halfkey/1 signs this');
    return { ...pair, message, signature: await sign(pair.privateKey, message) };
  };

  test('verifies under its own key and message only', async () => {
    const { publicKey, message, signature } = await signed();
    expect(signature).toHaveLength(64);
    expect(await verify(publicKey, message, signature)).toBe(true);
    expect(await verify(publicKey, utf8('halfkey/1 signs that'), signature)).toBe(false);
    expect(await verify((await generateDeviceKeyPair()).publicKey, message, signature)).toBe(false);
  });

  test('with any bit of it, of the message or of the key flipped does not verify', async () => {
    const { publicKey, message, signature } = await signed();
    for (const [index, whole] of [publicKey, message, signature].entries()) {
      for (let bit = 0; bit < 8 * whole.length; bit++) {
        const parts = [publicKey.slice(), message.slice(), signature.slice()] as const;
        const changed = parts[index] ?? message;
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(await verify(...parts)).toBe(false);
      }
    }
  });

  test('whose second half is not reduced does not verify (RFC 8032 §5.1.7)', async () => {
    const { publicKey, message, signature } = await signed();
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s =
      [...signature.subarray(32)].reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n) + order;
    const forged = signature.slice();
    for (let index = 0; index < 32; index++) forged[32 + index] = Number((s >> BigInt(8 * index)) & 0xffn);
    expect(await verify(publicKey, message, forged)).toBe(false);
  });

  test.each([0, 31, 33, 63, 65])(
    'or key of %d bytes does not verify, and does not throw',
    async (sizeBytes) => {
      const { publicKey, message, signature } = await signed();
      expect(await verify(new Uint8Array(sizeBytes), message, signature)).toBe(false);
      expect(await verify(publicKey, message, new Uint8Array(sizeBytes))).toBe(false);
    },
  );

  test('under a key that is no point does not verify, and does not throw', async () => {
    const { message, signature } = await signed();
    expect(await verify(fromHex('02' + '00'.repeat(31)), message, signature)).toBe(false);
    expect(await verify(fromHex('ff'.repeat(32)), message, signature)).toBe(false);
  });
});

describe('a private key', () => {
  test('of a device or of a seed cannot be extracted', async () => {
    const pairs = [await generateDeviceKeyPair(), await signingKeyFromSeed(fromHex('05'.repeat(32)))];
    for (const { privateKey } of pairs) {
      expect(privateKey.extractable).toBe(false);
      await expect(crypto.subtle.exportKey('pkcs8', privateKey)).rejects.toThrow();
      await expect(crypto.subtle.exportKey('jwk', privateKey)).rejects.toThrow();
    }
  });

  test.each([0, 31, 33, 64])('of a seed of %d bytes does not exist', async (sizeBytes) => {
    await expect(signingKeyFromSeed(new Uint8Array(sizeBytes))).rejects.toThrow(RangeError);
  });
});
