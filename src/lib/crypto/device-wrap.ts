/**
 * A new key that seals what is stored on this device. WebCrypto keeps it in IndexedDB and never gives its bytes away: a
 * `FloeKey`.
 *
 * @returns a non-extractable HMAC-SHA-384 key of 32 bytes
 */
export async function generateDeviceWrapKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-384', length: 256 }, false, ['sign']);
}
