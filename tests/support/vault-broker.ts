import { PROOF_HEADER, type Route } from '$contract/route.ts';
import type { VaultId } from '$contract/ids.ts';
import { BrokerProblem } from '../../broker/domain/problem.ts';
import type { Session } from '../../broker/domain/account/session.ts';
import { createPossession } from '../../broker/domain/auth/possession.ts';
import { answerProblem } from '../../broker/routes/answer-problem.ts';
import { createFrame } from '../../broker/routes/frame.ts';
import { createVaultRoutes } from '../../broker/routes/vaults.ts';
import { TestSessionKey } from './session-key.ts';
import type { TestVaultSide } from './vault-side.ts';
import { APP_ORIGIN } from './vault-cloud.ts';

/** Of all sessions here. */
const SESSION_KEY = new TestSessionKey();
const possession = createPossession(Buffer.alloc(32, 8), () => Date.now());

/** The vaults' routes alone; a session's token is its `sessionId`. */
export function serveVaults({ side }: TestVaultSide, sessions: readonly Session[]) {
  const frame = createFrame({
    origin: APP_ORIGIN,
    verifySession: async (token, stage, claimed) => {
      const session = sessions.find(({ sessionId }) => sessionId === token);
      if (session?.stage !== stage) throw new BrokerProblem('session_missing');
      claimed?.({ ...session, jkt: await SESSION_KEY.jkt() });
      return session;
    },
    possession,
    recognises: () => Promise.resolve(true),
    networkOf: () => '192.0.2.1',
    readGrant: () => Promise.resolve(),
    requireMember: (account, vault) => side.requireMember(account, vault),
    limitAddress: () => undefined,
  });
  frame.app.onError((error, context) => {
    const problem = error instanceof BrokerProblem ? error : new BrokerProblem('internal', { cause: error });
    context.set('problem', problem.code);
    return answerProblem(problem);
  });
  createVaultRoutes({ frame, side });
  return frame.app;
}
type Served = ReturnType<typeof serveVaults>;

/** A request as the client makes it. */
export async function ask(
  app: Served,
  session: Session | undefined,
  route: Pick<Route, 'method' | 'path'>,
  vault: VaultId | string,
  request: unknown,
): Promise<Response> {
  const path = route.path.replace(':vault', encodeURIComponent(vault));
  if (route.method === 'GET') {
    const query = new URLSearchParams(request as Record<string, string>).toString();
    const asked = query === '' ? path : `${path}?${query}`;
    return app.request(`${APP_ORIGIN}${asked}`, { headers: await signed(session, 'GET', asked) });
  }
  const body = JSON.stringify(request);
  return app.request(`${APP_ORIGIN}${path}`, {
    method: route.method,
    headers: {
      ...(await signed(session, route.method, path, body)),
      origin: APP_ORIGIN,
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/json',
    },
    body,
  });
}

/** The cookie of a session, and the proof that the request is its own. @param path with its query */
export async function signed(
  session: Pick<Session, 'sessionId'> | undefined,
  method: string,
  path: string,
  body?: string,
): Promise<Record<string, string>> {
  if (!session) return {};
  const { sessionId: sid } = session;
  const nonce = possession.nonceFor(await SESSION_KEY.jkt());
  const proof = await SESSION_KEY.prove({ method, url: `${APP_ORIGIN}${path}`, body, sid }, { nonce });
  return { cookie: `halfkey=${sid}`, [PROOF_HEADER]: proof };
}

/** The parsed answer of a request that is expected to succeed. */
export async function answer<Answer>(response: Response): Promise<Answer> {
  if (response.status !== 200)
    throw new Error(`expected 200, got ${String(response.status)}: ${await response.text()}`);
  return (await response.json()) as Answer;
}
