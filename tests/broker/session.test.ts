import { createHmac, randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import * as account from '$contract/account.ts';
import type { Route, Stage } from '$contract/route.ts';
import * as vault from '$contract/vault.ts';
import { loadSetup } from '../../broker/domain/state/setup.ts';
import { AccountClient } from '../support/account-client.ts';
import { CONTRACT_ROUTES } from '../support/contract-routes.ts';
import { startTestBroker } from '../support/broker.ts';
import { waitForReenrolment } from '../support/reenrolment-client.ts';
import { setUpBroker } from '../support/set-up-broker.ts';

let sessionKey: Uint8Array;
const { cloud, broker, clock, newClient } = setUpBroker();

beforeAll(async () => {
  ({
    setup: { sessionKey },
  } = await loadSetup(broker.ports.state, broker.ports.kms));
});

/** A request that each route parses, as far as its schema goes; with the method where two routes have one path. */
const id = (): string => randomBytes(16).toString('base64url');
const b64 = (sizeBytes: number): string => randomBytes(sizeBytes).toString('base64url');
const sha256 = randomBytes(32).toString('base64');
const device = { id: id(), publicKey: b64(32) };
const envelope = { suite: 'halfkey/1', epoch: 0, salt: b64(32), kmsBlob: b64(60), sealedKey: b64(60) };
const part = { partNumber: 1, sizeBytes: 1, sha256 };
const factor = { code: '123456' };
const REQUESTS: Record<string, unknown> = {
  '/api/signup/verify': { factor },
  '/api/signup/complete': {
    keyring: { version: 1, bytes: b64(10) },
    genesis: b64(200),
    inboxEnvelope: envelope,
    device,
    backupCodeHashes: Array.from({ length: 10 }, () => b64(32)),
  },
  '/api/signin/code': { factor, device },
  '/api/recovery/code': { factor, registrationRequest: 'AAAA' },
  '/api/recovery/complete': { registrationRecord: 'AAAA', keyring: { version: 9, bytes: b64(10) }, device },
  '/api/grants': { factor },
  '/api/grants/end': { grant: id() },
  '/api/events': { from: '0' },
  '/api/reenrolment/ask': { signature: randomBytes(64).toString('base64url') },
  '/api/reenrolment/secret': { userName: 'x' },
  '/api/reenrolment/confirm': { code: '123456', device },
  '/api/renewal/prove': { finishLoginRequest: b64(64), factor },
  '/api/renewal/backup-codes': { backupCodeHashes: Array.from({ length: 10 }, () => b64(32)) },
  '/api/renewal/authenticator': { userName: 'stages' },
  '/api/renewal/authenticator/confirm': factor,
  '/api/renewal/kit': { recoveryPublicKey: b64(32), keyring: { version: 9, bytes: b64(10) } },
  '/api/renewal/device/revoke': { device: id() },
  '/api/renewal/passphrase/start': { registrationRequest: 'AAAA' },
  '/api/renewal/passphrase': { registrationRecord: 'AAAA', keyring: { version: 9, bytes: b64(10) } },
  '/api/vaults/:vault/keys/generate': { grant: id(), purpose: 'file', blobs: [id()] },
  '/api/vaults/:vault/keys/release': { grant: id(), purpose: 'file', names: [{ blob: id(), epoch: 0 }] },
  '/api/vaults/:vault/envelopes': { envelopes: [{ blob: id(), envelope }] },
  '/api/vaults/:vault/blobs/put': { blob: id(), sizeBytes: 1, sha256 },
  '/api/vaults/:vault/blobs/get': { blobs: [id()] },
  '/api/vaults/:vault/uploads/create': { blob: id(), sizeBytes: 1 },
  '/api/vaults/:vault/uploads/parts': { blob: id(), uploadId: 'u', parts: [part] },
  '/api/vaults/:vault/uploads/list': { blob: id(), uploadId: 'u' },
  '/api/vaults/:vault/uploads/complete': {
    blob: id(),
    uploadId: 'u',
    sizeBytes: 1,
    parts: [{ partNumber: 1, etag: '"e"', sha256 }],
  },
  '/api/vaults/:vault/uploads/abort': { blob: id(), uploadId: 'u' },
  'POST /api/vaults/:vault/log': { segment: b64(200) },
  'GET /api/vaults/:vault/log': { from: '0' },
  '/api/vaults/:vault/snapshots/put': { pages: [{ seq: 0, page: id(), sizeBytes: 1, sha256 }] },
  '/api/vaults/:vault/snapshots/get': { pages: [{ seq: 0, page: id() }] },
  'POST /api/vaults/:vault/inbox': { records: [{ blob: id(), record: b64(10) }] },
  'GET /api/vaults/:vault/inbox': { after: '' },
  '/api/vaults/:vault/inbox/remove': { grant: id(), blobs: [id()] },
  '/api/vaults/:vault/purge/grant': { factor },
  '/api/vaults/:vault/purge': { grant: id(), blobs: [id()] },
};
function requestOf({ method, path }: Route): unknown {
  return REQUESTS[`${method} ${path}`] ?? REQUESTS[path] ?? {};
}

/** One client per stage, each with the cookie that the broker itself gave it for that stage. */
async function clientsByStage(): Promise<Map<Exclude<Stage, 'none'>, AccountClient>> {
  const full = newClient();
  await full.signUp('stages');
  const reenrol = newClient().knows(full);
  await waitForReenrolment(reenrol, 'stages', clock); // First: what lives for ten minutes would not outlive it.
  const enrol = newClient();
  await enrol.signUpUntilFirstCode('stage-enrol', 'p');
  const setup = newClient();
  await setup.signUpUntilFirstCode('stage-setup', 'p');
  await setup.completion();
  const code = newClient().knows(full);
  await code.provePassphrase('stages');
  const recoveryCode = newClient().knows(full);
  await recoveryCode.proveRecoveryKey();
  const recovery = newClient().knows(full);
  await recovery.proveRecoveryKey();
  await recovery.recover('another');
  for (const client of [enrol, setup, full, code, recoveryCode, recovery, reenrol])
    client.cookies.delete('halfkey-device');
  return new Map([
    ['enrol', enrol],
    ['setup', setup],
    ['full', full],
    ['code', code],
    ['recovery-code', recoveryCode],
    ['recovery', recovery],
    ['reenrol', reenrol],
  ]);
}

describe('a token of one stage', () => {
  it('opens no route of another: each route with each token', async () => {
    const clients = await clientsByStage();
    const guarded = CONTRACT_ROUTES.filter(({ stage }) => stage !== 'none');
    expect(guarded.length).toBeGreaterThan(20);
    const opened: string[] = [];
    for (const route of guarded) {
      for (const stage of ['none', ...clients.keys()] as Stage[]) {
        if (stage === route.stage) continue;
        const client = stage === 'none' ? newClient() : clients.get(stage)!.fork();
        const reply = await client.call(route, requestOf(route), { vault: clients.get('full')!.vault });
        if (reply.ok || reply.status !== 401 || reply.code !== 'session_missing') {
          opened.push(`${route.method} ${route.path} with ${stage}: ${String(reply.status)}`);
        }
      }
    }
    expect(opened).toEqual([]);
    // And that it is the stage that was looked at: with its own each goes further.
    for (const route of guarded) {
      const client = clients.get(route.stage as Exclude<Stage, 'none'>)!.fork();
      const reply = await client.call(route, requestOf(route), { vault: clients.get('full')!.vault });
      if (route.path === '/api/session/end') clients.set('full', await signedIn('after-end'));
      expect([route.path, reply.code]).not.toEqual([route.path, 'session_missing']);
    }
  });

  it('opens the stream of no vault', async () => {
    const [mine, others] = [await signedIn('stream-a'), await signedIn('stream-b')];
    const path = vault.VAULT_EVENTS_PATH.replace(':vault', encodeURIComponent(mine.vault));
    expect((await newClient().raw('GET', path)).status).toBe(401);
    expect((await others.raw('GET', path)).status).toBe(403);
  });
});

async function signedIn(userName: string): Promise<AccountClient> {
  const client = newClient();
  await client.signUp(userName);
  return client;
}

describe('a token', () => {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const hs256 = (header: unknown, payload: unknown, key: Uint8Array): string => {
    const input = `${encode(header)}.${encode(payload)}`;
    return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
  };

  it('is taken in one form only', async () => {
    const client = await signedIn('jwt');
    const good = client.cookies.get('halfkey')!;
    const [head = '', body = '', signature = ''] = good.split('.');
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>;
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
    expect(header).toEqual({ alg: 'HS256', typ: 'JWT' });
    const now = Math.floor(clock.nowMs / 1000);
    const signed = (change: Record<string, unknown>, more: Record<string, unknown> = {}): string =>
      hs256({ ...header, ...more }, { ...claims, ...change }, sessionKey);
    const without = (name: string): string => signed({ [name]: undefined });

    const cases: Record<string, string> = {
      empty: '',
      'not a token': 'x',
      'four parts': `${good}.x`,
      'no signature': `${head}.${body}.`,
      'alg none': `${encode({ alg: 'none', typ: 'JWT' })}.${body}.`,
      'alg none in capitals': `${encode({ alg: 'NONE' })}.${body}.${signature}`,
      'alg HS512 in the header': hs256({ ...header, alg: 'HS512' }, claims, sessionKey),
      'really HS512': await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS512', typ: 'JWT' })
        .sign(Buffer.concat([sessionKey, sessionKey])),
      'alg RS256 in the header': hs256({ ...header, alg: 'RS256' }, claims, sessionKey),
      'no alg': hs256({ typ: 'JWT' }, claims, sessionKey),
      'another key': hs256(header, claims, randomBytes(32)),
      'an empty key': hs256(header, claims, new Uint8Array(1)),
      'a key of its own (jwk)': hs256(
        { ...header, jwk: { kty: 'oct', k: 'AAAA' } },
        claims,
        Buffer.from('AAAA', 'base64url'),
      ),
      crit: signed({}, { crit: ['x'], x: 1 }),
      'unencoded payload': signed({}, { b64: false, crit: ['b64'] }),
      'another typ': signed({}, { typ: 'at+jwt' }),
      'no exp': without('exp'),
      'exp as a text': signed({ exp: String(now + 100) }),
      'exp in the past': signed({ exp: now - 1 }),
      'exp now': signed({ exp: now }),
      'nbf in the future': signed({ nbf: now + 60 }),
      'no iat': without('iat'),
      'no iss': without('iss'),
      'another iss': signed({ iss: 'else' }),
      'no aud': without('aud'),
      'aud of another stage': signed({ aud: 'halfkey/code' }),
      'aud of a device': signed({ aud: 'halfkey/device' }),
      'aud as a list': signed({ aud: ['halfkey/full'] }),
      'aud of two stages': signed({ aud: ['halfkey/code', 'halfkey/full'] }),
      'no sub': without('sub'),
      'another sub': signed({ sub: id() }),
      'sub with a path': signed({ sub: '../../broker/setup' }),
      'no jti': without('jti'),
      'another session': signed({ jti: id() }),
      'no device': without('device'),
      'another device': signed({ device: id() }),
      'no epoch': without('epoch'),
      'another epoch': signed({ epoch: 1 }),
      'epoch as a text': signed({ epoch: '0' }),
      'very long': signed({ pad: 'x'.repeat(5000) }),
      'payload is a list': `${head}.${encode([claims])}.${signature}`,
      'first half of one, second of another': `${head}.${body.slice(0, -4)}AAAA.${signature}`,
    };
    // The same made by hand is taken, so each of the cases is refused for what it says.
    expect((await asToken(signed({}))).ok).toBe(true);
    const taken = [];
    for (const [name, token] of Object.entries(cases)) {
      const reply = await asToken(token);
      if (reply.ok || reply.code !== 'session_missing') taken.push(`${name}: ${String(reply.status)}`);
    }
    expect(taken).toEqual([]);

    async function asToken(token: string) {
      const stranger = newClient();
      stranger.cookies.set('halfkey', token);
      return stranger.call(account.sessionRead);
    }
  });

  it('is over after 30 days, and one of a stage before after ten minutes', async () => {
    const client = await signedIn('expiry');
    clock.advance(30 * 24 * 3600 - 1);
    expect(await client.call(account.sessionRead)).toMatchObject({ ok: true });
    clock.advance(1);
    expect(await client.call(account.sessionRead)).toMatchObject({ code: 'session_missing' });
    const proven = newClient().knows(client);
    await proven.provePassphrase('expiry');
    clock.advance(600);
    const factor = await proven.nextCode();
    expect(await proven.call(account.signinCode, { factor, device: proven.device })).toMatchObject({
      code: 'session_missing',
    });
  });

  it('ends everywhere at once when one signs out, and other sessions go on', async () => {
    const first = await signedIn('sign-out');
    const second = newClient().knows(first);
    await second.signIn('sign-out');
    const stolen = first.fork();
    await first.must(account.sessionEnd);
    expect(first.cookies.has('halfkey')).toBe(false);
    const elsewhere = await startTestBroker(cloud, clock);
    stolen.send = (path, init) => elsewhere.app.request(path, init);
    expect(await stolen.call(account.sessionRead)).toMatchObject({ code: 'session_missing' });
    expect(await second.call(account.sessionRead)).toMatchObject({ ok: true });
    elsewhere.app.close();
  });

  it('of before a recovery is good for nothing, at any stage', async () => {
    const owner = await signedIn('epochs');
    const code = newClient().knows(owner);
    await code.provePassphrase('epochs');
    const recovery = newClient().knows(owner);
    await recovery.proveRecoveryKey();
    const request = await recovery.recover('new one');
    const twin = recovery.fork();
    await recovery.must(account.recoveryComplete, request);
    expect(await twin.call(account.recoveryComplete, request)).toMatchObject({ code: 'session_missing' });
    const factor = await code.nextCode();
    expect(await code.call(account.signinCode, { factor, device: code.device })).toMatchObject({
      code: 'session_missing',
    });
    expect(await owner.call(account.sessionRead)).toMatchObject({ code: 'session_missing' });
  });
});

describe('cookies', () => {
  it.each([
    {
      origin: 'http://localhost:8787',
      name: 'halfkey',
      attributes: ['Path=/', 'HttpOnly', 'SameSite=Strict'],
    },
    {
      origin: 'https://drive.example',
      name: '__Host-halfkey',
      attributes: ['Path=/', 'HttpOnly', 'Secure', 'SameSite=Strict'],
    },
  ])('on $origin are $name', async ({ origin, name, attributes }) => {
    const own = await startTestBroker(cloud, clock, { settings: { origin } });
    const set: string[] = [];
    const client = new AccountClient(async (path, init) => {
      const response = await own.app.request(path, init);
      set.push(...response.headers.getSetCookie());
      return response;
    }, clock);
    client.headers = { origin };
    await client.signUp(`cookies-${new URL(origin).hostname}`);
    const cookie = set.filter((line) => line.startsWith(`${name}=`)).at(-1) ?? '';
    const [, ...parts] = cookie.split('; ');
    expect(new Set(parts)).toEqual(new Set([...attributes, 'Max-Age=2592000']));
    expect(set.every((line) => line.startsWith(name.slice(0, 7)))).toBe(true);
    own.app.close();
  });
});
