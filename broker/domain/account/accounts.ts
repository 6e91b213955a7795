import { createHash, createHmac, randomBytes } from 'node:crypto';
import * as v from 'valibot';
import {
  DeviceKey,
  EventHead,
  type Head,
  KeyringRecord,
  type Membership,
  type SignedIn,
} from '../../contract/accounts.ts';
import type { EnvelopeRecord } from '../../contract/envelope.ts';
import { AccountId, BlobId, Count, DeviceId, type UserName, VaultId } from '../../contract/ids.ts';
import { lengthPrefixed } from '../state/length-prefixed.ts';
import { BrokerProblem } from '../problem.ts';
import type { Records } from '../state/records.ts';
import { FactorResetRecord } from './pending-factor-reset.ts';
import type { Session } from './session.ts';
import { stateKeys } from '../state/state-keys.ts';

const LiveSession = v.strictObject({
  id: v.string(),
  device: DeviceId,
  expiresAtMs: Count,
  /**
   * Passphrase or kit, and a code, were proven in it; `hash`: SHA-256 of what was answered, base64url. See proof.ts.
   */
  proof: v.optional(v.strictObject({ hash: v.string(), atMs: Count })),
  /** Of its last requests that a code came with; see auth/used-proofs.ts. */
  usedProofs: v.optional(v.array(v.string())),
  /** When it may try as many backup codes at once again as ever; see auth/backup-code-pace.ts. */
  backupFullAtMs: v.optional(Count),
});

/** The state of the second factor; see second-factor.ts. */
export const FactorRecord = v.strictObject({
  /** The authenticator's secret (base32), sealed by KMS with purpose `totp`; base64url. */
  sealedSecret: v.string(),
  /**
   * That of another authenticator, sealed alike, until its first code, or until passphrase and code are proven anew.
   */
  nextSecret: v.optional(v.string()),
  /** RFC 6238's T of the last accepted code; 0 before the first. */
  lastStep: Count,
  /** Attempts in a row that were not accepted, as far as they do not count as a lock already. */
  failures: Count,
  /** Locks in a row: each is twice as long as the one before. */
  locks: Count,
  lockedUntilMs: Count,
  /** SHA-256 of each that is left, base64url. */
  backupCodes: v.array(v.string()),
  /** As that of a session, for those who are on the way in: they have proven passphrase or recovery key. */
  backupFullAtMs: v.optional(Count),
  /** Backup codes that were refused since the log told of one. */
  backupRefusals: v.optional(v.strictObject({ toldAtMs: Count, count: Count })),
});
export type FactorRecord = v.InferOutput<typeof FactorRecord>;

/** `a/<account>`. `abandoned`: never became active, and lost its name to another sign-up. */
export const AccountRecord = v.strictObject({
  phase: v.picklist(['pending', 'active', 'abandoned']),
  nameId: v.string(),
  createdAtMs: Count,
  opaqueRecord: v.string(),
  /**
   * OPAQUE's credential identifier (RFC 9807 §6.1), random: for a name that is still free nothing can be asked with
   * it.
   */
  credentialId: v.string(),
  recoveryPublicKey: v.string(),
  /** Ed25519, base64url: signs what the journal goes back to. From the last step of a sign-up on. */
  identityPublicKey: v.optional(v.string()),
  /** Tokens carry it: another one ends every older session. */
  sessionEpoch: Count,
  sessions: v.array(LiveSession),
  factor: FactorRecord,
  /** Another authenticator was asked for without a code. */
  factorReset: v.optional(FactorResetRecord),
  devices: v.array(v.strictObject({ ...DeviceKey.entries, addedAtMs: Count })),
  /** Ids that no device signs in with any more. */
  revokedDevices: v.optional(v.array(DeviceId)),
  keyring: v.optional(KeyringRecord),
  vaults: v.array(VaultId),
  /** The event log's head when a code was accepted last: it goes on from there. */
  events: v.optional(EventHead),
  /** The blob of the first inbox key, from the first code on. */
  inboxBlob: v.optional(BlobId),
  /** SHA-256 of the request that made the account active: repeating it is answered as the first time. */
  completion: v.optional(v.string()),
});
export type AccountRecord = v.InferOutput<typeof AccountRecord>;

/** A sign-up waits so long for its first code. */
export const PENDING_MS = 24 * 60 * 60 * 1000;
const MAX_SESSIONS = 100;
/**
 * Enrolled at a time. Of those that were signed out for good each is remembered: 25 bytes for a passphrase and a code.
 */
const MAX_DEVICES = 200;

const Owner = v.strictObject({ account: AccountId });

/** What accounts need of the vaults. */
export interface AccountVaults {
  memberships(account: AccountId): Promise<Membership[]>;
  /** The same, with what a device without a copy begins from. */
  open(account: AccountId): Promise<Pick<SignedIn, 'vaults' | 'opening'>>;
  /** Idempotent for equal bytes. @param claims has to come true before anybody owns the vault */
  createVault(
    vault: {
      account: AccountId;
      vault: VaultId;
      genesis: Uint8Array;
      inboxBlob: BlobId;
      inboxEnvelope: EnvelopeRecord;
    },
    claims?: Promise<unknown>,
  ): Promise<Head>;
}

/** Account records and what names them. */
export interface Accounts {
  nameIdOf(userName: UserName): string;
  read(account: AccountId): Promise<AccountRecord | undefined>;
  /** As Records.recall. */
  recall(account: AccountId): Promise<AccountRecord | undefined>;
  create(account: AccountId, record: AccountRecord): Promise<void>;
  /** As Records.update. @throws BrokerProblem `session_missing` when there is no such account */
  update(
    account: AccountId,
    change: (record: AccountRecord) => AccountRecord | undefined,
  ): Promise<AccountRecord>;
  /** The account that a name belongs to, active or not. */
  named(nameId: string): Promise<AccountId | undefined>;
  /** Claims the name, or takes it over from a sign-up that never became active. @throws BrokerProblem `name_taken` */
  claimName(nameId: string, account: AccountId): Promise<void>;
  /** @throws BrokerProblem `already_exists` when the key is another account's */
  claimRecoveryKey(recoveryPublicKey: string, account: AccountId): Promise<void>;
  withRecoveryKey(recoveryPublicKey: string): Promise<AccountId | undefined>;
  /**
   * Makes a sign-up that waited too long unable to become active.
   * @returns the record when the account never was active and waited too long; else undefined, and nothing is changed
   */
  expire(account: AccountId, nowMs: number): Promise<AccountRecord | undefined>;
  /** Removes the record with all its versions; to be called only after `expire`. */
  erase(account: AccountId): Promise<void>;
}

/** @param nameKey 32 bytes, from `broker/setup` */
export function createAccounts(records: Records, nameKey: Uint8Array): Accounts {
  const idOf = (purpose: string, value: string) =>
    createHmac('sha256', nameKey).update(lengthPrefixed(purpose, value)).digest('base64url');
  const recoveryIdOf = (publicKey: string) => idOf('halfkey/recovery-key/1', publicKey);

  const accounts: Accounts = {
    nameIdOf: (userName) => idOf('halfkey/name/1', userName),
    async read(account) {
      return (await records.read(stateKeys.account(account), AccountRecord))?.content;
    },
    async recall(account) {
      return (await records.recall(stateKeys.account(account), AccountRecord))?.content;
    },
    async create(account, record) {
      if ((await records.create(stateKeys.account(account), record)) === 'exists') {
        throw new BrokerProblem('already_exists');
      }
    },
    async update(account, change) {
      const record = await records.update(stateKeys.account(account), AccountRecord, (stored) => {
        if (!stored) throw new BrokerProblem('session_missing');
        return change(stored);
      });
      if (!record) throw new BrokerProblem('session_missing');
      return record;
    },
    async named(nameId) {
      return (await records.read(stateKeys.name(nameId), Owner))?.content.account;
    },
    async claimName(nameId, account) {
      // As a rule it is free: then one request is enough.
      if ((await records.create(stateKeys.name(nameId), { account })) === 'created') return;
      const owner = await accounts.named(nameId);
      if (owner !== undefined && owner !== account) await abandon(owner);
      await records.update(stateKeys.name(nameId), Owner, (stored) => {
        if (stored?.account === account) return undefined;
        if (stored && stored.account !== owner) throw new BrokerProblem('name_taken');
        return { account };
      });
    },
    async claimRecoveryKey(recoveryPublicKey, account) {
      const key = stateKeys.recovery(recoveryIdOf(recoveryPublicKey));
      if ((await records.create(key, { account })) === 'created') return;
      await records.update(key, Owner, (stored) => {
        if (stored && stored.account !== account) throw new BrokerProblem('already_exists');
        return stored ? undefined : { account };
      });
    },
    async withRecoveryKey(recoveryPublicKey) {
      const key = stateKeys.recovery(recoveryIdOf(recoveryPublicKey));
      return (await records.read(key, Owner))?.content.account;
    },
    async expire(account, nowMs) {
      const key = stateKeys.account(account);
      const before = (await records.read(key, AccountRecord))?.content;
      if (!before || before.phase === 'active' || nowMs < before.createdAtMs + PENDING_MS) return undefined;
      const record = await records.update(key, AccountRecord, (stored): AccountRecord | undefined =>
        stored?.phase === 'pending' ? { ...stored, phase: 'abandoned' } : undefined,
      );
      return record?.phase === 'abandoned' ? record : undefined;
    },
    erase: (account) => records.erase(stateKeys.account(account)),
  };

  /** From here on the other sign-up cannot become active any more, whatever its broker is just doing. */
  async function abandon(owner: AccountId): Promise<void> {
    await records.update(stateKeys.account(owner), AccountRecord, (record): AccountRecord | undefined => {
      if (record?.phase === 'active') throw new BrokerProblem('name_taken');
      return record?.phase === 'pending' ? { ...record, phase: 'abandoned' } : undefined;
    });
  }

  return accounts;
}

export function newAccountId(): AccountId {
  return v.parse(AccountId, randomBytes(16).toString('base64url'));
}

/** @throws BrokerProblem `device_revoked` */
export function requireUnrevoked(
  { revokedDevices = [] }: AccountRecord,
  { id }: Pick<DeviceKey, 'id'>,
): void {
  if (revokedDevices.includes(id)) throw new BrokerProblem('device_revoked');
}

/** The record after a device was signed out for good; undefined where it was, or where it never signed in. */
export function withoutDevice(record: AccountRecord, device: DeviceId): AccountRecord | undefined {
  const { revokedDevices = [], sessions, devices } = record;
  if (!devices.some(({ id }) => id === device)) return undefined;
  return {
    ...record,
    sessions: sessions.filter((session) => session.device !== device),
    devices: devices.filter(({ id }) => id !== device),
    revokedDevices: [...revokedDevices, device],
  };
}

/**
 * Adds a session and its device, and drops what is over.
 * @throws BrokerProblem `device_revoked`; `already_exists`: the id is another key's
 */
export function withSession(
  record: AccountRecord,
  session: v.InferOutput<typeof LiveSession>,
  device: DeviceKey,
  nowMs: number,
): AccountRecord {
  requireUnrevoked(record, device);
  const known = record.devices.find(({ id }) => id === device.id);
  if (known && known.publicKey !== device.publicKey) throw new BrokerProblem('already_exists');
  const sessions = record.sessions.filter(({ id, expiresAtMs }) => id !== session.id && expiresAtMs > nowMs);
  const next = { ...record, sessions: [...sessions, session].slice(-MAX_SESSIONS) };
  if (known) return next;
  const devices = [...record.devices, { ...device, addedAtMs: nowMs }];
  const [oldest] = devices;
  // It gives way for good: an id that is known no more must not become another key's.
  const isFull = devices.length > MAX_DEVICES && oldest !== undefined;
  return isFull ? (withoutDevice({ ...next, devices }, oldest.id) ?? next) : { ...next, devices };
}

/**
 * Two devices that write one at once must not undo each other.
 * @throws BrokerProblem `keyring_changed`: not the next version
 */
export function requireNext({ keyring: stored }: AccountRecord, { version }: KeyringRecord): void {
  if (version !== (stored?.version ?? 0) + 1) throw new BrokerProblem('keyring_changed');
}

/**
 * The record, if nothing has ended what was issued before since the session's token was looked at.
 * @throws BrokerProblem `session_missing`
 */
export function sameEpoch(record: AccountRecord, { epoch }: Session): AccountRecord {
  if (epoch !== undefined && record.sessionEpoch !== epoch) throw new BrokerProblem('session_missing');
  return record;
}

/** @returns true when a pending sign-up has waited too long */
export function isExpired(record: AccountRecord, nowMs: number): boolean {
  return record.phase === 'pending' && nowMs >= record.createdAtMs + PENDING_MS;
}

/**
 * What is stored of a backup code: SHA-256 of `halfkey/backup-code/1`, account and code, length-prefixed; base64url.
 */
export function backupCodeHash(account: AccountId, backupCode: string): string {
  return createHash('sha256')
    .update(lengthPrefixed('halfkey/backup-code/1', account, backupCode))
    .digest('base64url');
}
