import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import * as opaque from '@serenity-kit/opaque';
import { generate } from 'otplib';
import * as v from 'valibot';
import * as contract from '$contract/accounts.ts';
import type { AccountId, VaultId } from '$contract/ids.ts';
import { Problem, type ProblemCode } from '$contract/problems.ts';
import { credentialsProve } from '$contract/credentials.ts';
import { type Route, TAB_HEADER } from '$contract/route.ts';
import { lengthPrefixed } from '../../broker/domain/state/length-prefixed.ts';
import { ORIGIN, type TestClock } from './broker.ts';
import { CONTRACT_ROUTES } from './contract-routes.ts';
import { KSF } from './quick-opaque.ts';
import { SEGMENT_HEAD } from '$contract/segment.ts';
import { recordOf } from './inbox-records.ts';
import { envelopeOf, segmentAfter, signedSegment } from './vault-side.ts';
import { sessionIdIn, TestSessionKey } from './session-key.ts';

/** `app.request`, or fetch with an address before the path. */
export type Send = (path: string, init: RequestInit) => Response | Promise<Response>;

/** An answer of the broker: as the contract says, or a problem. */
export type Reply<Answer = unknown> =
  | { readonly ok: true; readonly status: number; readonly answer: Answer; readonly code: undefined }
  | {
      readonly ok: false;
      readonly status: number;
      readonly code: ProblemCode;
      readonly problem: Problem;
    };

interface RecoveryKey {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** A browser, as far as the broker sees it: cookies, an origin, and OPAQUE's client side. */
export class AccountClient {
  readonly cookies = new Map<string, string>();
  readonly #deviceKeys = generateKeyPairSync('ed25519');
  readonly device = {
    id: randomBytes(16).toString('base64url'),
    publicKey: rawPublicKey(this.#deviceKeys.publicKey),
  };
  /** What the session's device signs segments with. */
  #signer = { device: this.device.id, privateKey: this.#deviceKeys.privateKey };
  readonly identity = generateKeyPairSync('ed25519');
  readonly recovery = generateKeyPairSync('ed25519');
  readonly backupCodes = newBackupCodes();
  headers: Record<string, string> = {};
  /** Of all sessions of this browser. */
  sessionKey = new TestSessionKey();
  /** What proving passphrase and code once more was answered with; before, something that proves nothing. */
  proof = randomBytes(32).toString('base64url');
  account = '' as AccountId;
  vault = '' as VaultId;
  totpSecret = '';
  send: Send;
  readonly #clock: TestClock;

  constructor(send: Send, clock: TestClock) {
    this.send = send;
    this.#clock = clock;
  }

  /** A record of a capture, signed by this device; base64url. */
  inboxRecord(blob: string): string {
    return recordOf(
      { id: this.#signer.device, privateKey: this.#signer.privateKey },
      this.vault,
      blob,
    ).toString('base64url');
  }

  /** A second one with the same cookies, which does not see what the first is given from now on. */
  fork(): AccountClient {
    const twin = new AccountClient(this.send, this.#clock);
    for (const [name, value] of this.cookies) twin.cookies.set(name, value);
    twin.knows(this);
    twin.proof = this.proof;
    twin.#signer = this.#signer;
    twin.sessionKey = this.sessionKey;
    return twin;
  }

  /** Takes over what a person carries from device to device. */
  knows(other: AccountClient): this {
    Object.assign(this, {
      account: other.account,
      vault: other.vault,
      totpSecret: other.totpSecret,
      recovery: other.recovery,
      identity: other.identity,
      backupCodes: other.backupCodes,
    });
    return this;
  }

  async raw(method: string, path: string, body?: string, headers: Record<string, string> = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const asked = this.#asked(method, path, body, this.#token(path, { ...this.headers, ...headers }));
    const response = await this.sessionKey.send(asked, (proof) =>
      this.send(path, {
        method,
        headers: {
          ...(cookie !== '' && { cookie }),
          ...(method !== 'GET' && {
            origin: ORIGIN,
            'sec-fetch-site': 'same-origin',
            'content-type': 'application/json',
          }),
          ...proof,
          ...this.headers,
          ...headers,
        },
        ...(body !== undefined && { body }),
      }),
    );
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '' || /max-age=0/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  }

  /** The proof alone, for a request that a test writes itself. @param token of the session that it is for */
  async prove(method: string, path: string, token = this.#token(path, this.headers), body?: string) {
    return this.sessionKey.prove(this.#asked(method, path, body, token));
  }

  #asked(method: string, path: string, body: string | undefined, token: string | undefined) {
    const url = `${this.headers['origin'] ?? ORIGIN}${path}`;
    return { method, url, body, sid: sessionIdIn(token) };
  }

  /** The session's cookie; on the way in that of the tab. */
  #token(path: string, headers: Readonly<Record<string, string>>): string | undefined {
    const tab = headers[TAB_HEADER];
    const isEntering = CONTRACT_ROUTES.some((route) => route.path === path && route.stage !== 'full');
    const names = [...(isEntering && tab !== undefined ? [`halfkey-stage-${tab}`] : []), 'halfkey'];
    for (const name of names.flatMap((each) => [each, `__Host-${each}`])) {
      const token = this.cookies.get(name);
      if (token !== undefined) return token;
    }
    return undefined;
  }

  async call<R extends Route>(
    route: R,
    request: unknown = {},
    options: { vault?: string; headers?: Record<string, string> } = {},
  ): Promise<Reply<v.InferOutput<R['answer']>>> {
    const path = route.path.replace(':vault', encodeURIComponent(options.vault ?? this.vault));
    const query = new URLSearchParams(request as Record<string, string>).toString();
    const response =
      route.method === 'GET'
        ? await this.raw('GET', query === '' ? path : `${path}?${query}`, undefined, options.headers)
        : await this.raw('POST', path, JSON.stringify(this.#proving(path, request)), options.headers);
    const body: unknown = response.status === 204 ? undefined : await response.json();
    if (response.ok) {
      const answer = v.parse(route.answer, body) as v.InferOutput<R['answer']>;
      return { ok: true, status: response.status, answer, code: undefined };
    }
    const problem = v.parse(Problem, body);
    return { ok: false, status: response.status, code: problem.code, problem };
  }

  /** Each renewal wants the proof besides; a request that has one keeps it. */
  #proving(path: string, request: unknown): unknown {
    const wantsProof = path.startsWith('/api/credentials/') && path !== credentialsProve.path;
    return wantsProof ? { proof: this.proof, ...(request as object) } : request;
  }

  /** As `call`, where anything but success is a failure of the test. */
  async must<R extends Route>(route: R, request: unknown = {}): Promise<v.InferOutput<R['answer']>> {
    const reply = await this.call(route, request);
    if (!reply.ok) throw new Error(`expected ${route.path} to succeed, got ${reply.code}`);
    return reply.answer;
  }

  /** The authenticator's code, now or some steps of 30 s away. */
  code(steps = 0): Promise<string> {
    const epoch = Math.floor(this.#clock.nowMs / 1000) + steps * 30;
    return generate({ secret: this.totpSecret, epoch });
  }

  /** A code that was not shown yet: half a minute goes by. */
  async nextCode(): Promise<{ code: string }> {
    this.#clock.advance(30);
    return { code: await this.code() };
  }

  /** A code that is good neither now nor soon. */
  async wrongCode(): Promise<string> {
    const shown = new Set(await Promise.all([-2, -1, 0, 1, 2].map((steps) => this.code(steps))));
    for (let guess = 0; ; guess += 1) {
      const code = String(guess).padStart(6, '0');
      if (!shown.has(code)) return code;
    }
  }

  async signUpUntilFirstCode(userName: string, passphrase: string): Promise<void> {
    await opaque.ready;
    const { clientRegistrationState, registrationRequest } = opaque.client.startRegistration({
      password: passphrase,
    });
    const { registrationResponse } = await this.must(contract.signupStart, { userName, registrationRequest });
    const { registrationRecord } = opaque.client.finishRegistration({
      clientRegistrationState,
      registrationResponse,
      password: passphrase,
      keyStretching: KSF,
    });
    const recoveryPublicKey = rawPublicKey(this.recovery.publicKey);
    const finished = await this.must(contract.signupFinish, {
      userName,
      registrationRecord,
      recoveryPublicKey,
    });
    this.account = finished.account;
    this.totpSecret = finished.totpSecret;
  }

  /** A segment that the session's device signs, in base64url. */
  segmentAfter(head: contract.Head, content?: Uint8Array): string {
    const { device, privateKey } = this.#signer;
    const bytes = segmentAfter(head, content);
    bytes.set(Buffer.from(device, 'base64url'), SEGMENT_HEAD.writerOffset);
    return Buffer.from(signedSegment(this.vault, bytes, privateKey)).toString('base64url');
  }

  #genesis(): Uint8Array {
    return signedSegment(this.vault, segmentAfter(undefined), this.identity.privateKey);
  }

  /** The last step's request, after the first code. */
  async completion(): Promise<Record<string, unknown>> {
    const { vault, inbox } = await this.must(contract.signupVerify, {
      factor: { code: await this.code() },
    });
    this.vault = vault;
    return {
      keyring: { version: 1, bytes: randomBytes(200).toString('base64url') },
      identityPublicKey: rawPublicKey(this.identity.publicKey),
      genesis: Buffer.from(this.#genesis()).toString('base64url'),
      inboxEnvelope: envelopeOf(Buffer.from(inbox.kmsBlob, 'base64url'), 0, 'inbox'),
      device: this.device,
      backupCodeHashes: this.backupCodes.map((code) => this.hashOf(code)),
    };
  }

  async signUp(userName: string, passphrase = 'correct horse battery'): Promise<contract.SignedIn> {
    await this.signUpUntilFirstCode(userName, passphrase);
    return this.must(contract.signupComplete, await this.completion());
  }

  async startSignIn(userName: string, passphrase: string) {
    await opaque.ready;
    const { clientLoginState, startLoginRequest } = opaque.client.startLogin({ password: passphrase });
    const reply = await this.call(contract.signinStart, { userName, startLoginRequest });
    const finish = (loginResponse: string) =>
      opaque.client.finishLogin({
        clientLoginState,
        loginResponse,
        password: passphrase,
        keyStretching: KSF,
      });
    return { reply, finish };
  }

  /** Up to stage `code`. A client that sees the passphrase is wrong sends what a broken one would. */
  async provePassphrase(userName: string, passphrase = 'correct horse battery') {
    const { reply, finish } = await this.startSignIn(userName, passphrase);
    if (!reply.ok) return reply;
    const login = finish(reply.answer.loginResponse);
    const finishLoginRequest = login?.finishLoginRequest ?? randomBytes(64).toString('base64url');
    return this.call(contract.signinFinish, { finishLoginRequest });
  }

  async signIn(userName: string, passphrase = 'correct horse battery'): Promise<contract.SignedIn> {
    const proven = await this.provePassphrase(userName, passphrase);
    if (!proven.ok) throw new Error(`expected the passphrase to be taken, got ${proven.code}`);
    return this.must(contract.signinCode, { factor: await this.nextCode(), device: this.device });
  }

  async proveRecoveryKey(key: RecoveryKey = this.recovery) {
    return this.call(contract.recoveryProve, {
      signature: await this.signWithKit('halfkey/recovery/1', key),
    });
  }

  /** The answer to the broker's challenge. */
  async signWithKit(label: string, key: RecoveryKey = this.recovery): Promise<string> {
    const recoveryPublicKey = rawPublicKey(key.publicKey);
    const { challenge } = await this.must(contract.recoveryStart, { recoveryPublicKey });
    const message = lengthPrefixed(
      label,
      Buffer.from(recoveryPublicKey, 'base64url'),
      Buffer.from(challenge, 'base64url'),
    );
    return sign(null, message, key.privateKey).toString('base64url');
  }

  /** After `proveRecoveryKey`. */
  async recover(newPassphrase: string) {
    const { clientRegistrationState, registrationRequest } = opaque.client.startRegistration({
      password: newPassphrase,
    });
    const { registrationResponse, keyring } = await this.must(contract.recoveryCode, {
      factor: await this.nextCode(),
      registrationRequest,
    });
    const { registrationRecord } = opaque.client.finishRegistration({
      clientRegistrationState,
      registrationResponse,
      password: newPassphrase,
      keyStretching: KSF,
    });
    return {
      registrationRecord,
      keyring: { ...keyring, version: keyring.version + 1 },
      device: this.device,
    };
  }

  hashOf(backupCode: string): string {
    return createHash('sha256')
      .update(lengthPrefixed('halfkey/backup-code/1', this.account, backupCode))
      .digest('base64url');
  }
}

/** Ten, each 80 random bits as the contract writes them. */
export function newBackupCodes(): string[] {
  return Array.from({ length: 10 }, () => Array.from(randomBytes(16), (byte) => BASE32[byte % 32]).join(''));
}

/** Ed25519, 32 bytes in base64url. */
export function rawPublicKey(key: KeyObject): string {
  const { x } = key.export({ format: 'jwk' });
  if (x === undefined) throw new TypeError('expected an Ed25519 key');
  return x;
}
