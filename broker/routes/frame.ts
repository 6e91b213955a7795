import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import * as v from 'valibot';
import { type AccountId, VaultId } from '../contract/ids.ts';
import { LIMITS } from '../contract/limits.ts';
import type { Route, Stage } from '../contract/route.ts';
import { BrokerProblem } from '../domain/problem.ts';
import type { Session } from '../domain/account/session.ts';
import type { VaultRecord } from '../domain/vault/vault-record.ts';
import { answerProblem } from './answer-problem.ts';
import { type Cookies, createCookies } from './cookies.ts';

/** One request that was let through to its handler. */
export interface Call<Request> {
  /** Of the stage that the route asks for. @throws TypeError on a route of stage `none` */
  readonly session: Session;
  readonly request: Request;
  /** Parsed, and the session's account is a member of it. @throws TypeError where the path has no `:vault` */
  readonly vault: VaultId;
  /** The vault's, as it was when the membership was checked. @throws TypeError where the path has no `:vault` */
  readonly record: VaultRecord;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
  readonly cookies: Cookies;
}

/** Does what a route is for; its answer is written as JSON, undefined as 204. It throws BrokerProblem. */
export type Handler<R extends Route> = (
  call: Call<v.InferOutput<R['request']>>,
) => Promise<v.InferInput<R['answer']>>;

/** What the log may say of a request beyond method and status. */
export interface FrameEnv {
  Variables: { route?: string; account?: AccountId; problem?: string };
}

export interface FrameDeps {
  /** Exact, as a browser sends it: `https://drive.example`. */
  readonly origin: string;
  /**
   * @param claimed may be told of the account before the session has been found to be live
   * @throws BrokerProblem `session_missing` unless the token is good for exactly this stage
   */
  readonly verifySession: (
    token: string,
    stage: Session['stage'],
    claimed?: (account: AccountId) => void,
  ) => Promise<Session>;
  /** @throws BrokerProblem `not_a_member` */
  readonly requireMember: (account: AccountId, vault: VaultId) => Promise<VaultRecord>;
  /** Called for each request that nobody is fully signed in for. @throws BrokerProblem `too_many_requests` */
  readonly limitAddress: (context: Context) => void;
}

/** The Hono app, and what lets a request through to a contract route. */
export interface Frame {
  readonly app: Hono<FrameEnv>;
  readonly deps: FrameDeps;
}

export function createFrame(deps: FrameDeps): Frame {
  return { app: new Hono<FrameEnv>(), deps };
}

/**
 * Serves a route of the contract. In this order: origin (where state changes), size, parse, session of exactly the route's
 * stage, membership in the path's vault, handler.
 */
export function register<R extends Route>(frame: Frame, route: R, handler: Handler<R>): void {
  const maxSize = route.bulk ? LIMITS.maxBulkBodyBytes : LIMITS.maxBodyBytes;
  const limit = bodyLimit({ maxSize, onError: () => answerProblem(new BrokerProblem('input_too_large')) });
  frame.app.on(route.method, route.path, limit, async (context) => {
    context.set('route', route.path);
    if (route.stage !== 'full') frame.deps.limitAddress(context);
    if (route.method !== 'GET') requireOwnOrigin(context, frame.deps.origin);
    const request = parse(route.request, await readRequest(context, route));
    const call = await admit(frame, context, route.stage, request);
    const answer = (await handler(call)) as Record<string, unknown> | undefined;
    return answer === undefined ? context.body(null, 204) : context.json(answer);
  });
}

/**
 * Serves a GET whose answer is a stream: no body, no query; session and membership as for `register`. A HEAD comes here too, as to
 * each GET, and is answered without a stream: its body would be thrown away unread, and what writes it would never hear of that.
 * @param type the stream's content type
 */
export function registerStream(
  frame: Frame,
  path: string,
  stage: Stage,
  type: string,
  handler: (call: Call<undefined>, context: Context<FrameEnv>) => Promise<Response> | Response,
): void {
  frame.app.get(path, async (context) => {
    context.set('route', path);
    const call = await admit(frame, context, stage, undefined);
    // nginx, and what has learnt it from nginx, hold an answer back until there are some kilobytes of it, unless told not to.
    context.header('x-accel-buffering', 'no');
    if (context.req.method === 'HEAD') {
      return context.body(null, 200, { 'content-type': type, 'cache-control': 'no-cache' });
    }
    return handler(call, context);
  });
}

async function admit<Request>(
  { deps }: Frame,
  context: Context<FrameEnv>,
  stage: Stage,
  request: Request,
): Promise<Call<Request>> {
  const cookies = createCookies(context, deps.origin.startsWith('https:'));
  const named = context.req.param('vault');
  const vault = named === undefined ? undefined : parse(VaultId, named, 'vault');
  // Read while the account is, and looked at only once the session has been found to be live.
  let reading: Promise<VaultRecord> | undefined;
  const begin = (account: AccountId): void => {
    if (!vault) return;
    reading = deps.requireMember(account, vault);
    reading.catch(() => undefined);
  };
  const session = stage === 'none' ? undefined : await verifiedSession(deps, cookies, stage, begin);
  if (session) context.set('account', session.account);
  const record = session && vault ? await (reading ?? deps.requireMember(session.account, vault)) : undefined;
  return {
    request,
    cookies,
    signal: context.req.raw.signal,
    get session() {
      if (!session) throw new TypeError('a route of stage none has no session');
      return session;
    },
    get vault() {
      if (!session || !vault) throw new TypeError('this path names no vault');
      return vault;
    },
    get record() {
      if (!record) throw new TypeError('this path names no vault');
      return record;
    },
  };
}

/** By whichever of the session's cookies is good. @throws BrokerProblem `session_missing` when none is */
export async function verifiedSession(
  deps: Pick<FrameDeps, 'verifySession'>,
  cookies: Cookies,
  stage: Session['stage'],
  claimed?: (account: AccountId) => void,
): Promise<Session> {
  for (const token of cookies.read(stage === 'full' ? 'session' : 'stage')) {
    try {
      return await deps.verifySession(token, stage, claimed);
    } catch (error) {
      if (!(error instanceof BrokerProblem && error.code === 'session_missing')) throw error;
    }
  }
  throw new BrokerProblem('session_missing');
}

/** A page of another site can send no JSON with our origin; a form of another site sends no JSON at all. */
function requireOwnOrigin(context: Context, origin: string): void {
  const sameOrigin =
    context.req.header('origin') === origin && context.req.header('sec-fetch-site') === 'same-origin';
  if (!sameOrigin) throw new BrokerProblem('origin_refused');
}

const JSON_TYPE = /^application\/json(?:; ?charset=utf-8)?$/i;

async function readRequest(context: Context, route: Route): Promise<unknown> {
  if (route.method === 'GET') return Object.fromEntries(new URL(context.req.url).searchParams);
  if (!JSON_TYPE.test(context.req.header('content-type') ?? '')) {
    throw new BrokerProblem('input_malformed', { fields: ['content-type'] });
  }
  try {
    return JSON.parse(await context.req.text()) as unknown;
  } catch (cause) {
    throw new BrokerProblem('input_malformed', { cause });
  }
}

function parse<S extends v.GenericSchema>(schema: S, input: unknown, name = ''): v.InferOutput<S> {
  // Only the first fault is looked for: a list of a million is 2 MiB, and naming each would take seconds and gigabytes.
  const result = v.safeParse(schema, input, { abortEarly: true });
  if (result.success) return result.output;
  const fields = result.issues.map((issue) => fieldOf(issue) ?? name).filter((field) => field !== '');
  throw new BrokerProblem('input_malformed', { fields });
}

/** What a member's name looks like; one that no schema knows may be any text of the sender's, and is not repeated then. */
const PLAIN_NAME = /^\w{1,32}$/;

/** Where a fault lies. */
function fieldOf(issue: v.GenericIssue): string | undefined {
  const last = issue.path?.at(-1)?.key;
  const [first, ...rest] = typeof last === 'string' && !PLAIN_NAME.test(last) ? [] : (issue.path ?? []);
  return first && (v.getDotPath({ ...issue, path: [first, ...rest] }) ?? undefined);
}
