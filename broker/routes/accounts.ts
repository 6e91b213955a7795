import * as contract from '../contract/accounts.ts';
import type { AccountVaults } from '../domain/account/accounts.ts';
import type { EventLog } from '../domain/state/event-log.ts';
import type { Grants } from '../domain/auth/grants.ts';
import { STATE_SECONDS } from '../domain/auth/one-time-state.ts';
import { BrokerProblem } from '../domain/problem.ts';
import type { createRecovery } from '../domain/auth/recovery.ts';
import type { createFactorReset } from '../domain/auth/factor-reset.ts';
import type { Session } from '../domain/account/session.ts';
import { DEVICE_SECONDS } from '../domain/auth/sessions.ts';
import type { Issued } from '../domain/auth/signed-in.ts';
import type { SignOut } from '../domain/auth/signing-out.ts';
import type { createSignin } from '../domain/auth/signin.ts';
import type { createSignup } from '../domain/auth/signup.ts';
import type { Unlock } from '../domain/vault/unlocking.ts';
import type { Cookies } from './cookies.ts';
import { type Frame, register } from './frame.ts';
import { releasedAnswer } from './released-answer.ts';

export interface AccountRouteDeps {
  readonly signup: ReturnType<typeof createSignup>;
  readonly signin: ReturnType<typeof createSignin>;
  readonly recovery: ReturnType<typeof createRecovery>;
  readonly factorReset: ReturnType<typeof createFactorReset>;
  readonly signOut: SignOut;
  readonly unlock: Unlock;
  readonly grants: Grants;
  readonly events: EventLog;
  readonly vaults: AccountVaults;
}

/** Everything in contract/accounts.ts. */
export function createAccountRoutes(frame: Frame, deps: AccountRouteDeps): void {
  signupRoutes(frame, deps);
  signinRoutes(frame, deps);
  recoveryRoutes(frame, deps);
  sessionRoutes(frame, deps);
}

function signupRoutes(frame: Frame, { signup }: AccountRouteDeps): void {
  register(frame, contract.signupStart, async ({ request, cookies }) =>
    keepState(cookies, await signup.start(request)),
  );
  register(frame, contract.signupFinish, async ({ request, cookies, jkt }) =>
    admitTo(cookies, await signup.finish(request, takeState(cookies), jkt)),
  );
  register(frame, contract.signupVerify, async ({ session, request, cookies }) =>
    admitTo(cookies, await signup.verify(session, request)),
  );
  register(frame, contract.signupComplete, async ({ session, request, cookies }) =>
    admitTo(cookies, await signup.complete(session, request)),
  );
}

function signinRoutes(frame: Frame, { signin }: AccountRouteDeps): void {
  register(frame, contract.signinStart, async ({ request, cookies, network }) =>
    keepState(cookies, await signin.start(request, cookies.read('device'), network)),
  );
  register(frame, contract.signinFinish, async ({ request, cookies, jkt }) =>
    admitTo(cookies, await signin.finish(request, takeState(cookies), jkt)),
  );
  register(frame, contract.signinCode, async ({ session, request, cookies }) =>
    admitTo(cookies, await signin.code(session, request)),
  );
}

function recoveryRoutes(frame: Frame, { recovery }: AccountRouteDeps): void {
  register(frame, contract.recoveryStart, async ({ request, cookies }) =>
    keepState(cookies, await recovery.start(request)),
  );
  register(frame, contract.recoveryProve, async ({ request, cookies, jkt }) =>
    admitTo(cookies, await recovery.prove(request, takeState(cookies), jkt)),
  );
  register(frame, contract.recoveryCode, async ({ session, request, cookies }) =>
    admitTo(cookies, await recovery.code(session, request)),
  );
  register(frame, contract.recoveryComplete, async ({ session, request, cookies }) =>
    admitTo(cookies, await recovery.complete(session, request)),
  );
}

function sessionRoutes(frame: Frame, deps: AccountRouteDeps): void {
  const { signOut, unlock, grants, events, factorReset, vaults } = deps;

  register(frame, contract.sessionRead, async ({ session }) => {
    const [memberships, pending] = await Promise.all([
      vaults.memberships(session.account),
      factorReset.pending(session),
    ]);
    return {
      account: session.account,
      device: deviceOf(session),
      vaults: memberships,
      ...(pending && { factorReset: pending }),
    };
  });
  register(frame, contract.sessionEnd, async ({ session, cookies }) => {
    await signOut(session);
    cookies.drop('session');
    return {};
  });
  register(frame, contract.grantBuy, async ({ session, request }) => {
    const { released, ...grant } = await unlock(session, request);
    if (!released) return grant;
    const { urls, ...files } = released;
    return { ...grant, released: { ...releasedAnswer(files), urls: [...urls] } };
  });
  register(frame, contract.grantEnd, async ({ session, request }) => {
    await grants.end(session, request.grant);
    return {};
  });
  register(frame, contract.eventsRead, ({ session, request }) => events.read(session.account, request.from));
}

/** Hands a flow's token to the browser. */
export function admitTo<Answer>(cookies: Cookies, result: { answer: Answer; issued: Issued }): Answer {
  const { token, seconds, stage, sessionId, deviceToken } = result.issued;
  cookies.tell(stage, sessionId);
  cookies.write(stage === 'full' ? 'session' : 'stage', token, seconds);
  if (stage === 'full') cookies.drop('stage');
  if (deviceToken !== undefined) cookies.write('device', deviceToken, DEVICE_SECONDS);
  return result.answer;
}

function keepState<Answer>(cookies: Cookies, result: { answer: Answer; state: string }): Answer {
  cookies.write('state', result.state, STATE_SECONDS);
  return result.answer;
}

/** What lay between two messages of a login, and is good once: each value that came as such, see Cookies.read. */
export function takeState(cookies: Cookies): readonly string[] {
  const state = cookies.read('state');
  cookies.drop('state');
  return state;
}

function deviceOf({ device }: Session) {
  if (!device) throw new BrokerProblem('session_missing');
  return device;
}
