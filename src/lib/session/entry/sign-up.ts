import { sessionRead, signupComplete, signupFinish, signupStart, signupVerify } from '$contract/accounts.ts';
import type { AccountId, UserName, VaultId } from '$contract/ids.ts';
import type * as v from 'valibot';
import { generateBackupCodes, groupBackupCode, hashBackupCode } from '../../account/backup-codes.ts';
import { createKeyring, type OpenKeyring } from '../../account/keyring.ts';
import { beginRegistration } from '../../account/opaque-worker.ts';
import type { OpaqueOutcome } from '../../account/opaque-flow.ts';
import { requireStrong } from '../../account/passphrase.ts';
import { generateRecoveryEntropy, recoveryKeyPair, recoveryWords } from '../../account/recovery.ts';
import { fromB64Url, toB64Url, type Bytes } from '../../bytes.ts';
import { sha256 } from '../../crypto/digest.ts';
import { HalfkeyError } from '../../errors.ts';
import { headPhrase } from '../../journal/entries/head-phrase.ts';
import { createDevice } from '../../store/device-record.ts';
import type { DeviceRecord } from '../../store/database.ts';
import type { Broker } from '../../remote/broker.ts';
import type { Entry } from './entry.ts';
import { parseFactor } from '../../account/factor.ts';
import { foundVault, type InboxHalf } from './founding.ts';
import type { Commands } from '../../protocol/commands.ts';
import { parseUserName } from './user-name.ts';

/** What is known between the two halves of signing up. */
interface Started {
  readonly userName: UserName;
  readonly account: AccountId;
  readonly exportKey: Bytes;
  readonly serverPublicKey: string;
  readonly recoveryEntropy: Bytes;
  /** The first code was accepted: what remains can be sent again, and must be the same bytes then. */
  completion?: Completion;
}

interface Completion {
  readonly request: v.InferInput<(typeof signupComplete)['request']>;
  readonly keyring: OpenKeyring;
  readonly device: DeviceRecord;
  readonly backupCodes: readonly string[];
}

/** Signing up: passphrase, first code, then everything that the account needs in one request. */
export class SignUp {
  readonly #broker: Broker;
  readonly #nowMs: () => number;
  #started: Started | undefined;

  constructor(broker: Broker, nowMs: () => number) {
    this.#broker = broker;
    this.#nowMs = nowMs;
  }

  /** @throws {HalfkeyError} `name_malformed`, `passphrase_weak`, `name_taken`, `signup_closed` */
  async start(args: Commands['sign-up/start']['args']): Promise<Commands['sign-up/start']['result']> {
    const userName = parseUserName(args.userName);
    await requireStrong(args.passphrase, userName);
    const { message, exportKey, serverPublicKey } = await this.#register(userName, args.passphrase);
    const recoveryEntropy = await generateRecoveryEntropy();
    const { publicKey } = await recoveryKeyPair(recoveryEntropy);
    const { account, totpSecret, otpauthUri } = await this.#broker.call(signupFinish, {
      userName,
      registrationRecord: message,
      recoveryPublicKey: toB64Url(publicKey),
    });
    this.#started = { userName, account, exportKey, serverPublicKey, recoveryEntropy };
    return { totpSecret, otpauthUri };
  }

  async #register(userName: UserName, passphrase: string): Promise<OpaqueOutcome> {
    using registration = await beginRegistration(passphrase);
    const registrationRequest = registration.request;
    const { registrationResponse } = await this.#broker.call(signupStart, { userName, registrationRequest });
    return await registration.finish(registrationResponse);
  }

  /**
   * The first code, or the rest again when the connection broke after it.
   * @param enter what takes up a signed-in account
   * @throws {HalfkeyError} `session_missing` before `start`; `code_malformed`, `code_wrong`, `name_taken` and others
   */
  async verify(
    code: string,
    enter: (entry: Entry) => Promise<void>,
  ): Promise<Commands['sign-up/verify']['result']> {
    const started = this.#started;
    if (!started) throw new HalfkeyError('session_missing', 'no sign-up is under way');
    if (!started.completion) {
      const factor = parseFactor({ code });
      const { vault, inbox } = await this.#broker.call(signupVerify, { factor });
      started.completion = await this.#prepare(started, vault, inbox);
    }
    const { keyring, device, backupCodes, request } = started.completion;
    const sentAtMs = this.#nowMs();
    const signedIn = await this.#complete(started.account, started.completion);
    await enter({ signedIn, keyring, device, sentAtMs });
    const words = await recoveryWords(started.recoveryEntropy);
    const first = { seq: 0, hash: await sha256(fromB64Url(request.genesis)) };
    this.clear();
    return {
      recoveryWords: words,
      backupCodes: backupCodes.map(groupBackupCode),
      headPhrase: headPhrase(first),
    };
  }

  /** Forgets what is under way. */
  clear(): void {
    this.#started?.exportKey.fill(0);
    this.#started?.recoveryEntropy.fill(0);
    this.#started = undefined;
  }

  async #complete(account: AccountId, { request, device }: Completion): Promise<Entry['signedIn']> {
    try {
      return await this.#broker.call(signupComplete, request);
    } catch (error) {
      if (!(error instanceof HalfkeyError) || error.code !== 'session_missing') throw error;
      // Perhaps the answer was cut off after its cookie: then the account is there, and its words must not be lost.
      const session = await this.#broker.call(sessionRead, {});
      if (session.account !== account || session.device !== device.id) throw error;
      return { account, keyring: request.keyring, vaults: session.vaults };
    }
  }

  async #prepare(started: Started, vault: VaultId, inbox: InboxHalf): Promise<Completion> {
    const { account } = started;
    const [keyring, device] = await Promise.all([createKeyring({ ...started, vault }), createDevice()]);
    const { genesis, inboxEnvelope } = await foundVault({ keyring, device, inbox, nowMs: this.#nowMs() });
    const backupCodes = generateBackupCodes();
    const hashes = await Promise.all(backupCodes.map((backupCode) => hashBackupCode(account, backupCode)));
    const request: Completion['request'] = {
      keyring: { version: keyring.version, bytes: toB64Url(keyring.bytes) },
      identityPublicKey: toB64Url(keyring.identity.publicKey),
      genesis: toB64Url(genesis),
      inboxEnvelope,
      device: { id: device.id, publicKey: toB64Url(device.publicKey) },
      backupCodeHashes: hashes.map(toB64Url),
    };
    return { request, keyring, device, backupCodes };
  }
}
