import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader, exportJWK } from 'jose';
import { grantBuy, sessionRead, signinFinish, signinStart } from '$contract/accounts.ts';
import { NONCE_HEADER, PROOF_HEADER, type Route, SESSION_HEADER, STALE_NONCE } from '$contract/route.ts';
import { createPossession, type Possession, type Proof } from '../../broker/domain/auth/possession.ts';
import { connectBroker, type Broker } from '../../src/lib/remote/broker.ts';
import { type SessionKey, SessionProver } from '../../src/lib/remote/session-proof.ts';
import { refusalCode } from '../crypto/refusal.ts';

const ORIGIN = 'https://halfkey.test';
const SID = 's'.repeat(22);
const MINUTE_MS = 60_000;

/** What the broker was asked, and what it made of the proof. */
interface Asked {
  readonly path: string;
  readonly proof: Proof | undefined;
  readonly bodyDigest: string | undefined;
}

let nowMs: number;
let possession: Possession;
let asked: Asked[];
let atRest: SessionKey | undefined;
let prover: SessionProver;
let broker: Broker;
/** What the broker answers to one that it believes. */
let answer: (request: Asked) => { status?: number; body?: unknown; headers?: Record<string, string> };

beforeEach(() => {
  nowMs = 1_800_000_000_000;
  possession = createPossession(Buffer.alloc(32, 1), () => nowMs);
  [asked, atRest] = [[], undefined];
  answer = () => ({ body: {} });
  prover = new SessionProver(() => Promise.resolve(atRest));
  broker = connectBroker(ORIGIN, prover);
  vi.stubGlobal('fetch', async (url: URL, init: RequestInit) => {
    const headers = new Headers(init.headers);
    const proof = await possession.open(headers.get(PROOF_HEADER) ?? undefined, {
      method: init.method ?? 'GET',
      address: ORIGIN + url.pathname,
      query: url.search.slice(1),
      body: Buffer.from((init.body as string | undefined) ?? ''),
    });
    const request = {
      path: url.pathname,
      proof,
      bodyDigest: headers.get('x-amz-content-sha256') ?? undefined,
    };
    asked.push(request);
    const nonce = proof ? { [NONCE_HEADER]: possession.nonceFor(proof.jkt) } : {};
    if (url.pathname !== signinStart.path && proof?.isFresh === false) {
      const stale = { ...nonce, 'www-authenticate': `DPoP error="${STALE_NONCE}"` };
      return refuse('nonce_stale', stale);
    }
    const { status = 200, body = {}, headers: more = {} } = answer(request);
    return new Response(JSON.stringify(body), { status, headers: { ...nonce, ...more } });
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

function refuse(code: string, headers: Record<string, string> = {}): Response {
  const problem = { type: 'about:blank', title: code, status: 401, code };
  return new Response(JSON.stringify(problem), { status: 401, headers });
}
const call = (route: Route, request: unknown = {}) =>
  broker.call(route, request as never).catch(() => undefined);
const times = (route: Route) => asked.filter(({ path }) => path === route.path).length;

/** A session that is stored on this device, with a key of its own. */
async function rests(sid = SID): Promise<SessionKey> {
  const pair = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
  return { sid, publicKey: pair.publicKey, privateKey: pair.privateKey };
}

/** Signs in as far as the broker's answer with the session's cookie. */
async function signIn(): Promise<void> {
  answer = ({ path }) =>
    path === signinFinish.path ? { headers: { [SESSION_HEADER]: `code ${'c'.repeat(22)}` } } : {};
  await call(signinStart, { userName: 'ada', startLoginRequest: 'AA' });
  await call(signinFinish, { finishLoginRequest: 'AA' });
}

describe('a way in', () => {
  it('has a key of its own, whose nonce comes with the first answer: no request is asked twice', async () => {
    await signIn();
    expect([times(signinStart), times(signinFinish)]).toEqual([1, 1]);
    const [start, finish] = asked;
    expect(finish?.proof).toMatchObject({ jkt: start?.proof?.jkt, isFresh: true });
  });

  it('that takes longer than a nonce lives is asked once more, unseen', async () => {
    await call(signinStart, { userName: 'ada', startLoginRequest: 'AA' });
    nowMs += 10 * MINUTE_MS;
    await call(signinFinish, { finishLoginRequest: 'AA' });
    expect(times(signinFinish)).toBe(2);
    expect(asked.at(-1)?.proof?.isFresh).toBe(true);
  });

  it('gives its key to the session that it leads to, and the next has another', async () => {
    await signIn();
    const entering = asked.at(-1)?.proof?.jkt;
    answer = () => ({ headers: { [SESSION_HEADER]: `full ${SID}` } });
    await call({ ...grantBuy, stage: 'code' }, { factor: { code: '123456' } });
    const { sessionKey } = prover;
    expect(sessionKey?.sid).toBe(SID);
    expect(sessionKey?.privateKey.extractable).toBe(false);
    expect(await calculateJwkThumbprint(await exportJWK(sessionKey!.publicKey))).toBe(entering);
    answer = () => ({});
    await call(sessionRead);
    expect(asked.at(-1)?.proof).toMatchObject({ jkt: entering, sid: SID });
    await call(signinStart, { userName: 'ada', startLoginRequest: 'AA' });
    expect(asked.at(-1)?.proof?.jkt).not.toBe(entering);
  });
});

describe('a request of a session', () => {
  it('is signed with the key at rest, and has the nonce of the last answer', async () => {
    atRest = await rests();
    for (let count = 0; count < 3; count += 1) await call(sessionRead);
    // The first of a start has none: once.
    expect(times(sessionRead)).toBe(4);
    expect(asked.at(-1)?.proof).toMatchObject({ sid: SID, isFresh: true });
    nowMs += 3 * MINUTE_MS;
    await call(sessionRead);
    expect(asked.slice(4).map(({ proof }) => proof?.isFresh)).toEqual([true]);
    nowMs += 5 * MINUTE_MS;
    await call(sessionRead);
    expect(asked.slice(5).map(({ proof }) => proof?.isFresh)).toEqual([false, true]);
  });

  it('says the digest of its body, too', async () => {
    atRest = await rests();
    await call(grantBuy, { factor: { code: '123456' } });
    // SHA-256 of {"factor":{"code":"123456"}}
    const expected = Buffer.from(
      await crypto.subtle.digest('SHA-256', Buffer.from('{"factor":{"code":"123456"}}')),
    ).toString('hex');
    expect(asked.at(-1)?.bodyDigest).toBe(expected);
  });

  it('is not signed where there is no session, and is refused then', async () => {
    answer = () => ({ status: 401, body: { type: 'a', title: 'b', status: 401, code: 'session_missing' } });
    expect(await refusalCode(broker.call(sessionRead, {}))).toBe('session_missing');
    expect(asked).toEqual([{ path: sessionRead.path, proof: undefined, bodyDigest: undefined }]);
  });

  it('is asked once more with the key that another tab has left meanwhile', async () => {
    atRest = await rests();
    await call(sessionRead);
    const other = 'o'.repeat(22);
    atRest = await rests(other);
    answer = ({ proof }) =>
      proof?.sid === other
        ? {}
        : { status: 401, body: { type: 'a', title: 'b', status: 401, code: 'session_missing' } };
    await call(sessionRead);
    expect(asked.at(-1)?.proof).toMatchObject({ sid: other, isFresh: true });
  });

  it('is not asked for ever where no nonce is good', async () => {
    atRest = await rests();
    vi.stubGlobal('fetch', () => {
      asked.push({ path: sessionRead.path, proof: undefined, bodyDigest: undefined });
      const headers = { [NONCE_HEADER]: 'again', 'www-authenticate': `DPoP error="${STALE_NONCE}"` };
      return Promise.resolve(refuse('nonce_stale', headers));
    });
    expect(await refusalCode(broker.call(sessionRead, {}))).toBe('nonce_stale');
    expect(asked).toHaveLength(2);
  });

  it('is DPoP as RFC 9449 has it, but for the two claims of our own', async () => {
    atRest = await rests();
    const url = new URL('/api/events?from=7', ORIGIN);
    const { [PROOF_HEADER]: proof = '' } = await prover.sign({
      stage: 'full',
      method: 'GET',
      url,
      body: undefined,
    });
    expect(decodeProtectedHeader(proof)).toMatchObject({ typ: 'dpop+jwt', alg: 'Ed25519' });
    expect(decodeJwt(proof)).toEqual({
      ...{ htm: 'GET', htu: `${ORIGIN}/api/events`, sid: SID },
      ...{ iat: expect.any(Number) as unknown, jti: expect.any(String) as unknown },
      bd: expect.stringMatching(/^[\w-]{43}$/) as unknown,
    });
  });
});
