import type { Head } from '$contract/accounts.ts';
import { fromB64Url, type Bytes } from '../bytes.ts';
import { HalfkeyError } from '../errors.ts';
import type { JournalHead } from '../journal/entries/segment.ts';

/** A head as the journal knows it. @throws {HalfkeyError} `broker_unreachable` when the hash is not base64url */
export function toJournalHead({ seq, hash }: Head): JournalHead {
  return { seq, hash: bytesOf(hash) };
}

/** @throws {HalfkeyError} `broker_unreachable` when what the broker answered is not base64url */
export function bytesOf(answered: string): Bytes {
  try {
    return fromB64Url(answered);
  } catch (cause) {
    throw new HalfkeyError('broker_unreachable', 'the broker answered no base64url', { cause });
  }
}
