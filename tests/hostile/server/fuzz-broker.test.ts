import { beforeAll, expect } from 'vitest';
import { VAULT_EVENTS_PATH } from '$contract/vault-events.ts';
import { Problem } from '$contract/problems.ts';
import * as v from 'valibot';
import type { AccountClient } from '../../support/account-client.ts';
import type { TestBroker } from '../../support/broker.ts';
import { row } from '../support/row.ts';
import { setUpHouse } from './support/house.ts';
import { mutated, oddBody } from './support/mutate.ts';
import { type Random, seeded } from './support/random.ts';
import { clientsByStage, ROUTES, requestFor } from './support/requests.ts';

const SEED = 20261121;
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'];
const MARK = 'planted-by-the-fuzzer';
const MAX_GROWTH_BYTES = 400e6;

const house = setUpHouse();
let broker: TestBroker;

beforeAll(async () => {
  broker = await house.newBroker();
});

/** Members as parameters: what is not a text as JSON. */
function queryOf(request: object): string {
  const pairs = Object.entries(request).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return new URLSearchParams(pairs).toString();
}

/** Headers that are ours, or not, or not at all. */
function oddHeaders(random: Random): Record<string, string> {
  const names: Record<string, readonly string[]> = {
    'content-type': [
      'application/json',
      'text/plain',
      'application/json;charset=utf-16',
      'multipart/form-data; boundary=x',
      '',
      `application/${'x'.repeat(5000)}`,
    ],
    'content-length': ['0', '1', '99999999999'],
    origin: [
      'http://localhost:8787',
      'null',
      'https://evil.example',
      '',
      'http://localhost:8787.evil.example',
    ],
    'sec-fetch-site': ['same-origin', 'cross-site', 'none', ''],
    cookie: ['halfkey=', `halfkey=${'a'.repeat(8000)}`, 'halfkey=x; halfkey=y', '=;;=;', `${MARK}=1`],
    'x-forwarded-for': [`${MARK}, 1.2.3.4`, '::1', 'x'.repeat(5000)],
    host: ['evil.example', '127.0.0.1', 'localhost:1'],
    'x-http-method-override': ['DELETE'],
    'transfer-encoding': ['chunked'],
    'content-encoding': ['gzip', 'br'],
    range: ['bytes=0-18446744073709551615', 'bytes=-1'],
    accept: ['text/html', `${MARK}/x`],
    'accept-language': ['x'.repeat(9000)],
    'if-none-match': ['*'],
    upgrade: ['websocket', 'h2c'],
    'user-agent': [MARK],
  };
  const chosen = Object.entries(names).filter(() => random.chance(0.12));
  return Object.fromEntries(chosen.map(([name, values]) => [name, random.pick(values)]));
}

function oddPath(random: Random, path: string, vault: string): string {
  const named = random.chance(0.8)
    ? encodeURIComponent(vault)
    : random.pick([
        '..',
        '%2e%2e',
        '%',
        '%00',
        'us-east-1:x',
        '%ff%fe',
        'a'.repeat(4000),
        '%252e',
        '*',
        ';',
        '\\',
      ]);
  const filled = path.replace(':vault', named);
  switch (random.below(12)) {
    case 0:
      return `${filled}/${MARK}`;
    case 1:
      return `/${filled}`;
    case 2:
      return `${filled}?${MARK}=${'x'.repeat(random.below(6000))}`;
    case 3:
      return filled.toUpperCase();
    case 4:
      return `/../${filled}`;
    case 5:
      return `${filled}%0d%0aset-cookie:x=y`;
    default:
      return filled;
  }
}

row(
  'F19',
  {
    attack: 'anything at all at every route of the broker',
    tried:
      'random bytes, JSON bombs, wrong types, sizes and depths, odd headers, paths and methods, with the tokens of every stage: 100,000 requests (in short 2,000)',
  },
  async (t) => {
    const random = seeded(SEED);
    let clients: AccountClient[] = [];
    let full = house.clientOf(broker);
    const paths = [...ROUTES, { method: 'GET', path: VAULT_EVENTS_PATH, stage: 'full' } as const];
    const requests = t.full ? 100_000 : 2000;
    const faults: string[] = [];
    const seen = new Map<string, number>();
    let heapBefore = 0;
    for (let nth = 0; nth < requests; nth += 1) {
      if (nth === Math.floor(requests / 10)) heapBefore = process.memoryUsage().rss;
      // What is asked for at random ends sessions, too: then nobody would get further than the outermost door.
      if (nth % (t.full ? 2000 : 400) === 0) {
        const byStage = await clientsByStage(house, broker);
        full = byStage.get('full') ?? full;
        clients = [house.clientOf(broker), ...byStage.values()];
      }
      const route = random.pick(paths);
      // Most of what there is to break is behind the session that got furthest.
      const client = (random.chance(0.4) ? full : random.pick(clients)).fork();
      const isStream = route.path === VAULT_EVENTS_PATH;
      const method = random.chance(0.85) ? route.method : random.pick(METHODS);
      const good = isStream ? {} : requestFor(route);
      const body = random.chance(0.75)
        ? JSON.stringify(random.chance(0.9) ? mutated(random, good) : good)
        : oddBody(random);
      const hasBody = !['GET', 'HEAD'].includes(method);
      const query = hasBody ? '' : `?${queryOf(mutated(random, good) as object)}`;
      const path = oddPath(
        random,
        route.path,
        random.chance(0.9) ? full.vault : 'us-east-1:00000000-0000-4000-8000-000000000000',
      );
      const response = await send(
        client,
        method,
        path.includes('?') ? path : path + query,
        hasBody ? body : undefined,
        oddHeaders(random),
      );
      if (response === undefined) continue;
      const isEvents = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
      // A stream that was let through goes on for ever; its head is all that is looked at.
      if (isEvents) await response.body?.cancel();
      const text = isEvents ? '' : await response.text();
      const problem =
        response.status >= 400 && method !== 'HEAD'
          ? v.safeParse(v.pipe(v.string(), v.parseJson(), Problem), text)
          : undefined;
      const wrong =
        response.status >= 500 ||
        (problem !== undefined && !problem.success) ||
        / {4}at |node_modules|\.ts:\d/.test(text) ||
        text.includes(MARK) ||
        [...response.headers].some(([, value]) => value.includes(MARK));
      if (wrong)
        faults.push(
          `#${String(nth)} ${method} ${route.path}: ${String(response.status)} ${text.slice(0, 300)}`,
        );
      const code = problem?.success ? problem.output.code : String(response.status);
      seen.set(code, (seen.get(code) ?? 0) + 1);
      if (response.status >= 400) t.refused(code);
      t.vary(1);
    }
    expect(faults.slice(0, 10)).toEqual([]);
    // Not only the outermost door was knocked at.
    for (const code of ['input_malformed', 'session_missing', 'origin_refused', '200']) {
      expect([code, (seen.get(code) ?? 0) > 0]).toEqual([code, true]);
    }
    expect(['grant_missing', 'proof_missing', 'not_a_member'].some((code) => seen.has(code))).toBe(true);
    const grown = process.memoryUsage().rss - heapBefore;
    expect(grown).toBeLessThan(MAX_GROWTH_BYTES);
    const log = broker.logged.join('');
    expect(log).not.toContain(MARK);
    expect(log).not.toContain('"unexpected"');
    t.held(`no 5xx, no stack, no echo; memory grew by ${String(Math.max(0, Math.round(grown / 1e6)))} MB`);
    broker.logged.length = 0;
  },
);

/** As a client that keeps to no rule; what not even a Request can be made of does not get there. */
async function send(
  client: AccountClient,
  method: string,
  path: string,
  body: string | undefined,
  headers: Record<string, string>,
) {
  try {
    new Request(new URL(`http://localhost:8787${path}`), {
      method,
      headers,
      ...(body !== undefined && { body }),
    });
  } catch {
    return undefined; // No browser sends this.
  }
  return client.raw(method, path, body, headers);
}
