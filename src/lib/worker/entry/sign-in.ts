import { signinCode, signinFinish, signinStart } from '$contract/account.ts';
import type { AccountId } from '$contract/ids.ts';
import { openKeyring } from '../../account/keyring.ts';
import { startLogin } from '../../account/opaque.ts';
import { toB64Url, type Bytes } from '../../bytes.ts';
import { HalfkeyError } from '../../errors.ts';
import type { Broker } from '../../remote/broker.ts';
import type { StartLock } from '../../store/account-record.ts';
import type { DeviceRecord } from '../../store/database.ts';
import { keyringBytes, type Entry } from './entry.ts';
import { parseFactor } from '../factor.ts';
import type { Commands, Factor } from '../protocol.ts';
import type { Resting } from '../resting.ts';
import { parseUserName } from './user-name.ts';

/** The passphrase was right; the code is still to come. */
interface Proven {
  readonly account: AccountId;
  readonly exportKey: Bytes;
  readonly serverPublicKey: string;
  readonly device: DeviceRecord;
  readonly startLock?: StartLock;
  /** The code was right too; what was cut off behind it can be taken up without another. */
  entry?: Entry;
}

/** Signing in: OPAQUE, then a code, and only then the keyring. */
export class SignIn {
  readonly #broker: Broker;
  readonly #resting: Resting;
  readonly #nowMs: () => number;
  #proven: Proven | undefined;

  constructor(broker: Broker, resting: Resting, nowMs: () => number) {
    this.#broker = broker;
    this.#resting = resting;
    this.#nowMs = nowMs;
  }

  /**
   * A server that this device has met is pinned: another one is refused before it learns anything.
   * @throws {HalfkeyError} `name_malformed`, `login_refused`, `login_expired`, `server_unknown`
   */
  async start({ userName: typed, passphrase }: Commands['sign-in/start']['args']): Promise<void> {
    this.clear();
    const userName = parseUserName(typed);
    const login = await startLogin(passphrase);
    const { startLoginRequest } = login;
    const { loginResponse } = await this.#broker.call(signinStart, { userName, startLoginRequest });
    const { finishLoginRequest, exportKey, serverPublicKey } = login.finish(
      loginResponse,
      await this.#resting.serverPublicKey(),
    );
    const { account } = await this.#broker.call(signinFinish, { finishLoginRequest });
    const device = await this.#resting.deviceFor(account);
    const startLock = await this.#resting.lockFor(account, passphrase);
    this.#proven = { account, exportKey, serverPublicKey, device, ...(startLock && { startLock }) };
  }

  /**
   * @param enter what takes up a signed-in account
   * @throws {HalfkeyError} `session_missing` before `start`; `code_wrong` and its like: another try is fine; `keyring_corrupt`,
   *   `server_unknown` when what the broker hands out is not what the account was made with
   */
  async code(factor: Factor, enter: (entry: Entry) => Promise<void>): Promise<void> {
    const proven = this.#proven;
    if (!proven) throw new HalfkeyError('session_missing', 'no sign-in is under way');
    proven.entry ??= await this.#redeem(proven, factor);
    await enter(proven.entry);
    this.clear();
  }

  async #redeem(proven: Proven, factor: Factor): Promise<Entry> {
    const { account, device, exportKey, serverPublicKey, startLock } = proven;
    const sentAtMs = this.#nowMs();
    const signedIn = await this.#broker.call(signinCode, {
      factor: parseFactor(factor),
      device: { id: device.id, publicKey: toB64Url(device.publicKey) },
    });
    const keyring = await openKeyring(keyringBytes(signedIn.keyring), account, { exportKey });
    if (keyring.serverPublicKey !== serverPublicKey) {
      throw new HalfkeyError('server_unknown', 'the keyring pins another server than the one that answered');
    }
    return { signedIn, keyring, device, sentAtMs, ...(startLock && { startLock }) };
  }

  /** Forgets what is under way. */
  clear(): void {
    this.#proven?.exportKey.fill(0);
    this.#proven?.startLock?.key.fill(0);
    this.#proven = undefined;
  }
}
