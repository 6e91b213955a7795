import type { Membership } from '$contract/accounts.ts';
import type { GrantId, VaultId } from '$contract/ids.ts';
import { equalBytes, toB64Url } from '../../bytes.ts';
import { HalfkeyError } from '../../errors.ts';
import { certifyDevice } from '../../journal/entries/certificate.ts';
import { Journal } from '../../journal/journal.ts';
import type { Operation } from '../../journal/entries/operations.ts';
import type { JournalHead } from '../../journal/entries/segment.ts';
import type { JournalRemote } from '../../journal/ports.ts';
import type { Broker } from '../../remote/broker.ts';
import type { Database, DeviceRecord } from '../../store/database.ts';
import { journalCache } from '../../store/journal-cache.ts';
import type { OpenKeyring } from '../../account/keyring.ts';
import { journalRemote } from '../../drive/journal-remote.ts';
import type { LocalAccount } from '../device-store.ts';

/**
 * Opens the journal of an account's vault: from this device's copy where there is one, and then the broker is not
 * asked.
 * @param expectedHead what the broker told at sign-in
 * @param remote another than that of the broker alone
 */
export function openJournal(
  { account: record, device }: LocalAccount,
  deps: {
    readonly broker: Broker;
    readonly database: Database;
    readonly nowMs: () => number;
    /** That is live, if any. */
    readonly grant?: () => GrantId | undefined;
  },
  expectedHead?: JournalHead,
  remote: JournalRemote = journalRemote(deps.broker, record.vault as VaultId, deps.grant),
): Promise<Journal> {
  const { vault, account, epoch, vaultKey, identityPublicKey } = record;
  return Journal.open({
    identity: { vault, account, vaultKeys: [{ epoch, vaultKey }], identityPublicKey, device },
    remote,
    cache: journalCache(deps.database, vault),
    nowMs: deps.nowMs,
    ...(expectedHead && { expectedHead }),
  });
}

/** Who joins, and what shows the broker that it may. */
interface Joining {
  readonly keyring: OpenKeyring;
  readonly device: Pick<DeviceRecord, 'id' | 'publicKey' | 'agreementKey'>;
  /** What the broker answered for passphrase or kit, and a code; without it nothing can be written that is missing. */
  readonly proof?: string | undefined;
}

/**
 * Takes this device into a vault that its user has just signed in to: compares the keyring with the one that the
 * journal pins, and writes what is missing, signed by the identity key.
 *
 * @param name what the list of devices calls this one
 * @throws {HalfkeyError} what is wrong with the journal; `rollback` or `keyring_corrupt` for another keyring than the
 *   pinned one; `device_untrusted` for a device that was revoked
 */
export async function joinJournal(
  journal: Journal,
  { keyring, device, proof }: Joining,
  name: string,
): Promise<void> {
  await journal.refresh();
  const { account, identity, version, hash } = keyring;
  const operations: Operation[] = [];
  if (!isEnrolled(journal, device)) {
    const { id, publicKey, agreementKey } = device;
    const keys = { device: id, publicKey, agreementKey };
    const certificate = await certifyDevice(identity.privateKey, account, keys);
    operations.push({ kind: 'device-enrol', ...keys, name, certificate });
  }
  if (!isPinned(journal, keyring)) operations.push({ kind: 'keyring', version, hash });
  if (operations.length > 0) await journal.appendByIdentity(identity.privateKey, operations, proof);
}

/** An account always has its vault: that there is none is never believed. @throws {HalfkeyError} `vault_missing` */
export function membershipOf(vaults: readonly Membership[], vault: string): Membership {
  const membership = vaults.find((candidate) => candidate.vault === vault);
  if (!membership) throw new HalfkeyError('vault_missing', 'the broker knows of no vault of this account');
  return membership;
}

/** Whether the journal stands at a head already. */
export function isCurrent({ head }: Journal, { seq, hash }: Membership['head']): boolean {
  return head.seq === seq && toB64Url(head.hash) === hash;
}

function isEnrolled({ state }: Journal, { id, publicKey, agreementKey }: Joining['device']): boolean {
  const known = state.devices.get(id);
  if (!known) return false;
  const isSame = equalBytes(known.publicKey, publicKey) && equalBytes(known.agreementKey, agreementKey);
  if (known.revoked || !isSame) {
    throw new HalfkeyError('device_untrusted', 'this device was revoked, or its id is taken');
  }
  return true;
}

/**
 * A newer keyring than the pinned one is fine: only the identity key signs keyrings, and what pins it may have been cut
 * off.
 */
function isPinned({ state }: Journal, { version, hash }: OpenKeyring): boolean {
  const pinned = state.keyring;
  if (!pinned || pinned.version < version) return false;
  if (pinned.version > version) {
    const message = `expected keyring ${String(pinned.version)}, got ${String(version)}`;
    throw new HalfkeyError('rollback', message);
  }
  if (!equalBytes(pinned.hash, hash)) {
    throw new HalfkeyError('keyring_corrupt', 'the keyring is not the one that the journal pins');
  }
  return true;
}
