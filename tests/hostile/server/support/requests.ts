import { randomBytes, randomUUID } from 'node:crypto';
import type { Route, Stage } from '$contract/route.ts';
import type { AccountClient } from '../../../support/account-client.ts';
import { CONTRACT_ROUTES } from '../../../support/contract-routes.ts';
import { waitForFactorReset } from '../../../support/factor-reset-client.ts';
import { segmentAfter } from '../../../support/vault-side.ts';
import { type House, newcomer } from './house.ts';
import type { TestBroker } from '../../../support/broker.ts';

const id = (): string => randomBytes(16).toString('base64url');
const b64url = (sizeBytes: number): string => randomBytes(sizeBytes).toString('base64url');

/** A request that is right in itself, by method and path; each call makes new ids. */
const REQUESTS: Readonly<Record<string, () => unknown>> = {
  'POST /api/signup/start': () => ({ userName: id(), registrationRequest: b64url(32) }),
  'POST /api/signup/finish': () => ({
    userName: id(),
    registrationRecord: b64url(192),
    recoveryPublicKey: b64url(32),
  }),
  'POST /api/signup/verify': () => ({ factor }),
  'POST /api/signup/complete': () => ({
    keyring: { version: 1, bytes: b64url(10) },
    identityPublicKey: b64url(32),
    genesis: Buffer.from(segmentAfter(undefined)).toString('base64url'),
    inboxEnvelope: envelope(),
    device: device(),
    backupCodeHashes: Array.from({ length: 10 }, () => b64url(32)),
  }),
  'POST /api/signin/start': () => ({ userName: id(), startLoginRequest: b64url(96) }),
  'POST /api/signin/finish': () => ({ finishLoginRequest: b64url(64) }),
  'POST /api/signin/code': () => ({ factor, device: device() }),
  'POST /api/recovery/start': () => ({ recoveryPublicKey: b64url(32) }),
  'POST /api/recovery/prove': () => ({ signature: b64url(64) }),
  'POST /api/recovery/code': () => ({ factor, registrationRequest: b64url(32) }),
  'POST /api/recovery/complete': () => ({
    registrationRecord: b64url(192),
    keyring: { version: 9, bytes: b64url(10) },
    device: device(),
  }),
  'GET /api/session': () => ({}),
  'POST /api/session/end': () => ({}),
  'POST /api/grants': () => ({
    factor,
    releases: 1,
    release: { vault: `us-east-1:${randomUUID()}`, names: [{ blob: id(), epoch: 0 }] },
  }),
  'POST /api/grants/end': () => ({ grant: id() }),
  'GET /api/events': () => ({ from: '0' }),
  'POST /api/credentials/prove': () => ({ finishLoginRequest: b64url(64), factor }),
  'POST /api/credentials/backup-codes': () => ({
    proof: b64url(32),
    backupCodeHashes: Array.from({ length: 10 }, () => b64url(32)),
  }),
  'POST /api/credentials/authenticator': () => ({ proof: b64url(32), userName: id() }),
  'POST /api/credentials/authenticator/confirm': () => ({ proof: b64url(32), ...factor }),
  'POST /api/credentials/kit': () => ({
    proof: b64url(32),
    recoveryPublicKey: b64url(32),
    keyring: { version: 9, bytes: b64url(10) },
  }),
  'POST /api/credentials/device/revoke': () => ({ proof: b64url(32), device: id() }),
  'POST /api/credentials/passphrase/start': () => ({ proof: b64url(32), registrationRequest: b64url(32) }),
  'POST /api/credentials/passphrase': () => ({
    proof: b64url(32),
    registrationRecord: b64url(192),
    keyring: { version: 9, bytes: b64url(10) },
  }),
  'POST /api/factor-reset/ask': () => ({ signature: b64url(64) }),
  'POST /api/factor-reset/secret': () => ({ userName: id() }),
  'POST /api/factor-reset/confirm': () => ({ ...factor, device: device() }),
  'POST /api/factor-reset/stop': () => ({}),
  'POST /api/vaults/:vault/keys/generate': () => ({
    grant: id(),
    purpose: 'file',
    epoch: 0,
    blobs: [id()],
  }),
  'POST /api/vaults/:vault/keys/release': () => ({
    grant: id(),
    purpose: 'file',
    names: [{ blob: id(), epoch: 0 }],
  }),
  'POST /api/vaults/:vault/envelopes': () => ({ envelopes: [{ blob: id(), envelope: envelope() }] }),
  'POST /api/vaults/:vault/blobs/put': () => ({ blobs: [{ blob: id(), ...sized() }] }),
  'POST /api/vaults/:vault/blobs/get': () => ({ blobs: [id()] }),
  'POST /api/vaults/:vault/uploads/create': () => ({ blob: id(), sizeBytes: 1 }),
  'POST /api/vaults/:vault/uploads/parts': () => ({
    blob: id(),
    uploadId: 'u',
    parts: [{ partNumber: 1, ...sized() }],
  }),
  'POST /api/vaults/:vault/uploads/list': () => ({ blob: id(), uploadId: 'u' }),
  'POST /api/vaults/:vault/uploads/complete': () => ({
    blob: id(),
    uploadId: 'u',
    sizeBytes: 1,
    parts: [{ partNumber: 1, etag: '"e"', sha256: sized().sha256 }],
  }),
  'POST /api/vaults/:vault/uploads/abort': () => ({ blob: id(), uploadId: 'u' }),
  'POST /api/vaults/:vault/log': () => ({
    segment: Buffer.from(segmentAfter(undefined)).toString('base64url'),
  }),
  'GET /api/vaults/:vault/log': () => ({ from: '0' }),
  'GET /api/vaults/:vault/head': () => ({ known: '0' }),
  'POST /api/vaults/:vault/snapshots/put': () => ({ pages: [{ seq: 0, page: id(), ...sized() }] }),
  'POST /api/vaults/:vault/snapshots/get': () => ({ pages: [{ seq: 0, page: id() }] }),
  'POST /api/vaults/:vault/purge/grant': () => ({ factor }),
  'POST /api/vaults/:vault/purge': () => ({ grant: id(), blobs: [id()] }),
  'POST /api/vaults/:vault/inbox': () => ({ records: [{ blob: id(), record: b64url(100) }] }),
  'GET /api/vaults/:vault/inbox': () => ({ after: '' }),
  'POST /api/vaults/:vault/inbox/read': () => ({ names: [{ device: id(), blob: id() }] }),
  'POST /api/vaults/:vault/inbox/discard': () => ({ proof: b64url(32), device: id(), sinceMs: 0 }),
  'POST /api/vaults/:vault/inbox/remove': () => ({ grant: id(), names: [{ device: id(), blob: id() }] }),
};

const factor = { code: '123456' };
const device = () => ({ id: id(), publicKey: b64url(32) });
const sized = () => ({ sizeBytes: 1, sha256: randomBytes(32).toString('base64') });
const envelope = () => ({
  suite: 'halfkey/1',
  purpose: 'inbox',
  epoch: 0,
  salt: b64url(32),
  kmsBlob: b64url(60),
  sealedKey: b64url(60),
});

/** Every route of the contract that is served. */
export const ROUTES = CONTRACT_ROUTES;

/** @throws Error for a route without a request of its own: no row is to pass it over */
export function requestFor(route: Pick<Route, 'method' | 'path'>): unknown {
  const make = REQUESTS[`${route.method} ${route.path}`];
  if (!make) throw new Error(`no request is written for ${route.method} ${route.path}`);
  return make();
}

/** A stage that a token is issued for. */
export type TokenStage = Exclude<Stage, 'none'>;

/** One browser per stage, each with the cookie that the broker itself gave it; all but two of one account. */
export async function clientsByStage(
  house: House,
  broker: TestBroker,
  userName = `stages-${id()}`.toLowerCase(),
): Promise<ReadonlyMap<TokenStage, AccountClient>> {
  const full = await newcomer(house, broker, userName);
  const again = () => house.clientOf(broker).knows(full);
  const [factorReset, code, recoveryCode, recovery] = [again(), again(), again(), again()];
  await waitForFactorReset(factorReset, userName, house.clock); // First: what lives for ten minutes would not outlive it.
  const enrol = house.clientOf(broker);
  await enrol.signUpUntilFirstCode(`enrol-${id()}`, 'p');
  const setup = house.clientOf(broker);
  await setup.signUpUntilFirstCode(`setup-${id()}`, 'p');
  await setup.completion();
  await code.provePassphrase(userName);
  await recoveryCode.proveRecoveryKey();
  await recovery.proveRecoveryKey();
  await recovery.recover('another');
  return new Map<TokenStage, AccountClient>([
    ['enrol', enrol],
    ['setup', setup],
    ['full', full],
    ['code', code],
    ['recovery-code', recoveryCode],
    ['recovery', recovery],
    ['factor-reset', factorReset],
  ]);
}
