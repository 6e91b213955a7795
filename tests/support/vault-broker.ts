import type { Route } from '$contract/route.ts';
import type { VaultId } from '$contract/ids.ts';
import { BrokerProblem } from '../../broker/domain/problem.ts';
import type { Session } from '../../broker/domain/account/session.ts';
import { answerProblem } from '../../broker/routes/answer-problem.ts';
import { createFrame } from '../../broker/routes/frame.ts';
import { createVaultRoutes } from '../../broker/routes/vaults.ts';
import type { TestVaultSide } from './vault-side.ts';
import { APP_ORIGIN } from './vault-cloud.ts';

/** The vaults' routes alone; a session's token is its `sessionId`. */
export function serveVaults({ side }: TestVaultSide, sessions: readonly Session[]) {
  const frame = createFrame({
    origin: APP_ORIGIN,
    verifySession: (token, stage) => {
      const session = sessions.find(({ sessionId }) => sessionId === token);
      return session?.stage === stage
        ? Promise.resolve(session)
        : Promise.reject(new BrokerProblem('session_missing'));
    },
    requireMember: (account, vault) => side.requireMember(account, vault),
    limitAddress: () => undefined,
  });
  frame.app.onError((error) =>
    answerProblem(error instanceof BrokerProblem ? error : new BrokerProblem('internal', { cause: error })),
  );
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
  const cookie: Record<string, string> = session ? { cookie: `halfkey=${session.sessionId}` } : {};
  if (route.method === 'GET') {
    const query = new URLSearchParams(request as Record<string, string>).toString();
    return app.request(`${APP_ORIGIN}${path}?${query}`, { headers: cookie });
  }
  return app.request(`${APP_ORIGIN}${path}`, {
    method: route.method,
    headers: {
      ...cookie,
      origin: APP_ORIGIN,
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/json',
    },
    body: JSON.stringify(request),
  });
}

/** The parsed answer of a request that is expected to succeed. */
export async function answer<Answer>(response: Response): Promise<Answer> {
  if (response.status !== 200)
    throw new Error(`expected 200, got ${String(response.status)}: ${await response.text()}`);
  return (await response.json()) as Answer;
}
