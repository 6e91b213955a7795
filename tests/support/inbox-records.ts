import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { INBOX_RECORD } from '$contract/inbox-record.ts';
import { lengthPrefixed } from '../../broker/domain/state/length-prefixed.ts';

/** A device as its account has it, and what it signs with. */
export interface SigningDevice {
  readonly id: string;
  /** Ed25519, base64url. */
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

export function newSigningDevice(id = randomBytes(16).toString('base64url')): SigningDevice {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { id, publicKey: publicKey.export({ format: 'jwk' }).x ?? '', privateKey };
}

/** A record as far as the broker looks at it: what is sealed in it is random, and so another each time. */
export function recordOf(
  device: Pick<SigningDevice, 'id' | 'privateKey'>,
  vault: string,
  blob: string,
): Buffer {
  const { magic, deviceOffset, signatureOffset, sealedOffset, sizeBytes } = INBOX_RECORD;
  const record = randomBytes(sizeBytes);
  record.write(magic, 0, 'latin1');
  record.writeUInt32BE(0, INBOX_RECORD.epochOffset);
  Buffer.from(device.id, 'base64url').copy(record, deviceOffset);
  const [head, sealed] = [record.subarray(0, signatureOffset), record.subarray(sealedOffset)];
  const sealedHash = createHash('sha256').update(sealed).digest();
  const message = lengthPrefixed('halfkey/inbox/1', vault, blob, head, sealedHash);
  sign(null, message, device.privateKey).copy(record, signatureOffset);
  return record;
}
