import type { KeyList } from '../store/key-list.ts';
import { invalidArgument } from '../refusal.ts';
import { encodePath } from '../sigv4/canonical.ts';
import type { Query } from '../http-headers.ts';

/** S3 never lists more at once. */
const MAXIMUM_PAGE = 1000;

/** One line of a listing: a key, or all keys that share a prefix up to the delimiter. */
export interface Line {
  readonly kind: 'key' | 'prefix';
  readonly name: string;
}

/** What all listings have in common. */
export interface ListingRequest {
  readonly prefix: string;
  /** Empty: none. */
  readonly delimiter: string;
  readonly maximum: number;
  /** Writes keys the way that was asked for, `encoding-type=url` or plain. */
  readonly write: (key: string) => string;
  readonly encoding: 'url' | undefined;
}

/** @throws {Refusal} 400 for a page size or an encoding that S3 does not know */
export function parseListing(query: Query, maximumName: string): ListingRequest {
  const maximum = query.get(maximumName);
  if (maximum !== undefined && !/^\d{1,9}$/.test(maximum))
    throw invalidArgument(`expected a number for ${maximumName}`, maximumName);
  const encoding = query.get('encoding-type');
  if (encoding !== undefined && encoding !== 'url')
    throw invalidArgument('expected the encoding url', 'encoding-type');
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    maximum: maximum === undefined ? MAXIMUM_PAGE : Math.min(Number(maximum), MAXIMUM_PAGE),
    write: encoding === 'url' ? encodePath : (key) => key,
    encoding,
  };
}

/**
 * Walks through the keys under a prefix from an index on, folding those that share a common prefix into one line.
 * @param isListed whether a key counts (an object that is deleted does not)
 */
export function* walk(
  keys: KeyList,
  { prefix, delimiter }: ListingRequest,
  fromIndex: number,
  isListed: (key: string) => boolean,
): Generator<Line> {
  let index = Math.max(fromIndex, keys.seek(prefix));
  for (;;) {
    const key = keys.at(index);
    if (!key?.startsWith(prefix)) return;
    index++;
    if (!isListed(key)) continue;
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    if (end < 0) {
      yield { kind: 'key', name: key };
    } else {
      const name = key.slice(0, end + delimiter.length);
      yield { kind: 'prefix', name };
      index = keys.seekPast(name);
    }
  }
}

/** Index of the first key after a line. */
export const seekBehind = (keys: KeyList, { kind, name }: Line): number =>
  kind === 'prefix' ? keys.seekPast(name) : keys.seek(name, true);

/** Takes up to `maximum` items, and tells whether there were more. */
export function page<T>(items: Iterable<T>, maximum: number): { items: T[]; truncated: boolean } {
  const taken: T[] = [];
  if (maximum === 0) return { items: taken, truncated: false };
  for (const item of items) {
    if (taken.length === maximum) return { items: taken, truncated: true };
    taken.push(item);
  }
  return { items: taken, truncated: false };
}
