import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import type * as contract from '../../contract/accounts.ts';
import { AccountId } from '../../contract/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import { type Accounts, sameEpoch, withSession } from '../account/accounts.ts';
import { lengthPrefixed } from '../state/length-prefixed.ts';
import type { LoginOrigin } from './login-pace.ts';
import type { OneTimeState } from './one-time-state.ts';
import type { OpaqueServer } from './opaque-server.ts';
import { BrokerProblem } from '../problem.ts';
import { keptProof, newProof } from './proof.ts';
import type { SecondFactor } from './second-factor.ts';
import type { Session } from '../account/session.ts';
import { FULL_SECONDS, newSessionId } from './sessions.ts';
import { type Issued, issueStage, welcome, type WelcomeDeps } from './signed-in.ts';

type Request<R extends { request: v.GenericSchema }> = v.InferOutput<R['request']>;

/** What the last message of a login is judged with. */
export interface LoginDeps {
  readonly opaque: OpaqueServer;
  readonly state: OneTimeState;
}

export interface SigninDeps extends WelcomeDeps, LoginDeps {
  readonly accounts: Accounts;
  readonly secondFactor: SecondFactor;
  readonly countLogin: (nameId: string, origin: LoginOrigin) => Promise<void>;
  readonly clock: Clock;
  /** 32 bytes; from it comes the account id that a name without an account is looked up under. */
  readonly nameKey: Uint8Array;
}

/**
 * Bound to one account; `epoch` is that of its sessions, or -1 for a name that nobody has. It is padded, because
 * encryption hides no length, and the length of the cookie would tell a known name from another.
 */
const LoginState = v.strictObject({
  account: AccountId,
  epoch: v.pipe(v.string(), v.transform(Number), v.integer()),
  loginState: v.string(),
});
const EPOCH_CHARACTERS = 16;

/** Longer than the lookups take, as a rule, and short beside the client's Argon2id. */
const EVEN_MS = 100;

/**
 * The store answers a shade faster for what does not exist. From its call on, the returned function waits until a
 * multiple of EVEN_MS has passed, so that both are answered at the same moment.
 */
function evenTime(): () => Promise<void> {
  const begunAt = performance.now();
  return async () => {
    const restMs = EVEN_MS - ((performance.now() - begunAt) % EVEN_MS);
    await delay(restMs);
  };
}

/**
 * Whose passphrase a login has proven, and the session epoch when it began.
 * @throws BrokerProblem `login_expired`, `login_refused`
 */
export async function finishLogin(
  { opaque, state }: LoginDeps,
  finishLoginRequest: string,
  sealedStates: readonly string[],
): Promise<{ readonly account: AccountId; readonly epoch: number }> {
  const { account, epoch, loginState } = await state.open('login', LoginState, sealedStates);
  opaque.finishLogin(loginState, finishLoginRequest);
  if (epoch < 0) throw new BrokerProblem('login_refused');
  return { account, epoch };
}

/**
 * OPAQUE, then a code, and only then the keyring. An unknown name goes the same way as a known one: the same reads and
 * writes in the store, the same work, the same lengths.
 */
export function createSignin(deps: SigninDeps) {
  const { accounts, opaque, state, clock } = deps;

  function absentAccount(nameId: string): AccountId {
    const bytes = createHmac('sha256', deps.nameKey)
      .update(lengthPrefixed('halfkey/absent/1', nameId))
      .digest();
    return v.parse(AccountId, bytes.subarray(0, 16).toString('base64url'));
  }

  async function lookUp(nameId: string) {
    const account = (await accounts.named(nameId)) ?? absentAccount(nameId);
    return { account, record: await accounts.read(account) };
  }

  return {
    /**
     * @param deviceTokens of the cookies of a device that signed in before
     * @param network where the request comes from, see LoginOrigin
     */
    async start(
      { userName, startLoginRequest }: Request<typeof contract.signinStart>,
      deviceTokens: readonly string[],
      network: string,
    ): Promise<{ answer: { loginResponse: string }; state: string }> {
      const nameId = accounts.nameIdOf(userName);
      const knownDevice = await deps.sessions.knownDevice(deviceTokens, nameId);
      const even = evenTime();
      // Looked up while it is counted, and not told before that is done.
      const [{ account, record }] = await Promise.all([
        lookUp(nameId),
        deps.countLogin(nameId, { network, knownDevice }),
      ]);
      const active = record?.phase === 'active' && record.nameId === nameId ? record : undefined;
      const { loginState, loginResponse } = opaque.startLogin(
        active?.credentialId ?? opaque.absentId(nameId),
        active?.opaqueRecord,
        startLoginRequest,
      );
      const content: v.InferInput<typeof LoginState> = {
        account,
        epoch: String(active?.sessionEpoch ?? -1).padStart(EPOCH_CHARACTERS),
        loginState,
      };
      const sealed = await state.seal('login', content);
      await even();
      return { answer: { loginResponse }, state: sealed };
    },

    async finish(
      { finishLoginRequest }: Request<typeof contract.signinFinish>,
      sealedStates: readonly string[],
      jkt: string,
    ): Promise<{ answer: { account: AccountId }; issued: Issued }> {
      const { account, epoch } = await finishLogin(deps, finishLoginRequest, sealedStates);
      const session: Session = {
        account,
        device: undefined,
        sessionId: newSessionId(),
        stage: 'code',
        jkt,
      };
      return { answer: { account }, issued: await issueStage(deps.sessions, session, epoch) };
    },

    async code(before: Session, { factor, device }: Request<typeof contract.signinCode>) {
      const session = { ...before, device: device.id, sessionId: newSessionId(), stage: 'full' } as const;
      const proof = newProof();
      const live = {
        id: session.sessionId,
        device: device.id,
        expiresAtMs: clock() + FULL_SECONDS * 1000,
        proof: keptProof(proof, clock()),
      };
      // Ciphertext of the account's own, on its way while the code is judged; it is answered to no other.
      const isLocked = ((await accounts.recall(session.account))?.factor.lockedUntilMs ?? 0) > clock();
      const opened = isLocked ? undefined : deps.vaults.open(session.account);
      opened?.catch(() => undefined);
      deps.events.head(session.account).catch(() => undefined);
      const { record, beside: grant } = await deps.secondFactor.acceptBeside(
        before,
        factor,
        () => deps.grants.issue(session, { kind: 'release' }),
        (stored) => withSession(sameEpoch(stored, before), live, device, clock()),
      );
      await deps.events.append(session.account, { kind: 'signed-in', device: device.id });
      return welcome(deps, session, record, { proof, grant, ...(opened && { opened }) });
    },
  };
}
