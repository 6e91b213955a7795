import { EnvelopeRecord } from '$contract/envelope.ts';
import * as v from 'valibot';
import { fromB64Url, toB64Url } from '../bytes.ts';
import type { Envelope } from '../crypto/envelope.ts';
import { SUITE } from '../crypto/suite.ts';
import { HalfkeyError } from '../errors.ts';

const MEMBERS = 6;

/** As it is sent and stored. */
export function toRecord({ salt, kmsBlob, sealedKey, ...rest }: Envelope): EnvelopeRecord {
  return { ...rest, salt: toB64Url(salt), kmsBlob: toB64Url(kmsBlob), sealedKey: toB64Url(sealedKey) };
}

/**
 * An envelope as it came, out of its JSON (docs/FORMAT.md §8).
 * @throws {HalfkeyError} `format_unknown` for another suite, whatever else it holds; `envelope_corrupt` for what is not
 *   one
 */
export function fromRecord(raw: unknown): Envelope {
  const suite = typeof raw === 'object' && raw !== null && 'suite' in raw ? raw.suite : undefined;
  if (typeof suite === 'string' && suite !== SUITE) {
    throw new HalfkeyError('format_unknown', `expected an envelope of suite ${SUITE}`);
  }
  const parsed = v.safeParse(EnvelopeRecord, raw);
  // A member named "__proto__" passes for one that every object has.
  if (!parsed.success || Object.keys(raw as object).length !== MEMBERS) {
    throw new HalfkeyError('envelope_corrupt', 'a member of the envelope is missing, unknown or malformed');
  }
  const { salt, kmsBlob, sealedKey, ...rest } = parsed.output;
  return {
    ...rest,
    salt: fromB64Url(salt),
    kmsBlob: fromB64Url(kmsBlob),
    sealedKey: fromB64Url(sealedKey),
  };
}
