import type { EnvelopeRecord } from '$contract/envelope.ts';
import { fromB64Url, toB64Url } from '../bytes.ts';
import type { Envelope } from '../crypto/envelope.ts';

/** As it travels and rests. */
export function toRecord({ salt, kmsBlob, sealedKey, ...rest }: Envelope): EnvelopeRecord {
  return { ...rest, salt: toB64Url(salt), kmsBlob: toB64Url(kmsBlob), sealedKey: toB64Url(sealedKey) };
}

/** @throws {TypeError} when a field is not canonical base64url */
export function fromRecord({ salt, kmsBlob, sealedKey, ...rest }: EnvelopeRecord): Envelope {
  return {
    ...rest,
    salt: fromB64Url(salt),
    kmsBlob: fromB64Url(kmsBlob),
    sealedKey: fromB64Url(sealedKey),
  };
}
