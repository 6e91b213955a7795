import { HalfkeyError } from '../../errors.ts';
import type { Journal } from '../../journal/journal.ts';
import type { Broker } from '../../remote/broker.ts';
import type { AccountRecord } from '../../store/account-record.ts';
import type { Database } from '../../store/database.ts';
import { deviceName } from '../entry/device-name.ts';
import type { Entry } from '../entry/entry.ts';
import { joinJournal, membershipOf, openJournal } from '../entry/joining.ts';
import { toJournalHead } from '../drive/journal-remote.ts';
import { PendingChanges } from '../drive/pending-changes.ts';
import type { Resident, Resting } from '../resting.ts';

/** A resident with what opens only for them. */
export interface Household {
  readonly resident: Resident;
  readonly journal: Journal;
  readonly changes: PendingChanges;
  readonly database: Database;
}

export interface MovingDeps {
  readonly broker: Broker;
  readonly resting: Resting;
  readonly nowMs: () => number;
  /** Other tabs are to look at the changes again. */
  readonly tell: () => void;
}

/** @throws {HalfkeyError} `keyring_corrupt` when the broker's answer is of another account or version than the keyring in it */
export function checkEntry({ signedIn, keyring }: Entry): void {
  if (signedIn.account === keyring.account && signedIn.keyring.version === keyring.version) return;
  throw new HalfkeyError('keyring_corrupt', 'the broker names another account or version than the keyring');
}

/**
 * Takes up an account on this device: joins its journal, and lets its keys rest here.
 * @throws {HalfkeyError} `vault_missing`, `rollback` and others when broker or journal are not what they were; of the family
 *   unreachable
 */
export async function moveIn(entry: Entry, deps: MovingDeps): Promise<Household> {
  const { signedIn, keyring, device, startLock } = entry;
  const { vault, epoch, key: vaultKey } = keyring.vaultKey;
  const { account, accountKey, serverPublicKey, userName, version, hash } = keyring;
  const { resting } = deps;
  const membership = membershipOf(signedIn.vaults, vault);
  const before = await resting.owner();
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
  const resident = { device, account: record };
  const database = await resting.prepare(account, device);
  const rim = { broker: deps.broker, database, nowMs: deps.nowMs };
  const journal = await openJournal(resident, rim, toJournalHead(membership.head));
  await joinJournal(journal, entry, deviceName(navigator.userAgent));
  await resting.keep(resident, startLock);
  return settleIn(resident, journal, database, deps);
}

/**
 * Opens what rests here of a resident's vault; the broker is asked only where there is no copy of the journal.
 * @throws {HalfkeyError} as `Journal.open`
 */
export async function returnHome(resident: Resident, deps: MovingDeps): Promise<Household> {
  const database = await deps.resting.database();
  const rim = { broker: deps.broker, database, nowMs: deps.nowMs };
  return settleIn(resident, await openJournal(resident, rim), database, deps);
}

async function settleIn(
  resident: Resident,
  journal: Journal,
  database: Database,
  { nowMs, tell }: MovingDeps,
): Promise<Household> {
  const device = resident.device.id;
  const changes = await PendingChanges.open(resident.account, {
    database,
    journal,
    device,
    nowMs,
    tell,
  });
  return { resident, journal, changes, database };
}
