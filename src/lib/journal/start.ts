import type { Bytes } from '../bytes.ts';
import { HalfkeyError } from '../errors.ts';
import { startCold } from './cold-start.ts';
import type { JournalHead, JournalKey } from './entries/segment.ts';
import { JournalKeys } from './journal-keys.ts';
import { localCopyKey, openLocalCopy } from './local-copy.ts';
import type { JournalCache, JournalIdentity, JournalRemote } from './ports.ts';
import { Replica, type ReplicaTrust } from './replica.ts';

/** What a journal's segments are judged by, and what its local copy is sealed with. */
export interface JournalSecrets {
  readonly trust: ReplicaTrust;
  readonly copy: JournalKey;
}

export async function deriveSecrets(identity: JournalIdentity): Promise<JournalSecrets> {
  const { vault, account, vaultKeys, identityPublicKey } = identity;
  const newest = vaultKeys.at(-1);
  if (!newest) throw new RangeError('expected a vault key');
  const [keys, copy] = await Promise.all([
    JournalKeys.derive(vault, vaultKeys),
    localCopyKey(vault, newest.epoch, newest.vaultKey),
  ]);
  return { trust: { keys, root: { vault, account, identityPublicKey } }, copy };
}

/** What a journal begins with on this device. */
export interface JournalStart {
  readonly replica: Replica;
  readonly head: JournalHead;
  /** The local copy, sealed, if it began with that. */
  readonly copy?: Bytes;
  /** `device_state_lost` where the local copy was dropped; those of a cold start. */
  readonly notes: readonly HalfkeyError[];
  /** Of a cold start: what keeps the replica from the remote's head. */
  readonly problem?: HalfkeyError | undefined;
}

/**
 * With this device's own copy, without the network; where there is none that opens, from the remote.
 * @throws {HalfkeyError} as `startCold`
 */
export async function startJournal(
  { trust, copy: key }: JournalSecrets,
  { cache, remote }: { readonly cache: JournalCache; readonly remote: JournalRemote },
): Promise<JournalStart> {
  const notes: HalfkeyError[] = [];
  const sealed = await cache.load();
  if (sealed) {
    try {
      const copy = await openLocalCopy(key, sealed);
      return { replica: new Replica(trust, copy), head: copy.head, copy: sealed, notes };
    } catch (error) {
      if (!(error instanceof HalfkeyError)) throw error;
      notes.push(error);
    }
  }
  const { replica, problem, ...cold } = await startCold(trust, remote);
  if (!replica.head) throw new HalfkeyError('vault_missing', 'the journal of this vault is empty');
  return { replica, head: replica.head, notes: [...notes, ...cold.notes], problem };
}
