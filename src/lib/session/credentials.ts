import {
  authenticatorConfirm,
  authenticatorRenew,
  backupCodesRenew,
  deviceRevoke,
  kitRenew,
  passphraseRenew,
  passphraseStart,
  credentialsProve,
} from '$contract/credentials.ts';
import type { KeyringRecord } from '$contract/accounts.ts';
import { DeviceId } from '$contract/ids.ts';
import { inboxDiscard } from '$contract/vault-inbox.ts';
import * as v from 'valibot';
import { generateBackupCodes, groupBackupCode, hashBackupCode } from '../account/backup-codes.ts';
import { openKeyring, rewrapKeyring, type OpenKeyring } from '../account/keyring.ts';
import { beginRegistration } from '../account/opaque-worker.ts';
import { requireStrong } from '../account/passphrase.ts';
import { generateRecoveryEntropy, recoveryKeyPair, recoveryWords } from '../account/recovery.ts';
import { toB64Url, type Bytes } from '../bytes.ts';
import { HalfkeyError } from '../errors.ts';
import { headPhrase } from '../journal/entries/head-phrase.ts';
import type { Broker } from '../remote/broker.ts';
import { noteKept } from '../store/kit-note.ts';
import { otherDevices } from '../drive/other-devices.ts';
import { activitySince } from './device-activity.ts';
import { deviceName } from './entry/device-name.ts';
import { keyringBytes } from './entry/entry.ts';
import { parseCode, parseFactor } from '../account/factor.ts';
import type { OpenAccount } from './open-account.ts';
import { joinJournal } from './entry/joining.ts';
import { provePassphrase } from './entry/passphrase-proof.ts';
import type { Commands } from '../protocol/commands.ts';
import type { DeviceStore } from './device-store.ts';
import { parseUserName } from './entry/user-name.ts';
import { wipeAtEnd } from '../crypto/wipe.ts';
import { listInbox } from '../vault/inbox-listing.ts';
import type { OpenVault } from '../vault/open-vault.ts';

export interface CredentialsDeps {
  readonly broker: Broker;
  readonly deviceStore: DeviceStore;
  /** Whose account is on this device. @throws {HalfkeyError} when there is none */
  readonly openAccount: () => OpenAccount;
  /** @throws {HalfkeyError} `session_missing` when nobody is signed in */
  readonly vault: () => OpenVault;
  /**
   * Takes in what waits in the inbox, as far as it goes.
   * @param doubted what this device put there from then on (ms since 1970) is left
   * @throws {HalfkeyError} `locked`
   */
  readonly takeIn: (doubted?: { readonly device: string; readonly sinceMs: number }) => Promise<void>;
}

/** Passphrase and code were right, and the keyring is open: its identity key signs the next one. */
interface Proven {
  readonly openAccount: OpenAccount;
  /** What the broker wants to see with each request. It leaves this worker for the broker alone. */
  readonly proof: string;
  keyring: OpenKeyring;
  exportKey: Bytes;
  /** Makes what was shown last count. */
  accept?: () => Promise<void>;
}

/** The broker forgets the proof after as long. */
const PROOF_MS = 10 * 60_000;

/**
 * New backup codes, authenticator, kit and passphrase, and devices signed out, for somebody who has the passphrase and
 * a code at hand. This device's record of the account stays as it is: it pins a keyring that it has seen, and the
 * journal pins the newest.
 */
export class Credentials {
  readonly #deps: CredentialsDeps;
  #proven: Proven | undefined;
  /** Anyone who began to prove before the last `clear` comes too late. */
  #turn = 0;
  #ending: ReturnType<typeof setTimeout> | undefined;

  constructor(deps: CredentialsDeps) {
    this.#deps = deps;
  }

  /**
   * @throws {HalfkeyError} `code_malformed`; `passphrase_wrong`, `code_wrong` and its like: another try is fine;
   *   `keyring_corrupt`, `rollback`, `server_unknown` when what the broker hands out is not what this device knows;
   *   `proof_missing` when it was called off, or locked, meanwhile
   */
  async prove({ passphrase, factor: typed }: Commands['credentials/prove']['args']): Promise<void> {
    this.clear();
    const turn = this.#turn;
    const factor = parseFactor(typed);
    const openAccount = this.#deps.openAccount();
    const { finishLoginRequest, exportKey } = await provePassphrase(
      passphrase,
      openAccount.localAccount.account,
      this.#deps.broker,
    );
    try {
      const answer = await this.#deps.broker.call(credentialsProve, { finishLoginRequest, factor });
      const keyring = await openKnown(answer, exportKey, openAccount);
      if (turn !== this.#turn) throw tooLate();
      const { proof } = answer;
      this.#proven = { openAccount, proof, keyring, exportKey };
      this.#ending = setTimeout(() => {
        this.clear();
      }, PROOF_MS);
    } catch (error) {
      exportKey.fill(0);
      throw error;
    }
  }

  /** Nothing counts before `accept`: what is lost before somebody has kept it replaces nothing. */
  async backupCodes(): Promise<Commands['credentials/backup-codes']['result']> {
    const proven = this.#require();
    const { account } = proven.keyring;
    const backupCodes = generateBackupCodes();
    const hashes = await Promise.all(backupCodes.map((backupCode) => hashBackupCode(account, backupCode)));
    const request = { proof: proven.proof, backupCodeHashes: hashes.map(toB64Url) };
    proven.accept = async () => {
      await this.#deps.broker.call(backupCodesRenew, request);
      await noteKept(proven.openAccount.database, 'backup-codes').catch(() => undefined);
    };
    return { backupCodes: backupCodes.map(groupBackupCode) };
  }

  /** As `backupCodes`. */
  async kit(): Promise<Commands['credentials/kit']['result']> {
    const proven = this.#require();
    const { account, bytes } = proven.keyring;
    const recoveryEntropy = await generateRecoveryEntropy();
    using _entropy = wipeAtEnd(recoveryEntropy);
    const [keyring, { publicKey }, words] = await Promise.all([
      rewrapKeyring(bytes, account, { exportKey: proven.exportKey }, { recoveryEntropy }),
      recoveryKeyPair(recoveryEntropy),
      recoveryWords(recoveryEntropy),
    ]);
    const request = {
      proof: proven.proof,
      recoveryPublicKey: toB64Url(publicKey),
      keyring: recordOf(keyring),
    };
    proven.accept = async () => {
      await this.#deps.broker.call(kitRenew, request);
      proven.keyring = keyring;
      await pin(keyring, proven);
      await noteKept(proven.openAccount.database, 'words').catch(() => undefined);
    };
    return { recoveryWords: words, headPhrase: headPhrase(proven.openAccount.drive.journal.head) };
  }

  /**
   * What was shown last counts from now on.
   * @throws {HalfkeyError} `proof_missing`; `keyring_changed` when another device was first; of the family unreachable:
   *   it may count already, and the same again is fine
   */
  async accept(): Promise<void> {
    const proven = this.#require();
    if (!proven.accept) throw tooLate();
    await proven.accept();
    delete proven.accept;
  }

  /** The present authenticator stays good until `confirmAuthenticator`. */
  authenticator(): Promise<Commands['credentials/authenticator']['result']> {
    const { keyring, proof } = this.#require();
    return this.#deps.broker.call(authenticatorRenew, { proof, userName: parseUserName(keyring.userName) });
  }

  /**
   * All other devices are signed out; so is this one when the broker's answer is lost.
   * @throws {HalfkeyError} `code_malformed`, `code_wrong` and its like: another try is fine
   */
  async confirmAuthenticator({ code }: Commands['credentials/authenticator-confirm']['args']): Promise<void> {
    const { proof, openAccount } = this.#require();
    await this.#deps.broker.call(authenticatorConfirm, { proof, ...parseCode(code) });
    openAccount.lookAgain();
  }

  devices(): Commands['credentials/devices']['result'] {
    const { drive, localAccount } = this.#require().openAccount;
    const { journal } = drive;
    return { devices: otherDevices(journal.state, localAccount.device.id) };
  }

  async activity(
    args: Commands['credentials/activity']['args'],
  ): Promise<Commands['credentials/activity']['result']> {
    const activity = await activitySince(this.#require().openAccount.drive.journal, args);
    const listed = await listInbox(this.#deps.vault(), new AbortController().signal);
    const own = listed.filter(({ device }) => device === args.device);
    const since = own.filter(({ atMs }) => atMs >= args.sinceMs).length;
    return { ...activity, left: { before: own.length - since, since } };
  }

  /**
   * Ends the device's sessions first, so that it reaches nothing from there on; takes in what it has captured; then the
   * journal, so that what it signs is not believed.
   * @throws {HalfkeyError} `locked` where what it has captured is to be taken in; of the family unreachable: the same
   *   again is fine
   */
  async revoke(args: Commands['credentials/revoke']['args']): Promise<void> {
    const { openAccount, keyring, proof } = this.#require();
    const { broker, takeIn } = this.#deps;
    const { since, doubtedMs } = args;
    const device = v.parse(DeviceId, args.device);
    await broker.call(deviceRevoke, { proof, device });
    if (args.takeIn) await takeIn(doubtedMs === undefined ? undefined : { device, sinceMs: doubtedMs });
    const { journal } = openAccount.drive;
    await journal.refresh();
    if (since !== undefined || journal.state.trustedDevice(device)) {
      await journal.revoke(keyring.identity.privateKey, { device, since }, proof);
    }
    if (doubtedMs === undefined) return;
    const { vault } = this.#deps.vault();
    await broker.call(inboxDiscard, { proof, device, sinceMs: doubtedMs }, { vault });
  }

  /**
   * Others and this one as with `confirmAuthenticator`.
   * @throws {HalfkeyError} `passphrase_weak`, `keyring_changed`, `server_unknown`; `device_full` after its effect,
   *   where this device asks for the passphrase at each start and goes on with the old one
   */
  async passphrase({ passphrase }: Commands['credentials/passphrase']['args']): Promise<void> {
    const proven = this.#require();
    const { broker } = this.#deps;
    const { proof, openAccount } = proven;
    const { account, bytes, userName, serverPublicKey } = proven.keyring;
    await requireStrong(passphrase, userName);
    using registration = await beginRegistration(passphrase);
    const registrationRequest = registration.request;
    const { registrationResponse } = await broker.call(passphraseStart, { proof, registrationRequest });
    const { message, exportKey } = await registration.finish(registrationResponse, serverPublicKey);
    using _exportKey = wipeAtEnd(exportKey);
    const keyring = await rewrapKeyring(bytes, account, { exportKey: proven.exportKey }, { exportKey });
    await broker.call(passphraseRenew, { proof, registrationRecord: message, keyring: recordOf(keyring) });
    if (this.#proven === proven) {
      proven.keyring = keyring;
      proven.exportKey.set(exportKey);
    }
    await pin(keyring, proven);
    await this.#closeUnder(passphrase, openAccount);
  }

  /** Forgets what was proven. */
  clear(): void {
    this.#turn += 1;
    clearTimeout(this.#ending);
    this.#proven?.exportKey.fill(0);
    this.#proven = undefined;
  }

  /** @throws {HalfkeyError} `proof_missing` also when somebody else has come home since */
  #require(): Proven {
    const proven = this.#proven;
    if (proven?.openAccount === this.#deps.openAccount()) return proven;
    this.clear();
    throw tooLate();
  }

  /** Where this device asks for the passphrase at each start, it is the new one from now on. */
  async #closeUnder(passphrase: string, { localAccount }: OpenAccount): Promise<void> {
    const { deviceStore } = this.#deps;
    const lock = await deviceStore.lockFor(localAccount.account.account, passphrase);
    if (!lock) return;
    using _key = wipeAtEnd(lock.key);
    await deviceStore.keep(localAccount, lock);
  }
}

/**
 * The keyring that the broker has handed out, if it is the one that this device and its journal know, or a newer one.
 */
async function openKnown(
  { keyring: record, proof }: { readonly keyring: KeyringRecord; readonly proof: string },
  exportKey: Bytes,
  openAccount: OpenAccount,
): Promise<OpenKeyring> {
  const bytes = keyringBytes(record);
  const { account, device } = openAccount.localAccount;
  const keyring = await openKeyring(bytes, account.account, { exportKey });
  if (keyring.serverPublicKey !== account.serverPublicKey) {
    throw new HalfkeyError('server_unknown', 'the keyring pins another server than this device does');
  }
  if (keyring.version < account.keyring.version) {
    throw new HalfkeyError('rollback', 'the keyring is older than the one seen here');
  }
  await joinJournal(openAccount.drive.journal, { keyring, device, proof }, deviceName(navigator.userAgent));
  return keyring;
}

/**
 * The broker has the keyring, so it counts, whatever comes now. What is not pinned yet, because the connection broke,
 * is pinned at the next sign-in or proof; what is wrong with the journal is told by itself.
 */
async function pin(
  keyring: OpenKeyring,
  { openAccount, proof }: Pick<Proven, 'openAccount' | 'proof'>,
): Promise<void> {
  const { drive, localAccount } = openAccount;
  const { journal } = drive;
  const { device } = localAccount;
  openAccount.lookAgain();
  await joinJournal(journal, { keyring, device, proof }, deviceName(navigator.userAgent)).catch(
    () => undefined,
  );
}

function tooLate(): HalfkeyError {
  return new HalfkeyError('proof_missing', 'passphrase and code were not proven, or too long ago');
}

function recordOf({ version, bytes }: OpenKeyring): KeyringRecord {
  return { version, bytes: toB64Url(bytes) };
}
