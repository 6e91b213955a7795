import * as v from 'valibot';
import { recordEntries } from '../iam/entries.ts';
import type { AccessRequest } from '../principal.ts';

/** The pairs of an encryption context, in the order of the request; names are distinct. */
export type EncryptionContext = readonly (readonly [name: string, value: string])[];

const MAX_BYTES = 8192;

// A lone surrogate has no UTF-8: two contexts that differ would become the same bytes.
const Text = v.pipe(
  v.string(),
  v.check((text) => text.isWellFormed()),
);

/** Schema of `EncryptionContext` in a request: strings, at most 8 KiB of UTF-8 together; absent is empty. */
export const EncryptionContextSchema = v.optional(
  v.pipe(
    recordEntries(Text),
    v.check((pairs) => pairs.every(([name]) => name.length > 0 && name.isWellFormed())),
    v.check((pairs) => pairs.reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0) <= MAX_BYTES),
  ),
  {},
);

/**
 * The context as additional authenticated data: count, then names and values in the order of the names' UTF-8 bytes,
 * each after its length (u32be), so that no two contexts have the same bytes.
 */
export function contextBytes(context: EncryptionContext): Buffer {
  const pairs = context
    .map(([name, value]) => [Buffer.from(name), Buffer.from(value)] as const)
    .sort(([one], [other]) => Buffer.compare(one, other));
  return Buffer.concat([u32(pairs.length), ...pairs.flat().flatMap((text) => [u32(text.length), text])]);
}

/** The context as IAM's condition keys. */
export function conditionKeys(context: EncryptionContext): AccessRequest['context'] {
  return {
    ...Object.fromEntries(context.map(([name, value]) => [`kms:EncryptionContext:${name}`, value])),
    'kms:EncryptionContextKeys': context.map(([name]) => name),
  };
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
