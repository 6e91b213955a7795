import { afterEach, describe, expect, test, vi } from 'vitest';
import { generateRecoveryEntropy, recoveryKeyPair } from '../../src/lib/account/recovery.ts';
import { concat } from '../../src/lib/bytes.ts';
import { generateAgreementKeyPair, generateX25519 } from '../../src/lib/crypto/agreement.ts';
import { deriveKey } from '../../src/lib/crypto/hkdf.ts';
import { madeAgain } from '../../src/lib/crypto/private-keys.ts';
import { generateDeviceKeyPair, generateSeed } from '../../src/lib/crypto/signing.ts';
import { fromHex } from './hex.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const operationError = () => new DOMException('for an operation-specific reason', 'OperationError');

describe('keys that WebKitGTK fails to make', () => {
  test.each([
    ['Ed25519', generateDeviceKeyPair],
    ['X25519', () => generateX25519(true)],
  ])('are asked for again: %s', async (_curve, generate) => {
    const make = vi.spyOn(crypto.subtle, 'generateKey').mockRejectedValueOnce(operationError());
    expect(await generate()).toHaveProperty('privateKey');
    expect(make).toHaveBeenCalledTimes(2);
  });

  test('are given up where every try fails', async () => {
    const make = vi.fn(() => Promise.reject(operationError()));
    await expect(madeAgain(make)).rejects.toMatchObject({ name: 'OperationError' });
    expect(make).toHaveBeenCalledTimes(4);
  });
});

describe('private keys that travel never start with a zero byte', () => {
  /** The generator's next outputs of 32 bytes start with this. */
  function drawing(...firsts: number[]): void {
    const draw = crypto.getRandomValues.bind(crypto);
    vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
      const drawn = draw(array);
      if (drawn instanceof Uint8Array && drawn.length === 32) drawn[0] = firsts.shift() ?? drawn[0] ?? 0;
      return drawn;
    });
  }

  test('a seed', () => {
    drawing(0, 0, 7);
    expect(generateSeed()[0]).toBe(7);
  });

  test('a key to seal to', async () => {
    const seed = Uint8Array.from({ length: 32 }, (_, index) => index);
    const pkcs8 = concat(fromHex('302e020100300506032b656e04220420'), seed);
    const pair = await crypto.subtle.generateKey('X25519', true, ['deriveBits']);
    const privateKey = await crypto.subtle.importKey('pkcs8', pkcs8, 'X25519', true, ['deriveBits']);
    const make = vi.spyOn(crypto.subtle, 'generateKey').mockResolvedValueOnce({ ...pair, privateKey });
    expect((await generateAgreementKeyPair()).privateKey).not.toEqual(seed);
    expect(make).toHaveBeenCalledTimes(2);
  });

  test('the key that a kit stands for', async () => {
    // Found by trying: it derives a seed that starts with a zero byte.
    const entropy = await entropyOfZeroSeed();
    const draw = crypto.getRandomValues.bind(crypto);
    let given = false;
    vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
      const drawn = draw(array);
      if (drawn instanceof Uint8Array && drawn.length === 32 && !given) {
        drawn.set(entropy);
        given = true;
      }
      return drawn;
    });
    const drawn = await generateRecoveryEntropy();
    expect(given).toBe(true);
    expect(drawn).not.toEqual(entropy);
    expect((await recoveryKeyPair(drawn)).publicKey).toHaveLength(32);
  });
});

async function entropyOfZeroSeed(): Promise<Uint8Array> {
  const entropy = new Uint8Array(32);
  const numbers = new DataView(entropy.buffer);
  for (let tried = 0; ; tried += 1) {
    numbers.setUint32(0, tried);
    if ((await deriveKey(entropy, 'recovery-auth'))[0] === 0) return entropy;
  }
}
