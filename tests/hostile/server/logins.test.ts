import { randomBytes } from 'node:crypto';
import { beforeAll, expect } from 'vitest';
import * as contract from '$contract/accounts.ts';
import * as credentials from '$contract/credentials.ts';
import { VAULT_EVENTS_PATH } from '$contract/vault-events.ts';
import type { AccountClient } from '../../support/account-client.ts';
import type { TestBroker } from '../../support/broker.ts';
import { newAuthenticator, passphraseRequest, prove } from '../../support/credentials-client.ts';
import { resetFactor } from '../../support/factor-reset-client.ts';
import { row } from '../support/row.ts';
import { kolmogorovSmirnov } from './support/distribution.ts';
import { newcomer, setUpHouse } from './support/house.ts';
import { clientsByStage, ROUTES, requestFor, type TokenStage } from './support/requests.ts';

const house = setUpHouse();
let brokers: readonly [TestBroker, TestBroker];

beforeAll(async () => {
  brokers = [await house.newBroker(), await house.newBroker()];
});

row(
  'F5',
  {
    attack: 'locking somebody out by wrong logins',
    tried:
      'a stranger begins 1,000 logins (in short 200) under the victim’s name; the victim signs in meanwhile',
  },
  async (t) => {
    const victim = await newcomer(house, brokers[0], 'victim');
    const attempts = t.full ? 1000 : 200;
    const outcomes = await Promise.all(
      Array.from({ length: attempts }, async (_, index) => {
        const stranger = house.clientOf(brokers[index % 2 === 0 ? 0 : 1]);
        return (await stranger.startSignIn('victim', 'a guess')).reply;
      }),
    );
    const slowed = outcomes.filter(({ code }) => code === 'too_many_requests');
    expect(slowed.length).toBeGreaterThanOrEqual(attempts - 20);
    for (const { code } of slowed) t.refused(code ?? '');
    expect(await house.clientOf(brokers[0]).provePassphrase('victim')).toMatchObject({
      code: 'too_many_requests',
    });
    // The device that signed in before has a counter of its own, and the authenticator was never asked.
    await victim.must(contract.sessionEnd);
    expect((await victim.signIn('victim')).account).toBe(victim.account);
    t.vary(attempts);
    t.held('a device that signed in before still signs in');
  },
);

row(
  'F8',
  {
    attack: 'a token of one stage at the routes of another',
    tried:
      'every route with no token, the tokens of all other stages, a device’s and a login’s, and under other cookie names',
  },
  async (t) => {
    const clients = await clientsByStage(house, brokers[0]);
    const full = clients.get('full');
    if (!full) throw new Error('expected a full session');
    const withToken = (token: string | undefined, name = 'halfkey', kind = '') => {
      const client = house.clientOf(brokers[1]).knows(full);
      // With the key that it is bound to: it is for its stage that it is refused.
      client.sessionKey = (clients.get(kind as TokenStage) ?? full).sessionKey;
      if (token !== undefined) client.cookies.set(name, token);
      return client;
    };
    const login = house.clientOf(brokers[0]);
    await login.startSignIn('anybody', 'p');
    const tokens: [string, string | undefined, string?][] = [
      ['none', undefined],
      ...[...clients].map(([stage, client]): [string, string | undefined] => [
        stage,
        client.cookies.get('halfkey'),
      ]),
      ['device', full.cookies.get('halfkey-device')],
      ['state', login.cookies.get('halfkey-state')],
      ['full under another name', full.cookies.get('halfkey'), 'halfkey-device'],
      ['full under the https name', full.cookies.get('halfkey'), '__Host-halfkey'],
    ];
    const streams = { method: 'GET', path: VAULT_EVENTS_PATH, stage: 'full' } as const;
    const guarded = [...ROUTES.filter(({ stage }) => stage !== 'none'), streams];
    const opened: string[] = [];
    for (const route of guarded) {
      for (const [kind, token, name] of tokens) {
        if (kind === route.stage) continue;
        const client = withToken(token, name, kind);
        const path = route.path.replace(':vault', encodeURIComponent(full.vault));
        const request = route === streams ? {} : requestFor(route);
        const query = new URLSearchParams(request as Record<string, string>).toString();
        const response =
          route.method === 'GET'
            ? await client.raw('GET', `${path}?${query}`)
            : await client.raw('POST', path, JSON.stringify(request));
        const { code } = (await response.json()) as { code?: string };
        if (response.status !== 401 || code !== 'session_missing') opened.push(`${route.path} with ${kind}`);
        t.refused(code ?? 'none');
        t.vary(1);
      }
    }
    expect(opened).toEqual([]);
    // It is the stage that was looked at: with its own each goes further. (Two of them may go so far as to end the
    // session.)
    const ending = ['/api/session/end', '/api/recovery/complete'];
    for (const route of guarded.filter((one) => one !== streams && !ending.includes(one.path))) {
      const client = clients.get(route.stage as TokenStage);
      if (!client) throw new Error(`expected a client of stage ${route.stage}`);
      const response = await client
        .fork()
        .raw(
          route.method,
          `${route.path.replace(':vault', encodeURIComponent(full.vault))}${route.method === 'GET' ? `?${new URLSearchParams(requestFor(route) as Record<string, string>).toString()}` : ''}`,
          route.method === 'GET' ? undefined : JSON.stringify(requestFor(route)),
        );
      expect([route.path, response.status === 401 && (await response.text())]).not.toEqual([
        route.path,
        expect.stringContaining('session_missing'),
      ]);
    }
  },
);

row(
  'F9',
  {
    attack: 'finding out whether a name exists',
    tried:
      'known, half signed-up and unknown names: bytes, headers, requests to the store and time of each answer',
  },
  async (t) => {
    await newcomer(house, brokers[0], 'known-name');
    await house.clientOf(brokers[0]).signUpUntilFirstCode('half-name', 'p');
    const observe = async (asked: TestBroker, userName: string) => {
      house.clock.advance(30);
      const client = house.clientOf(asked);
      const from = house.proxy.seen.length;
      const begunAt = performance.now();
      const { reply } = await client.startSignIn(userName, 'a wrong guess');
      const ms = performance.now() - begunAt;
      const requests = house.proxy.seen
        .slice(from)
        .map(({ method, path }) => `${method} ${path.split('/')[2] ?? ''}`);
      const request = JSON.stringify({ finishLoginRequest: randomBytes(64).toString('base64url') });
      const state = client.cookies.get('halfkey-state')?.length;
      const finished = await client.raw('POST', contract.signinFinish.path, request);
      const seen = {
        status: reply.status,
        sizeBytes: reply.ok ? reply.answer.loginResponse.length : 0,
        state,
        requests,
        finished: [finished.status, await finished.text(), [...finished.headers.keys()]],
      };
      return { ms, seen };
    };
    const names = ['known-name', 'half-name', 'nobody-name', 'x', 'y'.repeat(64)];
    const observeAll = async () => {
      // A broker may remember what it has just written for a name, so each round has one that remembers nothing.
      const fresh = await house.newBroker();
      const observed: Awaited<ReturnType<typeof observe>>[] = [];
      for (const userName of names) observed.push(await observe(fresh, userName));
      house.dismiss(fresh);
      return observed;
    };
    const rounds = t.full ? 2000 : 8;
    const times = new Map<string, number[]>();
    for (let round = 0; round < rounds; round += 1) {
      const observed = await observeAll();
      const [known] = observed;
      expect(known?.seen.sizeBytes).toBe(427);
      for (const [index, { ms, seen }] of observed.entries()) {
        expect(seen).toEqual(known?.seen);
        const kind = names[index]?.split('-')[0] ?? '';
        times.set(kind, [...(times.get(kind) ?? []), ms]);
        t.vary(1);
      }
    }
    t.refused('login_refused');
    const { probability, distance } = kolmogorovSmirnov(times.get('known') ?? [], times.get('nobody') ?? []);
    t.held(
      `the same bytes, headers and store requests; times by Kolmogorov–Smirnov: distance ${distance.toFixed(3)}, p = ${probability.toFixed(3)}`,
    );
  },
);

/** What ends all that was issued before; `full` is signed in. @returns who is signed in after it */
const CHANGES: Readonly<
  Record<string, (full: AccountClient, userName: string, grant: string) => Promise<AccountClient>>
> = {
  async recovered(full, _, grant) {
    const again = house.clientOf(brokers[0]).knows(full);
    await again.proveRecoveryKey();
    await again.must(contract.recoveryComplete, await again.recover('a new passphrase'));
    expect((await again.call(contract.grantEnd, { grant })).ok).toBe(true); // As if there were none.
    const generate = ROUTES.find(({ path }) => path.endsWith('/keys/generate'));
    if (!generate) throw new Error('expected the route');
    const reply = await again.call(generate, { ...(requestFor(generate) as object), grant });
    expect(reply).toMatchObject({ status: 403, code: 'grant_missing' });
    return again;
  },
  async 'another-passphrase'(full, userName) {
    await prove(full, userName);
    await full.must(credentials.passphraseRenew, await passphraseRequest(full, 'a new passphrase'));
    return full;
  },
  async 'another-authenticator'(full, userName) {
    await prove(full, userName);
    const next = await newAuthenticator(full, userName);
    await full.must(credentials.authenticatorConfirm, { code: await next.code() });
    return full;
  },
  're-enrolled': (full, userName) =>
    resetFactor(house.clientOf(brokers[0]).knows(full), userName, house.clock),
};

row(
  'F14',
  {
    attack: 'a token or grant of before a sign-out or a new factor',
    tried:
      'tokens of every stage, at both brokers, after recovery, another passphrase, another authenticator with a code and without, and sign-out; the grant with the new session',
  },
  async (t) => {
    for (const [name, change] of Object.entries(CHANGES)) {
      const clients = await clientsByStage(house, brokers[0], name);
      const full = clients.get('full');
      if (!full) throw new Error('expected a session');
      const { id: grant } = await full.must(contract.grantBuy, { factor: await full.nextCode() });
      const old = new Map([...clients].map(([stage, client]) => [stage, client.fork()]));
      const after = await change(full, name, grant);
      for (const [stage, client] of old) {
        if (stage === 'enrol' || stage === 'setup') continue;
        for (const broker of brokers) {
          const twin = client.fork();
          twin.send = house.clientOf(broker).send;
          for (const route of ROUTES.filter((one) => one.stage === stage)) {
            const reply = await twin.call(route, requestFor(route));
            expect(reply).toMatchObject({ status: 401, code: 'session_missing' });
            t.refused(reply.code ?? '');
            t.vary(1);
          }
        }
      }

      const twin = after.fork();
      expect((await twin.call(contract.sessionRead)).ok).toBe(true);
      await after.must(contract.sessionEnd);
      for (const broker of brokers) {
        twin.send = house.clientOf(broker).send;
        expect(await twin.fork().call(contract.sessionRead)).toMatchObject({ code: 'session_missing' });
        t.vary(1);
      }
    }
  },
);
