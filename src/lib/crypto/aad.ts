import { lengthPrefixed, u32be, type Bytes } from '../bytes.ts';
import { SUITE } from './suite.ts';

/**
 * What a sealed thing is; bound into its AAD, so that nothing passes for something else. Table in docs/FORMAT.md §5.
 */
export type SealedType =
  | 'content'
  | 'journal'
  | 'snapshot'
  | 'keyring'
  | 'account-key'
  | 'identity-key'
  | 'sharing-key'
  | 'vault-key'
  | 'previous-key'
  | 'content-key'
  | 'inbox'
  | 'draft'
  | 'cache'
  | 'change'
  | 'start-wrap'
  | 'device-wrap';

/**
 * The additional authenticated data of a sealed thing: suite, type, owner, id and epoch, each preceded by its length.
 *
 * @param owner id of the vault or account that the thing belongs to
 * @param id what tells it from its like within the owner
 * @param epoch of the key that seals it, unsigned 32 bits
 * @throws {RangeError} when the epoch is not an unsigned 32-bit integer
 */
export function sealAad(type: SealedType, owner: string, id: string, epoch: number): Bytes {
  return lengthPrefixed(SUITE, type, owner, id, u32be(epoch));
}
