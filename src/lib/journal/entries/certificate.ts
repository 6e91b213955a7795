import { lengthPrefixed, type Bytes } from '../../bytes.ts';
import { sign, verify } from '../../crypto/signing.ts';

/** What a certificate vouches for. */
interface CertifiedKeys {
  readonly device: string;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Bytes;
  /** X25519, 32 bytes. */
  readonly agreementKey: Bytes;
}

/** What a device's certificate signs: account, device and both of its public keys, each preceded by its length. */
function deviceCertificateMessage(
  account: string,
  { device, publicKey, agreementKey }: CertifiedKeys,
): Bytes {
  return lengthPrefixed('halfkey/device/1', account, device, publicKey, agreementKey);
}

/** The identity key's word that the device belongs to the account: 64 bytes. */
export async function certifyDevice(
  identityKey: CryptoKey,
  account: string,
  keys: CertifiedKeys,
): Promise<Bytes> {
  return sign(identityKey, deviceCertificateMessage(account, keys));
}

/** Whether a certificate is the identity key's for this account and device. */
export async function isCertified(
  identityPublicKey: Bytes,
  account: string,
  { certificate, ...keys }: CertifiedKeys & { readonly certificate: Bytes },
): Promise<boolean> {
  return verify(identityPublicKey, deviceCertificateMessage(account, keys), certificate);
}
