import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventsRead, grantBuy, sessionRead } from '$contract/accounts.ts';
import { envelopesWrite } from '$contract/vault-keys.ts';
import type { VaultId } from '$contract/ids.ts';
import { connectBroker } from '../../src/lib/remote/broker.ts';
import { SessionProver } from '../../src/lib/remote/session-proof.ts';
import { refusal } from '../crypto/refusal.ts';

const NOW_MS = 1_800_000_000_000;
const broker = connectBroker('https://halfkey.test', new SessionProver(() => Promise.resolve(undefined)));
let asked: [URL, RequestInit][];
let answer: () => Promise<Response>;

beforeEach(() => {
  asked = [];
  vi.stubGlobal('fetch', (url: URL, init: RequestInit) => {
    asked.push([url, init]);
    return answer();
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function answers(body: unknown, status = 200, headers: Record<string, string> = {}): void {
  answer = () => Promise.resolve(new Response(JSON.stringify(body), { status, headers }));
}
const answering =
  (body: unknown, status = 200) =>
  () => {
    answers(body, status);
  };
const problem = (code: string, more: object = {}) => ({
  type: `about:${code}`,
  title: code,
  status: 400,
  code,
  ...more,
});

describe('a request', () => {
  it('that reads has what it asks in its query, and is not answered from a cache', async () => {
    answers({ events: [] });
    await broker.call(eventsRead, { from: '7' });
    const [[url, init]] = asked as [[URL, RequestInit]];
    expect(String(url)).toBe(`https://halfkey.test${eventsRead.path}?from=7`);
    expect(init).toMatchObject({ method: 'GET', credentials: 'same-origin', cache: 'no-store' });
    expect(init.body).toBeUndefined();
  });

  it('that changes something has it in its body, and its vault in its path, as data', async () => {
    answers({ refused: [] });
    await broker.call(envelopesWrite, { envelopes: [] }, { vault: 'a/../b' as VaultId });
    const [[url, init]] = asked as [[URL, RequestInit]];
    expect(String(url)).toBe('https://halfkey.test/api/vaults/a%2F..%2Fb/envelopes');
    expect(init).toMatchObject({
      method: 'POST',
      body: '{"envelopes":[]}',
      headers: { 'content-type': 'application/json' },
    });
  });

  it('that was called off says why itself', async () => {
    const controller = new AbortController();
    answer = () => {
      controller.abort(new TypeError('nobody wants it'));
      return Promise.reject(new DOMException('x', 'AbortError'));
    };
    await expect(broker.call(sessionRead, {}, { signal: controller.signal })).rejects.toThrow(
      'nobody wants it',
    );
  });

  it('that takes too long was not answered', async () => {
    answer = () => {
      const { signal } = asked[0]![1];
      return new Promise((_, reject) => {
        signal?.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
      });
    };
    const error = await refusal(broker.call(sessionRead, {}, { timeoutMs: 1 }));
    expect(error.code).toBe('broker_unreachable');
  });
});

describe('an answer', () => {
  it.each<[string, () => void]>([
    ['of another shape', answering({ events: 'none' })],
    ['that is no JSON', () => (answer = () => Promise.resolve(new Response('<html>')))],
    ['without a body', () => (answer = () => Promise.resolve(new Response(null)))],
    ['of a proxy', answering({ error: 'bad gateway' }, 502)],
    ['with a code that nobody knows', answering(problem('of_tomorrow'), 400)],
    ['that never came', () => (answer = () => Promise.reject(new TypeError('failed to fetch')))],
  ])('%s is none', async (_case, give) => {
    give();
    const error = await refusal(broker.call(eventsRead, { from: '0' }));
    expect([error.code, error.family]).toEqual(['broker_unreachable', 'unreachable']);
  });

  it('that refuses has the broker’s code, and what it says besides', async () => {
    answers(problem('too_many_requests', { retryAfterSeconds: 7 }), 429);
    expect(await refusal(broker.call(sessionRead, {}))).toMatchObject({
      code: 'too_many_requests',
      detail: { retryAfterSeconds: 7 },
    });
    answers(problem('already_exists', { fields: ['envelopes.3'] }), 409);
    expect((await refusal(broker.call(sessionRead, {}))).detail).toEqual({ fields: ['envelopes.3'] });
  });

  it('of a broker that has failed is no fault of this code', async () => {
    answers(problem('internal'), 500);
    expect((await refusal(broker.call(sessionRead, {}))).code).toBe('broker_failed');
  });
});

describe('a code that is wrong', () => {
  const aheadOf = async (aheadMs: number, code = 'code_wrong') => {
    vi.useFakeTimers({ now: NOW_MS });
    answers(problem(code), 403, { date: new Date(NOW_MS - aheadMs).toUTCString() });
    return (await refusal(broker.call(grantBuy, { factor: { code: '123456' } }))).detail;
  };

  it.each([
    [61_000, { clockAheadSeconds: 61 }],
    [-3_600_000, { clockAheadSeconds: -3600 }],
    [60_000, {}],
    [-60_000, {}],
    [0, {}],
  ])('by a clock that is %i ms ahead says %j', async (aheadMs, detail) => {
    expect(await aheadOf(aheadMs)).toEqual(detail);
  });

  it('is the only refusal that speaks of clocks, and speaks of none where the broker does not say its time', async () => {
    expect(await aheadOf(3_600_000, 'code_used')).toEqual({});
    answers(problem('code_wrong'), 403);
    expect((await refusal(broker.call(grantBuy, { factor: { code: '123456' } }))).detail).toEqual({});
  });
});
