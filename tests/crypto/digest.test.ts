import { describe, expect, test } from 'vitest';
import { concat, toB64, toHex, utf8 } from '../../src/lib/bytes.ts';
import { compositeDigest, sha256 } from '../../src/lib/crypto/digest.ts';

describe('SHA-256, known answers of FIPS 180', () => {
  test.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
  ])('is what was published for "%s"', async (text, hex) => {
    expect(toHex(await sha256(utf8(text)))).toBe(hex);
  });

  test('of a view is that of the view alone', async () => {
    const view = utf8('xxabcxx').subarray(2, 5);
    expect(await sha256(view)).toEqual(await sha256(utf8('abc')));
  });
});

describe('the composite digest', () => {
  test('is the digest of the digests, written as S3 does', async () => {
    const parts = [await sha256(utf8('part one')), await sha256(utf8('part two'))];
    const { digest, text } = await compositeDigest(parts);
    expect(digest).toEqual(await sha256(concat(...parts)));
    expect(text).toBe(`${toB64(digest)}-2`);
  });

  test('of one part is not that part’s digest', async () => {
    const part = await sha256(utf8('alone'));
    const { digest, text } = await compositeDigest([part]);
    expect(digest).not.toEqual(part);
    expect(text).toMatch(/^[A-Za-z0-9+/]{43}=-1$/);
  });

  test('depends on the order', async () => {
    const [a, b] = [await sha256(utf8('a')), await sha256(utf8('b'))];
    expect((await compositeDigest([a, b])).text).not.toBe((await compositeDigest([b, a])).text);
  });

  test('of no part is refused', async () => {
    await expect(compositeDigest([])).rejects.toThrow(RangeError);
  });
});
