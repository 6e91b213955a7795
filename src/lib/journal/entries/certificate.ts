import { lengthPrefixed, type Bytes } from '../../bytes.ts';
import { sign, verify } from '../../crypto/signing.ts';

/** What a device's certificate signs: account, device and public key (32 bytes), each preceded by its length. */
function deviceCertificateMessage(account: string, device: string, publicKey: Bytes): Bytes {
  return lengthPrefixed('halfkey/device/1', account, device, publicKey);
}

/** The identity key's word that the device belongs to the account: 64 bytes. */
export async function certifyDevice(
  identityKey: CryptoKey,
  account: string,
  device: string,
  publicKey: Bytes,
): Promise<Bytes> {
  return sign(identityKey, deviceCertificateMessage(account, device, publicKey));
}

/** Whether a certificate is the identity key's for this account and device. */
export async function isCertified(
  identityPublicKey: Bytes,
  account: string,
  { device, publicKey, certificate }: { device: string; publicKey: Bytes; certificate: Bytes },
): Promise<boolean> {
  return verify(identityPublicKey, deviceCertificateMessage(account, device, publicKey), certificate);
}
