import type { EnvelopeName } from '$contract/envelope.ts';
import type { GrantId, VaultId } from '$contract/ids.ts';
import type { Bytes } from '../bytes.ts';
import type { InboxUse } from '../inbox/inbox-use.ts';
import type { Journal } from '../journal/journal.ts';
import type { Broker } from '../remote/broker.ts';
import type { DeviceRecord } from '../store/database.ts';

/** A file that opens without asking for anything more. */
export interface ReleasedFile {
  /** From now on the taker's to wipe. */
  readonly contentKey: Bytes;
  /** Of its ciphertext. */
  readonly url: string | undefined;
}

/**
 * A vault whose key is at hand: what transfers and the list work with. Its contents open only while a grant is live.
 */
export interface OpenVault {
  readonly vault: VaultId;
  /** Of the vault key. */
  readonly epoch: number;
  /** 32 bytes. */
  readonly vaultKey: Bytes;
  readonly broker: Broker;
  readonly journal: Journal;
  readonly inboxUse: InboxUse;
  /** What signs on this device. */
  readonly device: Pick<DeviceRecord, 'id' | 'privateKey'>;
  /** @throws {HalfkeyError} `locked` when no grant is live */
  readonly requireGrant: () => GrantId;
  /** What of a file came with the code, once. */
  readonly takeReleased: (name: EnvelopeName) => ReleasedFile | undefined;
  /** Keys that one request may ask for, 1 to 100: a code may buy fewer than fit into a request. */
  readonly releasesPerCode: () => number;
  /** Keys that the live code buys in all, whatever of them is left; undefined where nobody knows. */
  readonly releasesOfCode?: () => number | undefined;
}

/** The live grant, as a request takes it: empty without one. */
export function liveGrant(vault: OpenVault): { readonly grant?: GrantId } {
  return hasGrant(vault) ? { grant: vault.requireGrant() } : {};
}

/** Whether a live grant is at hand: then what is captured can go into the drive at once. */
export function hasGrant(vault: OpenVault): boolean {
  try {
    vault.requireGrant();
    return true;
  } catch {
    return false;
  }
}
