import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { serve } from '@hono/node-server';
import { beforeAll, expect } from 'vitest';
import * as account from '$contract/accounts.ts';
import * as credentials from '$contract/credentials.ts';
import type { DeviceId } from '$contract/ids.ts';
import { PROOF_HEADER, type Route } from '$contract/route.ts';
import { VAULT_EVENTS_PATH } from '$contract/vault-events.ts';
import { keysRelease } from '$contract/vault-keys.ts';
import { logAppend, logRead } from '$contract/vault-log.ts';
import { createAccounts, withoutDevice } from '../../../broker/domain/account/accounts.ts';
import { createRecords } from '../../../broker/domain/state/records.ts';
import { loadSetup } from '../../../broker/domain/state/setup.ts';
import type { AccountClient } from '../../support/account-client.ts';
import type { TestBroker } from '../../support/broker.ts';
import { eventKinds, prove } from '../../support/credentials-client.ts';
import { TestSessionKey } from '../../support/session-key.ts';
import { row, type Trial } from '../support/row.ts';
import { buyGrant, newBlobId, newcomer, setUpHouse } from './support/house.ts';
import { b64url } from './support/flow.ts';
import { clientsByStage, ROUTES, requestFor, type TokenStage } from './support/requests.ts';

// What somebody does who has a copy of a cookie, or a whole device, and no code. Each was seen to succeed once.

const house = setUpHouse();
let broker: TestBroker;

beforeAll(async () => {
  broker = await house.newBroker();
});

/** Another machine with a copy of the cookies, and a key of its own. */
function thiefOf(victim: AccountClient): AccountClient {
  const thief = victim.fork();
  thief.sessionKey = new TestSessionKey();
  return thief;
}

const STREAM = { method: 'GET', path: VAULT_EVENTS_PATH, stage: 'full' } as const;
type Asked = Pick<Route, 'method' | 'path' | 'stage'>;

function pathOf({ method, path }: Asked, vault: string, request: unknown): string {
  const filled = path.replace(':vault', encodeURIComponent(vault));
  const query = method === 'GET' ? new URLSearchParams(request as Record<string, string>).toString() : '';
  return query === '' ? filled : `${filled}?${query}`;
}

/** Without a proof, with the thief's own, and with one of the victim's for another request. */
async function variantsOf(victim: AccountClient, method: string): Promise<Record<string, string>[]> {
  const captured = await victim.prove(method, '/api/elsewhere', victim.cookies.get('halfkey'));
  return [{ [PROOF_HEADER]: '' }, {}, { [PROOF_HEADER]: captured }];
}

row(
  'J10',
  {
    attack: 'a copied cookie, used from another machine',
    tried:
      'every route of every stage, and the stream, with the cookie alone, with a proof of another key, with a captured proof of another request; HEAD; the whole request sent again; its one right, fifty times at once',
  },
  async (t) => {
    const clients = await clientsByStage(house, broker);
    const guarded: Asked[] = [
      ...ROUTES.filter(({ stage, cookieAlone }) => stage !== 'none' && !cookieAlone),
      STREAM,
    ];
    const opened: string[] = [];
    for (const route of guarded) {
      const victim = clients.get(route.stage as TokenStage);
      if (!victim) throw new Error(`expected a client of stage ${route.stage}`);
      const request = route === STREAM ? {} : requestFor(route);
      const path = pathOf(route, victim.vault === '' ? 'us-east-1:x' : victim.vault, request);
      for (const headers of await variantsOf(victim, route.method)) {
        const body = route.method === 'GET' ? undefined : JSON.stringify(request);
        const response = await thiefOf(victim).raw(route.method, path, body, headers);
        const { code } = (await response.json()) as { code?: string };
        if (response.status !== 401 || code !== 'session_missing')
          opened.push(`${route.method} ${route.path}`);
        t.refused(code ?? 'none');
        t.vary(1);
      }
      if (route.method !== 'GET') continue;
      const head = await thiefOf(victim).raw('HEAD', path, undefined, { [PROOF_HEADER]: '' });
      if (head.status !== 401) opened.push(`HEAD ${route.path}`);
      t.vary(1);
    }
    expect(opened).toEqual([]);
    await replayed(t);
    await ended(t);
  },
);

/** Anyone who has read a whole request sends it again: what costs something is not done twice. */
async function replayed(t: Trial): Promise<void> {
  const victim = await newcomer(house, broker, 'replayed');
  const grant = await buyGrant(victim, 3);
  const send = victim.send.bind(victim);
  const sent: [string, RequestInit][] = [];
  victim.send = (path, init) => {
    sent.push([path, init]);
    return send(path, init);
  };
  const order = { grant, purpose: 'file', names: [{ blob: newBlobId(), epoch: 0 }] };
  expect(await victim.call(keysRelease, order)).toMatchObject({ ok: true });
  const [path, init] = sent.at(-1) ?? [];
  if (path === undefined || init === undefined) throw new Error('expected a request');
  const again = await send(path, init);
  expect(again.status).toBe(401);
  expect(await again.json()).toMatchObject({ code: 'nonce_stale' });
  t.refused('nonce_stale');
  t.vary(1);
  // It took nothing from the grant.
  for (let left = 2; left > 0; left -= 1)
    expect(await victim.call(keysRelease, order)).toMatchObject({ ok: true });
  expect(await victim.call(keysRelease, order)).toMatchObject({ code: 'grant_spent' });
}

/** The one thing that it may do. */
async function ended(t: Trial): Promise<void> {
  const victim = await newcomer(house, broker, 'ended');
  const other = house.clientOf(broker).knows(victim);
  await other.signIn('ended');
  const response = await thiefOf(victim).raw('POST', account.sessionEnd.path, '{}', { [PROOF_HEADER]: '' });
  expect(response.status).toBe(200);
  expect(await victim.call(account.sessionRead)).toMatchObject({ code: 'session_missing' });
  expect(await other.call(account.sessionRead)).toMatchObject({ ok: true });
  t.held('a cookie alone ends its own session, and does nothing else');
  await endedAtOnce(t);
}

/** What it may do is told once, however often it is asked for at the same moment. */
async function endedAtOnce(t: Trial): Promise<void> {
  const victim = await newcomer(house, broker, 'ended-at-once');
  const other = house.clientOf(broker).knows(victim);
  await other.signIn('ended-at-once');
  const before = (await eventKinds(other)).length;
  const requests = Array.from({ length: 50 }, () =>
    thiefOf(victim).raw('POST', account.sessionEnd.path, '{}', { [PROOF_HEADER]: '' }),
  );
  expect((await Promise.all(requests)).filter(({ status }) => status !== 200 && status !== 401)).toEqual([]);
  expect((await eventKinds(other)).slice(before)).toEqual(['signed-out']);
  t.vary(requests.length);
}

row(
  'J7',
  {
    attack: 'flooding what others have to read or keep',
    tried:
      'wrong backup codes from a device, 400 of them; sign-ups that are left before their first code; logins under invented names from one address',
  },
  async (t) => {
    const owner = await newcomer(house, broker, 'flooded');
    const before = (await eventKinds(owner)).length;
    const outcomes = new Set<string>();
    for (let count = 0; count < (t.full ? 400 : 40); count += 1) {
      const reply = await owner.call(account.grantBuy, { factor: { backupCode: 'A'.repeat(16) } });
      outcomes.add(reply.code ?? 'taken');
      t.refused(reply.code ?? '');
      t.vary(1);
    }
    expect([...outcomes].sort()).toEqual(['backup_code_refused', 'too_many_requests']);
    expect((await eventKinds(owner)).length - before).toBe(1);
    t.held('the log tells of one refused backup code an hour');

    let identities = 0;
    const ports = house.connect();
    const counting = await house.newBroker({
      ports: {
        identities: {
          create: (login) => {
            identities += 1;
            return ports.identities.create(login);
          },
        },
      },
      settings: { ratePerMinute: 60 },
    });
    for (let count = 0; count < 5; count += 1) {
      await house.clientOf(counting).signUpUntilFirstCode(`left-${String(count)}`, 'p');
      t.vary(1);
    }
    expect(identities).toBe(0);
    t.held('a sign-up without a code makes no identity');

    const noisy = house.clientOf(counting);
    noisy.headers = { 'x-test-address': '198.51.100.9' };
    const begun: string[] = [];
    for (let count = 0; count < 100; count += 1) {
      const { reply } = await noisy.startSignIn(`invented-${String(count)}`, 'p');
      begun.push(reply.code ?? 'begun');
      t.vary(1);
    }
    expect(begun.filter((code) => code === 'begun').length).toBeLessThanOrEqual(60);
    t.refused('too_many_requests');
    house.dismiss(counting);
  },
);

row(
  'J9',
  {
    attack: 'coming back after having been signed out for good',
    tried: 'a device that was signed out, after 200 others were, and after ids that nobody has',
  },
  async (t) => {
    const owner = await newcomer(house, broker, 'returning');
    const lost = house.clientOf(broker).knows(owner);
    await lost.signIn('returning');
    expect(await prove(owner, 'returning')).toMatchObject({ ok: true });
    await owner.must(credentials.deviceRevoke, { device: lost.device.id });
    const { setup, codec } = await loadSetup(broker.ports.state, broker.ports.kms);
    const accounts = createAccounts(createRecords(broker.ports.state, codec), setup.nameKey);
    // As the broker itself does for each of them.
    await accounts.update(owner.account, (record) => {
      let next = record;
      for (let count = 0; count < 250; count += 1) {
        const id = b64url(randomBytes(16)) as DeviceId;
        const devices = [...next.devices, { id, publicKey: b64url(randomBytes(32)), addedAtMs: 0 }];
        next = withoutDevice({ ...next, devices }, id) ?? next;
      }
      return next;
    });
    for (let count = 0; count < 5; count += 1) {
      await owner.must(credentials.deviceRevoke, { device: b64url(randomBytes(16)) });
      t.vary(1);
    }
    await lost.provePassphrase('returning');
    const reply = await lost.call(account.signinCode, { factor: await lost.nextCode(), device: lost.device });
    expect(reply).toMatchObject({ code: 'device_revoked' });
    t.refused('device_revoked');
    t.vary(250);
    expect((await accounts.read(owner.account))?.revokedDevices).toHaveLength(251);
    t.held('ids that nobody has are not remembered');
  },
);

row(
  'J11',
  {
    attack: 'typing wrong codes until the owner is locked out',
    tried: 'with a copied cookie; with a device, codes and backup codes alike, as fast as it goes',
  },
  async (t) => {
    const owner = await newcomer(house, broker, 'locked-out');
    const device = house.clientOf(broker).knows(owner);
    await device.signIn('locked-out');
    const wrong = { factor: { code: await owner.wrongCode() } };
    const cookie = await thiefOf(owner).call(account.grantBuy, wrong, { headers: { [PROOF_HEADER]: '' } });
    expect(cookie).toMatchObject({ code: 'session_missing' });
    t.refused('session_missing');
    for (let count = 0; count < 12; count += 1) {
      const reply = await device.call(account.grantBuy, wrong);
      t.refused(reply.code ?? '');
      await device.call(account.grantBuy, { factor: { backupCode: 'A'.repeat(16) } });
      t.vary(2);
    }
    expect(await owner.call(account.grantBuy, { factor: await owner.nextCode() })).toMatchObject({
      code: 'code_locked',
    });
    expect(await eventKinds(owner)).toContain('code-locked');
    const [backupCode] = owner.backupCodes;
    expect(await owner.call(account.grantBuy, { factor: { backupCode } })).toMatchObject({ ok: true });
    t.held('the log tells of it, and a backup code opens the lock');
  },
);

row(
  'J12',
  {
    attack: 'keeping a new device out by logins under its name',
    tried: 'a stranger begins one each second, before and while the owner signs in from elsewhere',
  },
  async (t) => {
    const owner = await newcomer(house, broker, 'kept-out');
    const stranger = house.clientOf(broker);
    stranger.headers = { 'x-test-address': '198.51.100.66' };
    for (let count = 0; count < 60; count += 1) {
      const { reply } = await stranger.startSignIn('kept-out', 'a guess');
      if (!reply.ok) t.refused(reply.code);
      house.clock.advance(1);
      t.vary(1);
    }
    const newDevice = house.clientOf(broker).knows(owner);
    newDevice.headers = { 'x-test-address': '203.0.113.5' };
    expect((await newDevice.signIn('kept-out')).account).toBe(owner.account);
    t.held('whoever comes from elsewhere gets in at once');
  },
);

row(
  'J12',
  {
    attack: 'keeping a new device out by a snapshot that there is not',
    tried:
      'a device names one of its own segment, of one to come, and of the greatest number there is; twice each',
  },
  async (t) => {
    const owner = await newcomer(house, broker, 'snapshots');
    for (const ahead of [1, 2, Number.MAX_SAFE_INTEGER - 2, Number.MAX_SAFE_INTEGER - 1]) {
      for (let times = 0; times < 2; times += 1) {
        const { head } = await owner.must(logRead, { from: '0' });
        const snapshot = { seq: head.seq + ahead, pages: [newBlobId()] };
        const reply = await owner.call(logAppend, { segment: owner.segmentAfter(head), snapshot });
        expect(reply).toMatchObject({ code: 'input_malformed' });
        t.refused('input_malformed');
        t.vary(1);
      }
    }
    const newDevice = house.clientOf(broker).knows(owner);
    const { opening } = await newDevice.signIn('snapshots');
    expect(opening).toMatchObject([{ from: 0, pages: [] }]);
    t.held('a new device gets in, and is told of no such snapshot');
  },
);

row(
  'J16',
  {
    attack: 'keeping the owner’s tabs from their streams',
    tried:
      'sixteen streams and as many HEAD requests with a copied cookie, and without any; as many of a stolen device’s own as it gets',
  },
  async (t) => {
    const owner = await newcomer(house, broker, 'streams');
    const path = pathOf(STREAM, owner.vault, {});
    for (const method of ['GET', 'HEAD']) {
      for (let count = 0; count < 16; count += 1) {
        const thief = count % 2 === 0 ? thiefOf(owner) : house.clientOf(broker);
        const response = await thief.raw(
          method,
          path,
          undefined,
          count % 4 === 0 ? { [PROOF_HEADER]: '' } : {},
        );
        expect(response.status).toBe(401);
        await response.text();
        t.refused('401');
        t.vary(1);
      }
    }
    const stolen = house.clientOf(broker).knows(owner);
    await stolen.signIn('streams');
    const taken = await Promise.all(Array.from({ length: 17 }, () => stolen.raw('GET', path)));
    expect(
      taken
        .map(({ status }) => status)
        .sort()
        .slice(-2),
    ).toEqual([200, 429]);
    t.refused('429');
    t.vary(taken.length);
    const stream = await owner.raw('GET', path);
    expect(stream.status).toBe(200);
    for (const one of [...taken, stream]) await one.body?.cancel();
    expect(await owner.call(account.sessionRead)).toMatchObject({ ok: true });
    t.held('the owner’s stream opens');
  },
);

/** The text of a request that the client would send, proof and all, to a server of this port. */
async function textOfRequest(client: AccountClient, route: Route, request: object): Promise<string> {
  const { send } = client;
  let text = '';
  client.send = (path, { method = '', headers, body }) => {
    const sent = { ...(headers as Record<string, string>), host: 'localhost' };
    const length = typeof body === 'string' ? body.length : 0;
    const lines = Object.entries({ ...sent, 'content-length': String(length) }).map(
      ([name, value]) => `${name}: ${value}`,
    );
    text = [`${method} ${path} HTTP/1.1`, ...lines, '', typeof body === 'string' ? body : ''].join('\r\n');
    return Response.json({ type: 'x', title: 'x', status: 401, code: 'session_missing' }, { status: 401 });
  };
  await client.call(route, request);
  client.send = send;
  return text;
}

row(
  'J16',
  {
    attack: 'half of a request',
    tried:
      'connections that stop in the first line, in a header, behind the headers, and one byte before the end of a request with a right proof and a right code; as many of them as a browser never opens; then they go away',
  },
  async (t) => {
    const owner = await newcomer(house, broker, 'halves');
    const server = serve({ fetch: broker.app.fetch, port: 0, hostname: 'localhost' });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const events = await eventKinds(owner);
    const factor = await owner.nextCode();
    const whole = await textOfRequest(owner, account.grantBuy, { factor });
    const behindHeaders = whole.indexOf('\r\n\r\n') + 4;
    const sockets: Socket[] = [];
    let heard = '';
    for (const stop of [5, 40, behindHeaders - 2, behindHeaders, whole.length - 1]) {
      for (let count = 0; count < (t.full ? 200 : 20); count += 1) {
        const socket = connect(port, 'localhost');
        await once(socket, 'connect');
        socket.on('data', (bytes) => (heard += bytes.toString('latin1')));
        socket.write(whole.slice(0, stop));
        sockets.push(socket);
        t.vary(1);
      }
    }
    owner.send = (path, init) => fetch(`http://localhost:${String(port)}${path}`, init);
    expect(await owner.call(account.sessionRead)).toMatchObject({ ok: true });
    const stream = await owner.raw('GET', pathOf(STREAM, owner.vault, {}));
    expect(stream.status).toBe(200);
    await stream.body?.cancel();
    expect([heard, await eventKinds(owner)]).toEqual(['', events]);
    for (const socket of sockets) socket.destroy();
    // The code that was sent all but for its end counts for nothing: it is still good.
    expect(await owner.call(account.grantBuy, { factor })).toMatchObject({ ok: true });
    server.close();
    t.held('nothing is answered or counted before the end, and the owner goes on');
  },
);
