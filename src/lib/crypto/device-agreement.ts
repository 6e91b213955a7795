import type { Bytes } from '../bytes.ts';
import { generateX25519, suite } from './agreement.ts';

/** An X25519 private key where the browser cannot store it as it is. */
export interface WrappedAgreementKey {
  /** PKCS #8 (RFC 8410), wrapped with AES-KW (RFC 3394): 56 bytes. */
  readonly wrapped: Bytes;
  /** 256 bits, for this key alone; not extractable. */
  readonly wrappingKey: CryptoKey;
}

/** An X25519 key pair whose private half stays on this device. */
interface DeviceAgreementKeyPair {
  /** 32 bytes. */
  readonly publicKey: Bytes;
  /** Not extractable, in the form in which IndexedDB gives it back. */
  readonly privateKey: CryptoKey | WrappedAgreementKey;
}

/** A new X25519 key pair that exists on this device only. */
export async function generateDeviceAgreementKeyPair(): Promise<DeviceAgreementKeyPair> {
  const pair = await generateX25519(false);
  if (!canBeCloned(pair.publicKey)) return generateWrapped();
  return {
    publicKey: new Uint8Array(await suite.SerializePublicKey(pair.publicKey)),
    privateKey: pair.privateKey,
  };
}

/**
 * Safari (27, and WebKitGTK 2.50) writes an X25519 key and cannot read it: IndexedDB then gives null for the whole
 * record, Ed25519 keys and all, although writing it has succeeded.
 */
function canBeCloned(key: CryptoKey): boolean {
  try {
    structuredClone(key);
    return true;
  } catch {
    return false;
  }
}

async function generateWrapped(): Promise<DeviceAgreementKeyPair> {
  const [pair, wrappingKey] = await Promise.all([
    generateX25519(true),
    crypto.subtle.generateKey({ name: 'AES-KW', length: 256 }, false, ['wrapKey', 'unwrapKey']),
  ]);
  const [publicKey, wrapped] = await Promise.all([
    suite.SerializePublicKey(pair.publicKey),
    crypto.subtle.wrapKey('pkcs8', pair.privateKey, wrappingKey, 'AES-KW'),
  ]);
  return {
    publicKey: new Uint8Array(publicKey),
    privateKey: { wrapped: new Uint8Array(wrapped), wrappingKey },
  };
}

/**
 * @returns the key, not extractable
 * @throws {DOMException} `OperationError` when it is not what was wrapped
 */
export function unwrapAgreementKey({ wrapped, wrappingKey }: WrappedAgreementKey): Promise<CryptoKey> {
  return crypto.subtle.unwrapKey('pkcs8', wrapped, wrappingKey, 'AES-KW', 'X25519', false, ['deriveBits']);
}
