import { signinCode, signinFinish, signinStart, type SignedIn } from '$contract/accounts.ts';
import type { AccountId, UserName } from '$contract/ids.ts';
import { factorResetAsk, factorResetConfirm, factorResetSecret } from '$contract/factor-reset.ts';
import { openKeyring } from '../../account/keyring.ts';
import { beginLogin } from '../../account/opaque-worker.ts';
import type { OpaqueOutcome } from '../../account/opaque-flow.ts';
import { parseRecoveryWords } from '../../account/recovery.ts';
import { toB64Url, type Bytes } from '../../bytes.ts';
import { HalfkeyError } from '../../errors.ts';
import type { Broker } from '../../remote/broker.ts';
import type { StartLock } from '../../store/account-record.ts';
import type { DeviceRecord } from '../../store/database.ts';
import { keyringBytes, type Entry } from './entry.ts';
import { parseCode, parseFactor } from '../../account/factor.ts';
import { signWithKit } from './kit-proof.ts';
import type { Commands } from '../../protocol/commands.ts';
import type { Factor } from '../../protocol/session.ts';
import type { DeviceStore } from '../device-store.ts';
import { enterAs } from './revoked-device.ts';
import { parseUserName } from './user-name.ts';
import { wipeAtEnd } from '../../crypto/wipe.ts';

/** The passphrase was right; the code is still to come. */
interface Proven {
  readonly userName: UserName;
  readonly account: AccountId;
  readonly exportKey: Bytes;
  readonly serverPublicKey: string;
  readonly device: DeviceRecord;
  readonly startLock?: StartLock;
  /** The code will be the first of another authenticator. */
  isResettingFactor?: true;
  /** The code was right too; what was cut off after it can be taken up without another. */
  entry?: Entry;
}

/** Signing in: OPAQUE, then a code, and only then the keyring. */
export class SignIn {
  readonly #broker: Broker;
  readonly #deviceStore: DeviceStore;
  readonly #nowMs: () => number;
  #proven: Proven | undefined;

  constructor(broker: Broker, deviceStore: DeviceStore, nowMs: () => number) {
    this.#broker = broker;
    this.#deviceStore = deviceStore;
    this.#nowMs = nowMs;
  }

  /**
   * A server that this device has met is pinned: another one is refused before it learns anything.
   * @throws {HalfkeyError} `name_malformed`, `login_refused`, `login_expired`, `server_unknown`
   */
  async start({ userName: typed, passphrase }: Commands['sign-in/start']['args']): Promise<void> {
    this.clear();
    const userName = parseUserName(typed);
    const { message, exportKey, serverPublicKey } = await this.#login(userName, passphrase);
    const { account } = await this.#broker.call(signinFinish, { finishLoginRequest: message });
    const device = await this.#deviceStore.deviceFor(account);
    const startLock = await this.#deviceStore.lockFor(account, passphrase);
    this.#proven = {
      userName,
      account,
      exportKey,
      serverPublicKey,
      device,
      ...(startLock && { startLock }),
    };
  }

  async #login(userName: UserName, passphrase: string): Promise<OpaqueOutcome> {
    using login = await beginLogin(passphrase);
    const startLoginRequest = login.request;
    const { loginResponse } = await this.#broker.call(signinStart, { userName, startLoginRequest });
    return await login.finish(loginResponse, await this.#deviceStore.serverPublicKey());
  }

  /**
   * The kit besides the passphrase, where there is neither an authenticator nor a backup code: begins a wait, or says
   * how much of it is left. Once it is over there is a secret for another authenticator, whose first code `code` takes.
   * @throws {HalfkeyError} `recovery_words_malformed` before anything is sent; `session_missing` before `start`;
   *   `recovery_refused`
   */
  async resetFactor({
    words,
  }: Commands['sign-in/reset-factor']['args']): Promise<Commands['sign-in/reset-factor']['result']> {
    const proven = this.#require();
    const signature = await this.#signWith(words);
    const { waitSeconds } = await this.#broker.call(factorResetAsk, { signature });
    if (waitSeconds > 0) return { waitSeconds };
    const pairing = await this.#broker.call(factorResetSecret, { userName: proven.userName });
    proven.isResettingFactor = true;
    return pairing;
  }

  /**
   * @param enter what takes up a signed-in account; `hasLostCodes`: its backup codes work no more
   * @throws {HalfkeyError} `session_missing` before `start`; `code_wrong` and its like: another try is fine;
   *   `keyring_corrupt`, `server_unknown` when what the broker hands out is not what the account was made with
   */
  async code(factor: Factor, enter: (entry: Entry, hasLostCodes: boolean) => Promise<void>): Promise<void> {
    const proven = this.#require();
    proven.entry ??= await this.#redeem(proven, factor);
    await enter(proven.entry, proven.isResettingFactor === true);
    this.clear();
  }

  async #redeem(proven: Proven, factor: Factor): Promise<Entry> {
    const { account, exportKey, serverPublicKey, startLock } = proven;
    const sentAtMs = this.#nowMs();
    const { device, answer: signedIn } = await enterAs(proven.device, (own) =>
      this.#show(factor, proven, own),
    );
    const keyring = await openKeyring(keyringBytes(signedIn.keyring), account, { exportKey });
    if (keyring.serverPublicKey !== serverPublicKey) {
      throw new HalfkeyError('server_unknown', 'the keyring pins another server than the one that answered');
    }
    return { signedIn, keyring, device, sentAtMs, ...(startLock && { startLock }) };
  }

  #show(typed: Factor, { isResettingFactor }: Proven, { id, publicKey }: DeviceRecord): Promise<SignedIn> {
    const device = { id, publicKey: toB64Url(publicKey) };
    if (!isResettingFactor) return this.#broker.call(signinCode, { factor: parseFactor(typed), device });
    return this.#broker.call(factorResetConfirm, { ...parseCode('code' in typed ? typed.code : ''), device });
  }

  /** The kit's answer to the broker; the words are forgotten before anything else is asked. */
  async #signWith(words: string): Promise<string> {
    const recoveryEntropy = await parseRecoveryWords(words);
    using _entropy = wipeAtEnd(recoveryEntropy);
    return await signWithKit(recoveryEntropy, 'factor-reset', this.#broker);
  }

  #require(): Proven {
    if (!this.#proven) throw new HalfkeyError('session_missing', 'no sign-in is under way');
    return this.#proven;
  }

  /** Forgets what is under way. */
  clear(): void {
    this.#proven?.exportKey.fill(0);
    this.#proven?.startLock?.key.fill(0);
    this.#proven = undefined;
  }
}
