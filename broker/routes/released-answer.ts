import type * as v from 'valibot';
import type { ReleasedKeys } from '../contract/released-keys.ts';
import type { Released } from '../domain/vault/keys.ts';
import { b64urlOf } from './b64url.ts';

/** As it is sent. */
export function releasedAnswer({ keys, ...rest }: Released): v.InferInput<typeof ReleasedKeys> {
  return { keys: keys.map((key) => ({ ...key, kmsHalf: b64urlOf(key.kmsHalf) })), ...rest };
}
