import type { Context, MiddlewareHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { requestId } from 'hono/request-id';
import { timeout } from 'hono/timeout';
import type { Logger } from 'pino';
import type { AccountId } from './contract/ids.ts';
import { uploadComplete } from './contract/vault.ts';
import { createAccounts } from './domain/account/accounts.ts';
import { createEventLog } from './domain/state/event-log.ts';
import { createGrants } from './domain/account/grants.ts';
import { createLoginPace } from './domain/account/login-pace.ts';
import { createOneTimeState } from './domain/account/one-time-state.ts';
import { createOpaqueServer } from './domain/account/opaque-server.ts';
import { BrokerProblem } from './domain/problem.ts';
import type { RecordCodec } from './domain/state/record-codec.ts';
import { createRecords } from './domain/state/records.ts';
import { createRecovery } from './domain/account/recovery.ts';
import { createReenrolment } from './domain/account/reenrolment.ts';
import { createRenewal } from './domain/account/renewal.ts';
import { createSecondFactor } from './domain/account/second-factor.ts';
import { createSessions } from './domain/account/sessions.ts';
import type { Setup } from './domain/state/setup.ts';
import { createSignin } from './domain/account/signin.ts';
import { createSignup } from './domain/account/signup.ts';
import { stateKeys } from './domain/state/state-keys.ts';
import { createSweep, startSweeping } from './domain/sweep.ts';
import { createVaultSide, type VaultSide } from './domain/vault/vaults.ts';
import type { Clock } from './ports/clock.ts';
import type { BrokerKms, VaultKms } from './ports/kms.ts';
import type { StateStore, StateVersions } from './ports/state.ts';
import type { Purger, VaultIdentities, VaultObjects } from './ports/vaults.ts';
import { createAccountRoutes } from './routes/accounts.ts';
import { createAddressLimit } from './routes/address-limit.ts';
import { answerProblem } from './routes/answer-problem.ts';
import { createAppFiles } from './routes/app-files.ts';
import { createFrame, type Frame } from './routes/frame.ts';
import { createHealthRoutes, type ReadinessChecks } from './routes/health.ts';
import { createReenrolmentRoutes } from './routes/reenrolment.ts';
import { createRenewalRoutes } from './routes/renewal.ts';
import { faultOf, requestLog } from './routes/request-log.ts';
import { contentSecurityPolicy, securityHeaders } from './routes/security-headers.ts';
import { createVaultRoutes } from './routes/vaults.ts';

/** What the broker needs of the world. */
export interface AppPorts {
  readonly state: StateStore;
  readonly versions: StateVersions;
  readonly kms: BrokerKms;
  readonly vaultKms: VaultKms;
  readonly vaultObjects: VaultObjects;
  readonly identities: VaultIdentities;
  readonly purger: Purger;
  readonly checks: ReadinessChecks;
  readonly clock: Clock;
  readonly log: Logger;
  /** The client's address, for the limit by address; proxies between are the entry's knowledge. */
  readonly addressOf: (context: Context) => string;
}

export interface AppSettings {
  readonly setup: Setup;
  readonly codec: RecordCodec;
  /** Exact origin of the app, as browsers send it. */
  readonly origin: string;
  /** Origin under which the browser sees S3. */
  readonly s3Origin: string;
  readonly signupOpen: boolean;
  readonly grantSeconds: number;
  readonly grantReleases: number;
  /** Bytes of blobs per vault; undefined: no limit. */
  readonly quotaBytes: number | undefined;
  /** Requests a minute from one address, of those that nobody is signed in for. */
  readonly ratePerMinute: number;
  readonly version: string;
  /** The built app; undefined where another server serves it. */
  readonly files: { readonly folder: string; readonly appHtml: string } | undefined;
}

export interface App {
  readonly fetch: Frame['app']['fetch'];
  readonly request: Frame['app']['request'];
  /** Ends what runs by itself. */
  close(): void;
}

/** S3 and KMS together may take this long for one request; streams of events are answered at once and go on. */
const REQUEST_MS = 30_000;
/** S3 takes minutes to put thousands of parts together, and who is sent away in between would have to send them all again. */
const COMPLETION_MS = 330_000;

/** The broker as a web-standard `fetch`. */
export function createApp(ports: AppPorts, settings: AppSettings): App {
  const domain = createDomain(ports, settings);
  const limitAddress = createAddressLimit(settings.ratePerMinute, ports.clock);
  const frame = createFrame({
    origin: settings.origin,
    verifySession: (token, stage, claimed) => domain.sessions.verify(token, stage, claimed),
    requireMember: (account, vault) => domain.vaults.requireMember(account, vault),
    limitAddress: (context) => {
      limitAddress(ports.addressOf(context));
    },
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
  createRenewalRoutes(frame, domain.renewal);
  createReenrolmentRoutes(frame, domain.reenrolment);
  createVaultRoutes({ frame, side: domain.vaults });
  app.all('/api/*', () => {
    throw new BrokerProblem('not_found');
  });
  if (settings.files) createAppFiles(app, settings.files.folder, settings.files.appHtml);
  app.notFound(() => answerProblem(new BrokerProblem('not_found')));

  const stopSweeping = startSweeping(domain.sweep, (error) => {
    ports.log.warn({ problem: problemOf(error).code, fault: faultOf(error) }, 'sweep');
  });
  return {
    fetch: app.fetch,
    request: app.request,
    close() {
      stopSweeping();
      domain.vaults.close();
    },
  };
}

function createDomain(ports: AppPorts, settings: AppSettings) {
  const { clock, state: store } = ports;
  const { setup, codec } = settings;
  const records = createRecords(store, codec);
  const accounts = createAccounts(records, setup.nameKey);
  const events = createEventLog(store, codec, clock);
  const grants = createGrants(records, clock, settings);
  const secondFactor = createSecondFactor(accounts, ports.kms, events, clock);
  const sessions = createSessions(setup.sessionKey, accounts, clock);
  const vaults: VaultSide = createVaultSide({
    accounts,
    records,
    grants,
    events,
    secondFactor,
    objects: ports.vaultObjects,
    kms: ports.vaultKms,
    purger: ports.purger,
    clock,
    settings,
  });
  const state = createOneTimeState(setup.stateKey, records, clock);
  const opaque = createOpaqueServer(setup);
  const forgetOldRecords = (account: AccountId): Promise<void> =>
    store.eraseHistory(stateKeys.account(account));
  const common = { accounts, opaque, secondFactor, sessions, grants, events, vaults, state, clock };
  return {
    ...common,
    sweep: createSweep({ versions: ports.versions, accounts, purger: ports.purger, clock }),
    signup: createSignup({
      ...common,
      identities: ports.identities,
      vaultKms: ports.vaultKms,
      open: settings.signupOpen,
      grantKey: setup.sessionKey,
    }),
    signin: createSignin({
      ...common,
      countLogin: createLoginPace(records, clock),
      nameKey: setup.nameKey,
    }),
    recovery: createRecovery({ ...common, forgetOldRecords }),
    renewal: createRenewal({ ...common, forgetOldRecords }),
    reenrolment: createReenrolment({ ...common, forgetOldRecords }),
  };
}

function limitTime(): MiddlewareHandler {
  const isCompletion = new RegExp(`^${uploadComplete.path.replace(':vault', '[^/]+')}$`);
  const [short, long] = [timeout(REQUEST_MS), timeout(COMPLETION_MS)];
  return (context, next) => (isCompletion.test(context.req.path) ? long : short)(context, next);
}

function problemOf(error: unknown): BrokerProblem {
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
