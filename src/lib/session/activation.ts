import type { GrantId, VaultId } from '$contract/ids.ts';
import { HalfkeyError } from '../errors.ts';
import type { Journal } from '../journal/journal.ts';
import type { Broker } from '../remote/broker.ts';
import type { AccountRecord } from '../store/account-record.ts';
import type { Database } from '../store/database.ts';
import { deviceName } from './entry/device-name.ts';
import type { Entry } from './entry/entry.ts';
import { joinJournal, membershipOf, openJournal } from './entry/joining.ts';
import { journalRemote } from '../drive/journal-remote.ts';
import { toJournalHead } from '../vault/journal-head.ts';
import { PendingChanges } from '../drive/pending-changes.ts';
import type { LocalAccount, DeviceStore } from './device-store.ts';

/** An account on this device, with its journal and changes open. */
export interface ActivatedAccount {
  readonly localAccount: LocalAccount;
  readonly journal: Journal;
  readonly changes: PendingChanges;
  readonly database: Database;
}

export interface ActivationDeps {
  readonly broker: Broker;
  readonly deviceStore: DeviceStore;
  readonly nowMs: () => number;
  /** The live one, if any: with a grant more may be written. */
  readonly grant: () => GrantId | undefined;
  /** Other tabs are to look at the changes again. */
  readonly tell: () => void;
}

/**
 * @throws {HalfkeyError} `keyring_corrupt` when the broker's answer is of another account or version than the keyring
 * in it
 */
export function checkEntry({ signedIn, keyring }: Entry): void {
  if (signedIn.account === keyring.account && signedIn.keyring.version === keyring.version) return;
  throw new HalfkeyError('keyring_corrupt', 'the broker names another account or version than the keyring');
}

/**
 * Takes up an account on this device: joins its journal, and stores its keys here.
 * @throws {HalfkeyError} `vault_missing`, `rollback` and others when broker or journal are not what they were; of the
 *   family unreachable
 */
export async function activate(entry: Entry, deps: ActivationDeps): Promise<ActivatedAccount> {
  const { signedIn, keyring, device, startLock } = entry;
  const { vault, epoch, key: vaultKey } = keyring.vaultKey;
  const { account, accountKey, serverPublicKey, userName, version, hash } = keyring;
  const { deviceStore } = deps;
  const membership = membershipOf(signedIn.vaults, vault);
  const before = await deviceStore.owner();
  if (before?.account === account && before.keyring.version > version) {
    throw new HalfkeyError('rollback', `keyring ${String(version)} is older than the one seen here`);
  }
  const record: AccountRecord = {
    account,
    vault,
    epoch,
    accountKey,
    vaultKey,
    userName,
    identityPublicKey: keyring.identity.publicKey,
    serverPublicKey,
    keyring: { version, hash },
  };
  const localAccount = { device, account: record };
  const database = await deviceStore.prepare(account, device);
  const journalDeps = { broker: deps.broker, database, nowMs: deps.nowMs, grant: deps.grant };
  // What came with the accepted code opens the journal: no other request is waited for.
  const opening = signedIn.opening?.find((each) => each.vault === vault);
  const atHand = opening && { head: membership.head, opening };
  const remote = journalRemote(deps.broker, vault as VaultId, deps.grant, atHand);
  const journal = await openJournal(localAccount, journalDeps, toJournalHead(membership.head), remote);
  const { proof } = signedIn;
  await joinJournal(journal, { keyring, device, proof }, deviceName(navigator.userAgent));
  remote.opened();
  await deviceStore.keep(localAccount, startLock);
  return withChanges(localAccount, journal, database, deps);
}

/**
 * Opens the vault of an account that is on this device already; the broker is asked only where there is no copy of the
 * journal.
 * @throws {HalfkeyError} as `Journal.open`
 */
export async function restore(localAccount: LocalAccount, deps: ActivationDeps): Promise<ActivatedAccount> {
  const database = await deps.deviceStore.database();
  const journalDeps = { broker: deps.broker, database, nowMs: deps.nowMs, grant: deps.grant };
  return withChanges(localAccount, await openJournal(localAccount, journalDeps), database, deps);
}

async function withChanges(
  localAccount: LocalAccount,
  journal: Journal,
  database: Database,
  { nowMs, tell }: ActivationDeps,
): Promise<ActivatedAccount> {
  const device = localAccount.device.id;
  const changes = await PendingChanges.open(localAccount.account, {
    database,
    journal,
    device,
    nowMs,
    tell,
  });
  return { localAccount, journal, changes, database };
}
