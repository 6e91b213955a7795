import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import * as v from 'valibot';
import { type AccountId, GrantId, VaultId } from '../contract/ids.ts';
import { LIMITS } from '../contract/limits.ts';
import { NONCE_HEADER, PROOF_HEADER, type Route, STALE_NONCE } from '../contract/route.ts';
import { BrokerProblem } from '../domain/problem.ts';
import type { Session } from '../domain/account/session.ts';
import type { Possession, Proof } from '../domain/auth/possession.ts';
import type { ClaimedSession } from '../domain/auth/sessions.ts';
import type { VaultRecord } from '../domain/vault/vault-record.ts';
import { answerProblem } from './answer-problem.ts';
import { type Cookies, createCookies } from './cookies.ts';

/** One request that was let through to its handler. */
export interface Call<Request, Ahead = undefined> {
  /** Of the stage that the route asks for. @throws TypeError on a route of stage `none` */
  readonly session: Session;
  /** Thumbprint of the key that has signed the request. @throws TypeError on a route that begins no session */
  readonly jkt: string;
  readonly request: Request;
  /** Where the request comes from, see neighbourhoodOf. */
  readonly network: string;
  /** Parsed, and the session's account is a member of it. @throws TypeError where the path has no `:vault` */
  readonly vault: VaultId;
  /** The vault's, as it was when the membership was checked. @throws TypeError where the path has no `:vault` */
  readonly record: VaultRecord;
  /** What the route's `lookAhead` has begun. */
  readonly ahead: Ahead | undefined;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
  readonly cookies: Cookies;
}

/** Does what a route is for; its answer is written as JSON, undefined as 204. It throws BrokerProblem. */
export type Handler<R extends Route, Ahead = undefined> = (
  call: Call<v.InferOutput<R['request']>, Ahead>,
) => Promise<v.InferInput<R['answer']>>;

/**
 * Begins to read what the handler will need, while session and membership are looked at: the token is ours, the request
 * was made with its key, and nobody is told of what is found unless they are let through. It changes nothing.
 */
export type LookAhead<Request, Ahead> = (
  about: Pick<Session, 'account'> & { readonly vault: VaultId; readonly request: Request },
) => Ahead | undefined;

/** What the log may say of a request beyond method and status. */
export interface FrameEnv {
  Variables: { route?: string; account?: AccountId; problem?: string; nonce?: string };
}

export interface FrameDeps {
  /** Exact, as a browser sends it: `https://drive.example`. */
  readonly origin: string;
  /**
   * @param claimed told what the token says before the session has been found to be live; what it throws comes through
   * @throws BrokerProblem `session_missing` unless the token is good for exactly this stage
   */
  readonly verifySession: (
    token: string,
    stage: Session['stage'],
    claimed?: (claims: ClaimedSession) => void,
  ) => Promise<Session>;
  readonly possession: Possession;
  /** @throws BrokerProblem `not_a_member` */
  readonly requireMember: (account: AccountId, vault: VaultId) => Promise<VaultRecord>;
  /** Has a grant that the request names read while its session is looked at; see Grants.readAhead. */
  readonly readGrant: (account: AccountId, grant: GrantId) => Promise<void>;
  /**
   * Whether the token is ours, of this stage, and not over. Asks no store: whether its session lives is still to be
   * seen.
   */
  readonly recognises: (token: string, stage: Session['stage']) => Promise<boolean>;
  /**
   * Counts a request by its address: of those without a session fewer may come than of others.
   * @throws BrokerProblem `too_many_requests`
   */
  readonly limitAddress: (context: Context, who: 'stranger' | 'anybody') => void;
  readonly networkOf: (context: Context) => string;
}

/** The Hono app, and what lets a request through to a contract route. */
export interface Frame {
  readonly app: Hono<FrameEnv>;
  readonly deps: FrameDeps;
}

export function createFrame(deps: FrameDeps): Frame {
  const app = new Hono<FrameEnv>();
  // Refusals have it too: the next request is to be good at the first try.
  app.use('/api/*', async (context, next) => {
    await next();
    const nonce = context.get('nonce');
    if (nonce !== undefined) context.header(NONCE_HEADER, nonce);
    if (context.get('problem') === 'nonce_stale') {
      context.header('www-authenticate', `DPoP error="${STALE_NONCE}"`);
    }
  });
  return { app, deps };
}

/**
 * Serves a route of the contract. In this order: address, origin (where state changes), size, parse, token of exactly
 * the route's stage, proof that the request was made with the session's key, session, membership in the path's vault,
 * handler.
 */
export function register<R extends Route, Ahead = undefined>(
  frame: Frame,
  route: R,
  handler: Handler<R, Ahead>,
  lookAhead?: LookAhead<v.InferOutput<R['request']>, Ahead>,
): void {
  const maxSize = route.bulk ? LIMITS.maxBulkBodyBytes : LIMITS.maxBodyBytes;
  const limit = bodyLimit({ maxSize, onError: () => answerProblem(new BrokerProblem('input_too_large')) });
  frame.app.on(route.method, route.path, knock(frame, route), limit, async (context) => {
    const body = await readBody(context, route);
    const request = parse(route.request, readRequest(context, route, body));
    const call = await admit(frame, context, route, { body, request, lookAhead });
    const answer = (await handler(call)) as Record<string, unknown> | undefined;
    return answer === undefined ? context.body(null, 204) : context.json(answer);
  });
}

/**
 * Serves a GET whose answer is a stream: no body, no query; session and membership as for `register`. A HEAD comes here
 * too, as to each GET, and is answered without a stream: its body would be thrown away unread, and what writes it would
 * never hear of that.
 * @param type the stream's content type
 */
export function registerStream(
  frame: Frame,
  route: Pick<Route, 'method' | 'path' | 'stage'>,
  type: string,
  handler: (call: Call<undefined>, context: Context<FrameEnv>) => Promise<Response> | Response,
): void {
  frame.app.get(route.path, knock(frame, route), async (context) => {
    const call = await admit<undefined, undefined>(frame, context, route, {
      body: NOTHING,
      request: undefined,
    });
    // nginx, and what has learnt it from nginx, hold an answer back until there are some kilobytes of it, unless told
    // not to.
    context.header('x-accel-buffering', 'no');
    if (context.req.method === 'HEAD') {
      return context.body(null, 200, { 'content-type': type, 'cache-control': 'no-cache' });
    }
    return handler(call, context);
  });
}

/**
 * Before anything is read of the body: how many came from this address, and whether there is a token at all that could
 * open the route. What is asked with a session that has ended counts as a stranger's.
 */
function knock(
  { deps }: Frame,
  { method, path, stage }: Pick<Route, 'method' | 'path' | 'stage'>,
): MiddlewareHandler<FrameEnv> {
  return async (context, next) => {
    context.set('route', path);
    deps.limitAddress(context, stage === 'full' ? 'anybody' : 'stranger');
    if (method !== 'GET') requireOwnOrigin(context, deps.origin);
    if (stage === 'full' && !(await isRecognised(deps, context, stage))) {
      deps.limitAddress(context, 'stranger');
      throw new BrokerProblem('session_missing');
    }
    await next();
    if (stage === 'full' && context.get('problem') === 'session_missing')
      deps.limitAddress(context, 'stranger');
  };
}

async function isRecognised(
  deps: FrameDeps,
  context: Context<FrameEnv>,
  stage: Session['stage'],
): Promise<boolean> {
  const cookies = createCookies(context, deps.origin.startsWith('https:'));
  for (const token of cookies.read(stage === 'full' ? 'session' : 'stage')) {
    if (await deps.recognises(token, stage)) return true;
  }
  return false;
}

async function admit<Request, Ahead>(
  { deps }: Frame,
  context: Context<FrameEnv>,
  route: Pick<Route, 'stage' | 'beginsSession' | 'cookieAlone' | 'takesGrant'>,
  asked: {
    readonly body: Uint8Array;
    readonly request: Request;
    readonly lookAhead?: LookAhead<Request, Ahead> | undefined;
  },
): Promise<Call<Request, Ahead>> {
  const { body, request, lookAhead } = asked;
  const cookies = createCookies(context, deps.origin.startsWith('https:'));
  const named = context.req.param('vault');
  const vault = named === undefined ? undefined : parse(VaultId, named, 'vault');
  const { stage } = route;
  const proof = await openProof(deps, context, body);
  if (proof) context.set('nonce', deps.possession.nonceFor(proof.jkt));
  if (route.beginsSession) requireProof(proof);
  // Read while the account is, and looked at only once the session has been found to be live.
  let reading: Promise<VaultRecord> | undefined;
  let granted: Promise<void> | undefined;
  let ahead: Ahead | undefined;
  const begin = ({ account, sessionId, jkt }: ClaimedSession): void => {
    if (!route.cookieAlone) requireProof(proof, { sessionId, jkt });
    if (!vault) return;
    const grant = v.safeParse(Granted, request);
    if (route.takesGrant && grant.success) granted = deps.readGrant(account, grant.output.grant);
    reading = deps.requireMember(account, vault);
    reading.catch(() => undefined);
    ahead = lookAhead?.({ account, vault, request });
  };
  const verified = stage === 'none' ? undefined : await verifiedSession(deps, cookies, stage, begin);
  const session = verified && proof ? { ...verified, proofId: proof.id } : verified;
  if (session) context.set('account', session.account);
  const record = session && vault ? await (reading ?? deps.requireMember(session.account, vault)) : undefined;
  await granted;
  return {
    request,
    ahead,
    cookies,
    network: deps.networkOf(context),
    signal: context.req.raw.signal,
    get session() {
      if (!session) throw new TypeError('a route of stage none has no session');
      return session;
    },
    get jkt() {
      if (!proof || !route.beginsSession)
        throw new TypeError('a session that has begun has a key of its own');
      return proof.jkt;
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

/** A request that a grant comes with. */
const Granted = v.object({ grant: GrantId });

/** By whichever of the session's cookies is good. @throws BrokerProblem `session_missing` when none is */
export async function verifiedSession(
  deps: Pick<FrameDeps, 'verifySession'>,
  cookies: Cookies,
  stage: Session['stage'],
  claimed?: (claims: ClaimedSession) => void,
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

async function openProof(
  { possession, origin }: FrameDeps,
  context: Context<FrameEnv>,
  body: Uint8Array,
): Promise<Proof | undefined> {
  const { pathname, search } = new URL(context.req.url);
  return possession.open(context.req.header(PROOF_HEADER), {
    method: context.req.method,
    address: `${origin}${pathname}`,
    query: search.slice(1),
    body,
  });
}

/**
 * A copied cookie is worth nothing: who shows it has to have the key, too.
 * @param of the session that the proof must be for; absent where it begins one
 * @throws BrokerProblem `session_missing`; `nonce_stale`: the key is the right one, and nothing was done
 */
function requireProof(
  proof: Proof | undefined,
  of?: Pick<ClaimedSession, 'sessionId' | 'jkt'>,
): asserts proof {
  const fits = proof && (!of || (proof.jkt === of.jkt && proof.sid === of.sessionId));
  if (!fits) throw new BrokerProblem('session_missing');
  if (!proof.isFresh) throw new BrokerProblem('nonce_stale');
}

/** A page of another site can send no JSON with our origin; a form of another site sends no JSON at all. */
function requireOwnOrigin(context: Context, origin: string): void {
  const sameOrigin =
    context.req.header('origin') === origin && context.req.header('sec-fetch-site') === 'same-origin';
  if (!sameOrigin) throw new BrokerProblem('origin_refused');
}

const JSON_TYPE = /^application\/json(?:; ?charset=utf-8)?$/i;

const NOTHING = new Uint8Array();

async function readBody(context: Context, { method }: Route): Promise<Uint8Array> {
  return method === 'GET' ? NOTHING : new Uint8Array(await context.req.arrayBuffer());
}

function readRequest(context: Context, route: Route, body: Uint8Array): unknown {
  if (route.method === 'GET') return Object.fromEntries(new URL(context.req.url).searchParams);
  if (!JSON_TYPE.test(context.req.header('content-type') ?? '')) {
    throw new BrokerProblem('input_malformed', { fields: ['content-type'] });
  }
  try {
    return JSON.parse(new TextDecoder().decode(body)) as unknown;
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

/**
 * What a member's name looks like; one that no schema knows may be any text of the sender's, and is not repeated then.
 */
const PLAIN_NAME = /^\w{1,32}$/;

/** Where a fault lies. */
function fieldOf(issue: v.GenericIssue): string | undefined {
  const last = issue.path?.at(-1)?.key;
  const [first, ...rest] = typeof last === 'string' && !PLAIN_NAME.test(last) ? [] : (issue.path ?? []);
  return first && (v.getDotPath({ ...issue, path: [first, ...rest] }) ?? undefined);
}
