import {
  authenticatorConfirm,
  authenticatorRenew,
  backupCodesRenew,
  kitRenew,
  passphraseRenew,
  passphraseStart,
  renewalProve,
} from '$contract/renewal.ts';
import type { KeyringRecord } from '$contract/account.ts';
import { generateBackupCodes, groupBackupCode, hashBackupCode } from '../account/backup-codes.ts';
import { openKeyring, rewrapKeyring, type OpenKeyring } from '../account/keyring.ts';
import { startRegistration } from '../account/opaque.ts';
import { requireStrong } from '../account/passphrase.ts';
import { generateRecoveryEntropy, recoveryKeyPair, recoveryWords } from '../account/recovery.ts';
import { toB64Url, type Bytes } from '../bytes.ts';
import { HalfkeyError } from '../errors.ts';
import { headPhrase } from '../journal/head-phrase.ts';
import type { Broker } from '../remote/broker.ts';
import type { StartLock } from '../store/account-record.ts';
import { noteKit } from '../store/kit-note.ts';
import { deviceName } from './device-name.ts';
import { keyringBytes } from './entry.ts';
import { parseFactor } from './factor.ts';
import type { Home } from './home.ts';
import { joinJournal } from './joining.ts';
import { provePassphrase } from './passphrase-proof.ts';
import type { Commands } from './protocol.ts';
import type { Resting } from './resting.ts';
import { parseUserName } from './user-name.ts';

export interface RenewalDeps {
  readonly broker: Broker;
  readonly resting: Resting;
  /** Who is at home. @throws {HalfkeyError} when nobody is */
  readonly home: () => Home;
}

/** Passphrase and code were right, and the keyring is open: its identity key signs the next one. */
interface Proven {
  readonly home: Home;
  keyring: OpenKeyring;
  exportKey: Bytes;
  /** Where this device asks for the passphrase at each start: what closes the record under it. */
  startLock?: StartLock | undefined;
  /** Makes what was shown last count. */
  accept?: () => Promise<void>;
}

/** The broker forgets the proof after as long. */
const PROOF_MS = 10 * 60_000;

/** New backup codes, authenticator, kit and passphrase, for who has the passphrase and a code at hand. */
export class Renewal {
  readonly #deps: RenewalDeps;
  #proven: Proven | undefined;
  #ending: ReturnType<typeof setTimeout> | undefined;

  constructor(deps: RenewalDeps) {
    this.#deps = deps;
  }

  /**
   * @throws {HalfkeyError} `code_malformed`; `passphrase_wrong`, `code_wrong` and its like: another try is fine; `keyring_corrupt`,
   *   `rollback`, `server_unknown` when what the broker hands out is not what this device knows
   */
  async prove({ passphrase, factor: typed }: Commands['renewal/prove']['args']): Promise<void> {
    this.clear();
    const { broker, resting } = this.#deps;
    const factor = parseFactor(typed);
    const home = this.#deps.home();
    const { account, device } = home.resident;
    const { finishLoginRequest, exportKey } = await provePassphrase(passphrase, account, broker);
    const answer = await broker.call(renewalProve, { finishLoginRequest, factor });
    const keyring = await openKeyring(keyringBytes(answer.keyring), account.account, { exportKey });
    if (keyring.serverPublicKey !== account.serverPublicKey) {
      throw new HalfkeyError('server_unknown', 'the keyring pins another server than this device does');
    }
    if (keyring.version < account.keyring.version) {
      throw new HalfkeyError('rollback', 'the keyring is older than the one seen here');
    }
    await joinJournal(home.journal, { keyring, device }, deviceName(navigator.userAgent));
    const startLock = await resting.lockFor(account.account, passphrase);
    this.#proven = { home, keyring, exportKey, startLock };
    this.#ending = setTimeout(() => {
      this.clear();
    }, PROOF_MS);
  }

  /** Nothing counts before `accept`: what is lost before somebody has kept it replaces nothing. */
  async backupCodes(): Promise<Commands['renewal/backup-codes']['result']> {
    const proven = this.#require();
    const { account } = proven.keyring;
    const backupCodes = generateBackupCodes();
    const hashes = await Promise.all(backupCodes.map((backupCode) => hashBackupCode(account, backupCode)));
    proven.accept = async () => {
      await this.#deps.broker.call(backupCodesRenew, { backupCodeHashes: hashes.map(toB64Url) });
    };
    return { backupCodes: backupCodes.map(groupBackupCode) };
  }

  /** As `backupCodes`. */
  async kit(): Promise<Commands['renewal/kit']['result']> {
    const proven = this.#require();
    const { account, bytes } = proven.keyring;
    const recoveryEntropy = generateRecoveryEntropy();
    const [keyring, { publicKey }, words] = await Promise.all([
      rewrapKeyring(bytes, account, { exportKey: proven.exportKey }, { recoveryEntropy }),
      recoveryKeyPair(recoveryEntropy),
      recoveryWords(recoveryEntropy),
    ]);
    recoveryEntropy.fill(0);
    proven.accept = async () => {
      const request = { recoveryPublicKey: toB64Url(publicKey), keyring: recordOf(keyring) };
      await this.#deps.broker.call(kitRenew, request);
      await this.#take(proven, keyring);
      await noteKit(proven.home.database, 'kept');
    };
    return { recoveryWords: words, headPhrase: headPhrase(proven.home.journal.head) };
  }

  /**
   * What was shown last counts from now on.
   * @throws {HalfkeyError} `proof_missing`; `keyring_changed` when another device was first; of the family unreachable: again is fine
   */
  async accept(): Promise<void> {
    const proven = this.#require();
    await proven.accept?.();
    delete proven.accept;
  }

  /** The present authenticator stays good until `confirmAuthenticator`. */
  authenticator(): Promise<Commands['renewal/authenticator']['result']> {
    const { userName } = this.#require().keyring;
    return this.#deps.broker.call(authenticatorRenew, { userName: parseUserName(userName) });
  }

  /**
   * All other devices are signed out; so is this one when the broker's answer is lost.
   * @throws {HalfkeyError} `code_malformed`, `code_wrong` and its like: another try is fine
   */
  async confirmAuthenticator({
    code: typed,
  }: Commands['renewal/authenticator-confirm']['args']): Promise<void> {
    this.#require();
    const factor = parseFactor({ code: typed });
    if ('code' in factor) await this.#deps.broker.call(authenticatorConfirm, { code: factor.code });
  }

  /**
   * Others and this one as with `confirmAuthenticator`.
   * @throws {HalfkeyError} `passphrase_weak`, `keyring_changed`, `server_unknown`
   */
  async passphrase({ passphrase }: Commands['renewal/passphrase']['args']): Promise<void> {
    const proven = this.#require();
    const { broker, resting } = this.#deps;
    const { account, bytes, userName, serverPublicKey } = proven.keyring;
    await requireStrong(passphrase, userName);
    const registration = await startRegistration(passphrase);
    const { registrationRequest } = registration;
    const { registrationResponse } = await broker.call(passphraseStart, { registrationRequest });
    const { registrationRecord, exportKey } = registration.finish(registrationResponse, serverPublicKey);
    const keyring = await rewrapKeyring(bytes, account, { exportKey: proven.exportKey }, { exportKey });
    const startLock = await resting.lockFor(account, passphrase);
    await broker.call(passphraseRenew, { registrationRecord, keyring: recordOf(keyring) });
    proven.exportKey.fill(0);
    Object.assign(proven, { exportKey, startLock, keyring });
    await this.#take(proven, keyring);
  }

  /** Forgets what was proven. */
  clear(): void {
    clearTimeout(this.#ending);
    this.#proven?.exportKey.fill(0);
    this.#proven?.startLock?.key.fill(0);
    this.#proven = undefined;
  }

  /** @throws {HalfkeyError} `proof_missing` also when somebody else has come home since */
  #require(): Proven {
    const proven = this.#proven;
    if (proven?.home === this.#deps.home()) return proven;
    this.clear();
    throw new HalfkeyError('proof_missing', 'passphrase and code were not proven, or too long ago');
  }

  /** The broker has the keyring: the journal pins it, and this device knows it. */
  async #take(proven: Proven, keyring: OpenKeyring): Promise<void> {
    const { home, startLock } = proven;
    const { device, account } = home.resident;
    const { version, hash } = keyring;
    await joinJournal(home.journal, { keyring, device }, deviceName(navigator.userAgent));
    const resident = { device, account: { ...account, keyring: { version, hash } } };
    await this.#deps.resting.keep(resident, startLock);
    home.renewed(resident);
    proven.keyring = keyring;
  }
}

function recordOf({ version, bytes }: OpenKeyring): KeyringRecord {
  return { version, bytes: toB64Url(bytes) };
}
