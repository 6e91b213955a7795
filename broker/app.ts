import type { Context, MiddlewareHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { requestId } from 'hono/request-id';
import { timeout } from 'hono/timeout';
import type { Logger } from 'pino';
import { uploadComplete } from './contract/vaults.ts';
import type { Domain } from './domain/domain.ts';
import { BrokerProblem } from './domain/problem.ts';
import type { Clock } from './ports/clock.ts';
import { createAccountRoutes } from './routes/accounts.ts';
import { createAddressLimit, neighbourhoodOf } from './routes/address-limit.ts';
import { answerProblem } from './routes/answer-problem.ts';
import { createAppFiles } from './routes/app-files.ts';
import { createFrame, type Frame } from './routes/frame.ts';
import { createHealthRoutes, type ReadinessChecks } from './routes/health.ts';
import { createFactorResetRoutes } from './routes/factor-reset.ts';
import { createCredentialsRoutes } from './routes/credentials.ts';
import { faultOf, requestLog } from './routes/request-log.ts';
import { contentSecurityPolicy, securityHeaders } from './routes/security-headers.ts';
import { createVaultRoutes } from './routes/vaults.ts';

/** What the broker's web side needs besides its domain. */
export interface AppPorts {
  readonly checks: ReadinessChecks;
  readonly clock: Clock;
  readonly log: Logger;
  /** The client's address, for the limit by address; proxies between are the entry's knowledge. */
  readonly addressOf: (context: Context) => string;
}

export interface AppSettings {
  /** Exact origin of the app, as browsers send it. */
  readonly origin: string;
  /** Origin under which the browser sees S3. */
  readonly s3Origin: string;
  /** Requests a minute from one address, of those without a session; twenty times as many in all. */
  readonly ratePerMinute: number;
  readonly version: string;
  /** The built app; undefined where another server serves it. */
  readonly files: { readonly folder: string; readonly appHtml: string } | undefined;
}

export interface App {
  readonly fetch: Frame['app']['fetch'];
  readonly request: Frame['app']['request'];
}

/** So many times as many requests may come from an address in all, with the tokens of people who are signed in. */
const ANYBODY = 20;
/** S3 and KMS together may take this long for one request; streams of events are answered at once and go on. */
const REQUEST_MS = 30_000;
/**
 * S3 takes minutes to put thousands of parts together, and a client that is sent away in between would have to send
 * them all again.
 */
const COMPLETION_MS = 330_000;

/** A broker as a web-standard `fetch`. */
export function createApp(domain: Domain, ports: AppPorts, settings: AppSettings): App {
  const limits = {
    stranger: createAddressLimit(settings.ratePerMinute, ports.clock),
    anybody: createAddressLimit(ANYBODY * settings.ratePerMinute, ports.clock),
  };
  const frame = createFrame({
    origin: settings.origin,
    verifySession: (token, stage, claimed) => domain.sessions.verify(token, stage, claimed),
    possession: domain.possession,
    requireMember: (account, vault) => domain.vaults.requireMember(account, vault),
    readGrant: (account, grant) => domain.grants.readAhead(account, grant),
    recognises: (token, stage) => domain.sessions.recognises(token, stage),
    limitAddress: (context, who) => {
      limits[who](ports.addressOf(context));
    },
    networkOf: (context) => neighbourhoodOf(ports.addressOf(context)),
  });
  const { app } = frame;

  app.use(requestId({ headerName: '' }), requestLog(ports.log));
  app.use(securityHeaders(contentSecurityPolicy(settings.files?.appHtml, settings), settings));
  app.onError((error, context) => {
    const problem = problemOf(error);
    context.set('problem', problem.code);
    if (problem.code === 'internal') ports.log.error({ fault: faultOf(problem.cause) }, 'unexpected');
    else if (problem.cause !== undefined) ports.log.debug({ fault: faultOf(problem.cause) }, problem.code);
    return answerProblem(problem);
  });

  // Before the redirect: probes ask at 127.0.0.1.
  createHealthRoutes(app, ports.checks, settings.version, ports.clock);
  app.use(toOwnHost(settings.origin));
  app.use('/api/*', limitTime());
  createAccountRoutes(frame, domain);
  createCredentialsRoutes(frame, domain.credentials);
  createFactorResetRoutes(frame, domain.factorReset);
  createVaultRoutes({ frame, side: domain.vaults });
  app.all('/api/*', () => {
    throw new BrokerProblem('not_found');
  });
  if (settings.files) createAppFiles(app, settings.files.folder, settings.files.appHtml);
  app.notFound(() => answerProblem(new BrokerProblem('not_found')));

  return { fetch: app.fetch, request: app.request };
}

function limitTime(): MiddlewareHandler {
  const isCompletion = new RegExp(`^${uploadComplete.path.replace(':vault', '[^/]+')}$`);
  const [short, long] = [timeout(REQUEST_MS), timeout(COMPLETION_MS)];
  return (context, next) => (isCompletion.test(context.req.path) ? long : short)(context, next);
}

/** An error as clients may see it. */
export function problemOf(error: unknown): BrokerProblem {
  if (error instanceof BrokerProblem) return error;
  const timedOut = error instanceof HTTPException && error.status === 504;
  if (timedOut) return new BrokerProblem('store_unreachable', { retryAfterSeconds: 1 });
  return new BrokerProblem('internal', { cause: error });
}

/** CORS knows one exact origin, and 127.0.0.1 is another than localhost: who comes by it is sent on. */
function toOwnHost(origin: string) {
  const own = new URL(origin);
  return async (context: Context, next: () => Promise<void>): Promise<Response | undefined> => {
    const url = new URL(context.req.url);
    if (own.hostname !== 'localhost' || url.hostname !== '127.0.0.1') {
      await next();
      return undefined;
    }
    return context.redirect(`${own.origin}${url.pathname}${url.search}`, 308);
  };
}
