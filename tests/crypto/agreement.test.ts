import { describe, expect, test, vi } from 'vitest';
import { concat, toHex, utf8 } from '../../src/lib/bytes.ts';
import { generateAgreementKeyPair, openFrom, sealTo } from '../../src/lib/crypto/agreement.ts';
import { fromHex } from './hex.ts';
import { refusalCode } from './refusal.ts';

const INFO = utf8('info');
const AAD = utf8('aad');
const PLAINTEXT = utf8('for your eyes');
const RECIPIENT = await generateAgreementKeyPair();
const SEALED = await sealTo(RECIPIENT.publicKey, INFO, AAD, PLAINTEXT);

/** As in WebKitGTK, now and then: the next key is not made. */
function failToMakeOneKey(): void {
  vi.spyOn(crypto.subtle, 'generateKey').mockRejectedValueOnce(new DOMException('', 'OperationError'));
}

describe('HPKE', () => {
  test('asks again for a key that the browser failed to make, and never calls that a wrong key', async () => {
    failToMakeOneKey();
    expect((await generateAgreementKeyPair()).publicKey).toHaveLength(32);
    failToMakeOneKey();
    const sealed = await sealTo(RECIPIENT.publicKey, INFO, AAD, PLAINTEXT);
    expect(toHex(await openWith({ sealed }))).toBe(toHex(PLAINTEXT));
  });

  // test-vectors.json of draft-irtf-cfrg-hpke, which goes with RFC 9180: mode 0, KEM 0x0020, KDF 0x0001, AEAD 0x0002,
  // first message.
  test('opens the published ciphertext of this suite', async () => {
    const opened = await openFrom(
      fromHex('497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d'),
      fromHex('430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c'),
      fromHex('4f6465206f6e2061204772656369616e2055726e'),
      fromHex('436f756e742d30'),
      fromHex(
        '6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256' +
          'e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be9931980a41de125a925cdad859d5b7a',
      ),
    );
    expect(toHex(opened)).toBe('4265617574792069732074727574682c20747275746820626561757479');
  });

  test('key pairs are 32 raw bytes each, and distinct', async () => {
    const other = await generateAgreementKeyPair();
    expect([RECIPIENT.publicKey.length, RECIPIENT.privateKey.length]).toEqual([32, 32]);
    expect(toHex(other.publicKey)).not.toBe(toHex(RECIPIENT.publicKey));
    expect(toHex(other.privateKey)).not.toBe(toHex(RECIPIENT.privateKey));
  });

  test.each([0, 1, 138, 100_000])('gives %d bytes back, 48 longer while sealed', async (sizeBytes) => {
    const plaintext = new Uint8Array(sizeBytes).fill(9);
    const sealed = await sealTo(RECIPIENT.publicKey, INFO, AAD, plaintext);
    expect(sealed).toHaveLength(sizeBytes + 48);
    expect(toHex(await openWith({ sealed }))).toBe(toHex(plaintext));
  });

  test('never seals the same twice', async () => {
    const again = await sealTo(RECIPIENT.publicKey, INFO, AAD, PLAINTEXT);
    expect(toHex(again.subarray(0, 32))).not.toBe(toHex(SEALED.subarray(0, 32)));
  });

  test('does not open with another key, info or AAD', async () => {
    expect(await refusalCode(openWith({ recipient: await generateAgreementKeyPair() }))).toBe('key_mismatch');
    expect(await refusalCode(openWith({ info: utf8('inf') }))).toBe('key_mismatch');
    expect(await refusalCode(openWith({ aad: utf8('aae') }))).toBe('key_mismatch');
    expect(await refusalCode(openWith({ info: AAD, aad: INFO }))).toBe('key_mismatch');
  });

  test('refuses each flipped bit', async () => {
    for (let bit = 0; bit < 8 * SEALED.length; bit++) {
      // X25519 masks the top bit of a public key (RFC 7748 §5), but HPKE binds enc as it was sent.
      const sealed = SEALED.slice();
      sealed[bit >> 3] = (sealed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(await refusalCode(openWith({ sealed }))).toBe('key_mismatch');
    }
  });

  test('refuses any cut, and bytes after the end', async () => {
    for (let cut = 0; cut < SEALED.length; cut++) {
      const code = await refusalCode(openWith({ sealed: SEALED.slice(0, cut) }));
      expect(code).toBe(cut < 48 ? 'ciphertext_truncated' : 'key_mismatch');
    }
    expect(await refusalCode(openWith({ sealed: concat(SEALED, utf8('x')) }))).toBe('key_mismatch');
  });

  test('refuses to seal to what is no key, or to a point whose secret everybody knows', async () => {
    for (const sizeBytes of [0, 31, 33]) {
      const sealing = sealTo(new Uint8Array(sizeBytes), INFO, AAD, PLAINTEXT);
      expect(await refusalCode(sealing)).toBe('format_malformed');
    }
    // RFC 7748 §6.1: points of small order give a shared secret of zeros.
    for (const point of ['00'.repeat(32), '01' + '00'.repeat(31)]) {
      expect(await refusalCode(sealTo(fromHex(point), INFO, AAD, PLAINTEXT))).toBe('format_malformed');
    }
  });

  test('with a malformed key pair of one’s own is a programming error', async () => {
    const { publicKey, privateKey } = RECIPIENT;
    await expect(openFrom(privateKey.slice(1), publicKey, INFO, AAD, SEALED)).rejects.toThrow(RangeError);
    await expect(openFrom(privateKey, publicKey.slice(1), INFO, AAD, SEALED)).rejects.toThrow(RangeError);
  });
});

function openWith(
  change: Partial<{ recipient: typeof RECIPIENT; info: typeof INFO; aad: typeof AAD; sealed: typeof SEALED }>,
) {
  const { recipient = RECIPIENT, info = INFO, aad = AAD, sealed = SEALED } = change;
  return openFrom(recipient.privateKey, recipient.publicKey, info, aad, sealed);
}
