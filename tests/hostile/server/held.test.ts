import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect } from 'vitest';
import * as account from '$contract/accounts.ts';
import { PROOF_HEADER, type Route } from '$contract/route.ts';
import { VAULT_EVENTS_PATH } from '$contract/vault-events.ts';
import { purgeGrant } from '$contract/vault-keys.ts';
import type { AccountClient } from '../../support/account-client.ts';
import type { TestBroker } from '../../support/broker.ts';
import { promisedAttacks } from '../attack-table.mjs';
import { row } from '../support/row.ts';
import { newcomer, setUpHouse } from './support/house.ts';
import { clientsByStage, ROUTES, requestFor, type TokenStage } from './support/requests.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const house = setUpHouse();
let broker: TestBroker;

beforeAll(async () => {
  broker = await house.newBroker();
});

type Asked = Pick<Route, 'method' | 'path' | 'stage'>;
const STREAM: Asked = { method: 'GET', path: VAULT_EVENTS_PATH, stage: 'full' };
/** With what a request is refused that has not enough. */
const LACKING = new Set(['session_missing', 'proof_missing', 'grant_missing', 'nonce_stale']);

/** A line of the table: what each holding gives, and by which rows it is shown. */
interface Line {
  readonly route: string;
  readonly cells: readonly string[];
  readonly shownBy: readonly string[];
}

function tableOf(text: string): Line[] {
  const chapter = text.split(/^## /m).find((part) => part.startsWith('What each route gives')) ?? '';
  return chapter
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, first = '']) => /^`(?:GET|POST) /.test(first))
    .map(([, route = '', nothing = '', cookie = '', key = '', grant = '', shown = '']) => ({
      route: route.replaceAll('`', ''),
      cells: [nothing, cookie, key, grant],
      shownBy: shown.split(', '),
    }));
}

const SOMEWHERE = { seq: 0, hash: 'A'.repeat(43) };

/** The code that a cell says, or undefined where it says what happens. */
const codeIn = (cell: string): string | undefined => /^`(\w+)`$/.exec(cell)?.[1];

interface Holding {
  readonly client: AccountClient;
  readonly headers?: Record<string, string>;
  readonly grant?: string;
}

async function ask({ method, path }: Asked, { client, headers = {}, grant }: Holding, vault: string) {
  const made = path === STREAM.path ? {} : (requestFor({ method, path }) as Record<string, unknown>);
  // What the session's own device writes: the identity key's is J2.
  if (method === 'POST' && path.endsWith('/log')) made['segment'] = client.segmentAfter(SOMEWHERE);
  const request = grant !== undefined && 'grant' in made ? { ...made, grant } : made;
  const filled = path.replace(':vault', encodeURIComponent(vault));
  const query = new URLSearchParams(request as Record<string, string>).toString();
  const response =
    method === 'GET'
      ? await client.raw('GET', query === '' ? filled : `${filled}?${query}`, undefined, headers)
      : await client.raw('POST', filled, JSON.stringify(request), headers);
  if (response.ok) {
    await response.body?.cancel();
    return 'done';
  }
  return ((await response.json()) as { code: string }).code;
}

row(
  'J10',
  {
    attack: 'every route, with nothing, a cookie, the session’s key, a live grant',
    tried:
      'each route of the contract and the stream, with each of the four, held against the table of docs/SECURITY.md',
  },
  async (t) => {
    const lines = tableOf(readFileSync(`${ROOT}/docs/SECURITY.md`, 'utf8'));
    const routes: Asked[] = [...ROUTES, STREAM];
    const names = routes.map(({ method, path }) => `${method} ${path}`);
    expect(lines.map(({ route }) => route).sort()).toEqual([...names].sort());
    const rows = new Set(promisedAttacks(ROOT).map(({ id }) => id));
    expect(lines.flatMap(({ shownBy }) => shownBy).filter((id) => !rows.has(id))).toEqual([]);

    const clients = await clientsByStage(house, broker);
    const owner = await newcomer(house, broker, 'held');
    const otherwise: string[] = [];
    // What lives for ten minutes comes first: each code takes half a minute.
    const inTime = [...routes].sort((a, b) => Number(a.stage === 'full') - Number(b.stage === 'full'));
    for (const route of inTime) {
      const line = lines.find((one) => one.route === `${route.method} ${route.path}`);
      const victim = route.stage === 'full' ? owner : clients.get(route.stage as TokenStage);
      const stranger = house.clientOf(broker);
      const fork = () => (victim ?? stranger).fork();
      const isEnding = route.path === account.sessionEnd.path;
      // Its session is another one's to end.
      const ended = isEnding ? await signedInAgain(owner) : undefined;
      const key = isEnding ? await signedInAgain(owner) : fork();
      const grant = await grantFor(owner, route);
      const last = isEnding ? await signedInAgain(owner) : fork();
      const holdings: Holding[] = [
        { client: stranger },
        { client: ended ?? fork(), headers: { [PROOF_HEADER]: '' } },
        { client: key },
        { client: last, grant },
      ];
      for (const [place, holding] of holdings.entries()) {
        const code = await ask(route, holding, owner.vault);
        const cell = line?.cells[place] ?? '';
        const expected = codeIn(cell);
        const isAsSaid =
          expected === undefined ? !LACKING.has(code) || isNone(route, place, code) : code === expected;
        if (!isAsSaid) otherwise.push(`${line?.route ?? ''}, held ${String(place)}: ${code}, not ${cell}`);
        if (code !== 'done') t.refused(code);
        t.vary(1);
      }
    }
    expect(otherwise).toEqual([]);
  },
);

/** What begins a session wants a proof of the key that it will have, whoever asks. */
function isNone({ path }: Asked, place: number, code: string): boolean {
  const route = ROUTES.find((one) => one.path === path);
  return route?.beginsSession === true && place === 1 && code === 'session_missing';
}

async function signedInAgain(owner: AccountClient): Promise<AccountClient> {
  const client = house.clientOf(broker).knows(owner);
  await client.signIn('held');
  return client;
}

async function grantFor(owner: AccountClient, route: Asked): Promise<string> {
  const { path } = route;
  if (route === STREAM || !('grant' in (requestFor(route) as object))) return '';
  const isOfPurge = path.endsWith('/purge');
  const request = { factor: await owner.nextCode() };
  const { id } = isOfPurge
    ? await owner.must(purgeGrant, request)
    : await owner.must(account.grantBuy, request);
  return id;
}
