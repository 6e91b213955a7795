import { afterEach, describe, expect, test, vi } from 'vitest';
import { utf8 } from '../../src/lib/bytes.ts';
import { sealTo, suite } from '../../src/lib/crypto/agreement.ts';
import {
  generateDeviceAgreementKeyPair,
  unwrapAgreementKey,
  type WrappedAgreementKey,
} from '../../src/lib/crypto/device-agreement.ts';

const INFO = utf8('info');
const AAD = utf8('aad');

/** As Safari does, whose serialiser knows no X25519 key when it reads one. */
function refuseToClone(): void {
  vi.stubGlobal('structuredClone', () => {
    throw new TypeError('Unable to deserialize data.');
  });
}

async function opens(privateKey: CryptoKey, publicKey: Uint8Array<ArrayBuffer>): Promise<string> {
  const sealed = await sealTo(publicKey, INFO, AAD, utf8('the new vault key'));
  const pair = { privateKey, publicKey: await suite.DeserializePublicKey(publicKey) };
  const opened = await suite.Open(pair, sealed.subarray(0, 32), sealed.subarray(32), {
    info: INFO,
    aad: AAD,
  });
  return new TextDecoder().decode(opened);
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("a device's X25519 key", () => {
  test('is kept as it is, and opens what is sealed to it', async () => {
    const { publicKey, privateKey } = await generateDeviceAgreementKeyPair();
    expect(privateKey).toBeInstanceOf(CryptoKey);
    expect(privateKey).toMatchObject({ extractable: false });
    expect(await opens(privateKey as CryptoKey, publicKey)).toBe('the new vault key');
  });

  test('is wrapped where the browser cannot read one back, and opens the same', async () => {
    refuseToClone();
    const { publicKey, privateKey } = await generateDeviceAgreementKeyPair();
    const { wrapped, wrappingKey } = privateKey as WrappedAgreementKey;
    expect([wrapped.length, wrappingKey.extractable]).toEqual([56, false]);
    const unwrapped = await unwrapAgreementKey({ wrapped, wrappingKey });
    expect(unwrapped.extractable).toBe(false);
    expect(await opens(unwrapped, publicKey)).toBe('the new vault key');
  });
});
