import { randomBytes } from 'node:crypto';
import { beforeAll, expect } from 'vitest';
import * as account from '$contract/accounts.ts';
import * as vault from '$contract/vaults.ts';
import { blobKeys } from '../../../broker/domain/vault/blob-keys.ts';
import { encodeEnvelope } from '../../../broker/domain/vault/keys.ts';
import { stateKeys } from '../../../broker/domain/state/state-keys.ts';
import type { AccountClient } from '../../support/account-client.ts';
import type { TestBroker } from '../../support/broker.ts';
import { type Fault, s3Error, type SeenRequest } from '../../support/fault-proxy.ts';
import { envelopeOf } from '../../support/vault-side.ts';
import { row, type Trial } from '../support/row.ts';
import { buyGrant, newBlobId, newcomer, setUpHouse } from './support/house.ts';
import { ROUTES, requestFor } from './support/requests.ts';

const house = setUpHouse();
let broker: TestBroker;
let alice: AccountClient;
let bob: AccountClient;

beforeAll(async () => {
  broker = await house.newBroker();
  [alice, bob] = [await newcomer(house, broker, 'alice'), await newcomer(house, broker, 'bob')];
});

const toKms = ({ target }: SeenRequest): boolean => target.startsWith('TrentService.');

row(
  'B6',
  {
    attack: 'a member of one vault at the routes of another (confused deputy)',
    tried:
      'every vault route, with a foreign vault, one that does not exist, and encodings of both; KMS and S3 watched on the wire',
  },
  async (t) => {
    const grant = await buyGrant(alice);
    const streams = { method: 'GET', path: vault.VAULT_EVENTS_PATH } as const;
    const routes = [...ROUTES.filter(({ path }) => path.includes(':vault')), streams];
    expect(routes).toHaveLength(23);
    const nobodys = 'us-east-1:00000000-0000-4000-8000-000000000000';
    const named = [
      bob.vault,
      nobodys,
      bob.vault.toUpperCase(),
      `${alice.vault}/../${bob.vault}`,
      `${bob.vault}\0`,
      ` ${bob.vault}`,
      `${alice.vault},${bob.vault}`,
      `${alice.vault} `,
      'us-east-1:x',
      'v',
      '*',
      '..',
    ];
    for (const route of routes) {
      for (const name of named) {
        const from = house.proxy.seen.length;
        const request = (route === streams ? {} : requestFor(route)) as Record<string, unknown>;
        const path = route.path.replace(':vault', encodeURIComponent(name));
        const withGrant = 'grant' in request ? { ...request, grant } : request;
        const query = new URLSearchParams(request as Record<string, string>).toString();
        const response =
          route.method === 'GET'
            ? await alice.raw('GET', `${path}?${query}`)
            : await alice.raw('POST', path, JSON.stringify(withGrant));
        const { code = '' } = (await response.json()) as { code?: string };
        const isVault = name === bob.vault || name === nobodys;
        const expected = isVault ? /^not_a_member$/ : /^(input_malformed|not_found)$/;
        expect([route.path, name, code]).toEqual([route.path, name, expect.stringMatching(expected)]);
        expect(response.status).toBeGreaterThanOrEqual(isVault ? 403 : 400);
        const reached = house.proxy.seen
          .slice(from)
          .filter((request) => toKms(request) || request.path.includes(`/v/`));
        expect(reached).toEqual([]);
        t.refused(code);
        t.vary(1);
      }
    }
    t.held('no request reached KMS, and none an object of a vault');
  },
);

row(
  'B6',
  {
    attack: 'a code that is typed for files which it does not open',
    tried:
      'another’s vault, with their blob and with one’s own; their blob in one’s own vault; an envelope that waits for a capture’s key; more files than the code buys; a wrong code, and one that was used; a session that was ended since',
  },
  async (t) => {
    /** A blob whose half KMS has made; nobody holds the half. */
    const made = async (client: AccountClient, purpose: 'file' | 'inbox') => {
      const { vaultKms, vaultObjects } = house.cloud.connect();
      const blob = newBlobId();
      const context = { app: 'halfkey', purpose, vault: client.vault, blob };
      const { kmsBlob } = await vaultKms.generateDataKey(client.vault, context);
      const bytes = encodeEnvelope(envelopeOf(kmsBlob, 0, purpose));
      await vaultObjects.create(client.vault, blobKeys.envelope(blob, 0), bytes);
      return { blob, epoch: 0 };
    };
    const [own, theirs] = [await made(alice, 'file'), await made(bob, 'file')];
    const inbox = await made(alice, 'inbox');
    const others = [
      { vault: bob.vault, names: [theirs] },
      { vault: bob.vault, names: [own] },
      { vault: alice.vault, names: [theirs] },
      { vault: alice.vault, names: [inbox] },
    ];
    const kmsOfVaults = (from: number) =>
      house.proxy.seen.slice(from).filter((request) => toKms(request) && request.target.endsWith('.Decrypt'));
    for (const release of others) {
      const bought = await alice.must(account.grantBuy, { factor: await alice.nextCode(), release });
      expect(JSON.stringify(bought)).not.toContain('kmsHalf');
      t.vary(1);
    }
    const two = { vault: alice.vault, names: [own, own] };
    const few = { factor: await alice.nextCode(), releases: 1, release: two };
    expect((await alice.must(account.grantBuy, few)).released).toBeUndefined();

    const release = { vault: alice.vault, names: [own] };
    const factor = await alice.nextCode();
    const opened = await alice.must(account.grantBuy, { factor, release });
    expect(opened.released?.keys).toMatchObject([own]);
    const from = house.proxy.seen.length;
    for (const bad of [factor, { code: '000000' }]) {
      const reply = await alice.call(account.grantBuy, { factor: bad, release });
      expect(JSON.stringify(reply)).not.toContain('kmsHalf');
      if (!reply.ok) t.refused(reply.code);
      t.vary(1);
    }
    const left = house.clientOf(broker).knows(alice);
    await left.signIn('alice');
    const asked = left.fork();
    await left.must(account.sessionEnd, {});
    const reply = await asked.call(account.grantBuy, { factor: await alice.nextCode(), release });
    expect(reply).toMatchObject({ ok: false, code: 'session_missing' });
    t.refused('session_missing');
    t.vary(2);
    // The secret of the authenticator is opened for each code that is looked at, and nothing besides.
    expect(kmsOfVaults(from).length).toBeLessThanOrEqual(3);
    t.held('a right code bought its grant each time, and no half of these');
  },
);

row(
  'B7',
  {
    attack: 'what KMS sealed for one purpose, posted for another',
    tried:
      'KMS blobs of the setup, of two authenticators, of another vault, another blob, the other purpose, and damaged ones, in an envelope of the own vault',
  },
  async (t) => {
    const state = house.cloud.connect().state;
    const { kms, vaultKms, vaultObjects } = house.cloud.connect();
    const setup = await state.read(stateKeys.setup);
    if (!setup) throw new Error('expected a setup');
    const half = async (of: typeof alice.vault, purpose: string, blob: string) =>
      (await vaultKms.generateDataKey(of, { app: 'halfkey', purpose, vault: of, blob })).kmsBlob;
    const blob = newBlobId();
    const secret = (who: AccountClient) =>
      kms.encrypt(randomBytes(32), { app: 'halfkey', purpose: 'totp', account: who.account });
    const good = await half(alice.vault, 'file', blob);
    const stolen: readonly Uint8Array[] = [
      setup.bytes,
      await secret(alice),
      await secret(bob),
      await half(bob.vault, 'file', blob),
      await half(alice.vault, 'file', newBlobId()),
      await half(alice.vault, 'inbox', blob),
      await half(alice.vault, 'share', blob),
      Buffer.alloc(0),
      randomBytes(200),
      ...Array.from({ length: t.full ? good.length : 6 }, (_, index) => {
        const bytes = Uint8Array.from(good);
        const at = t.full ? index : index * Math.floor(good.length / 6);
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        return bytes;
      }),
    ];
    const grant = await buyGrant(alice);
    let epoch = 0;
    for (const bytes of stolen) {
      epoch += 1;
      const envelope = envelopeOf(bytes, epoch);
      const written = await alice.must(vault.envelopesWrite, { grant, envelopes: [{ blob, envelope }] });
      expect(written.refused).toEqual([{ blob, epoch, code: 'grant_missing' }]);
      // So somebody puts it there who writes to the bucket itself.
      await vaultObjects.create(alice.vault, blobKeys.envelope(blob, epoch), encodeEnvelope(envelope));
      const purposes = bytes === stolen[5] ? (['file'] as const) : (['file', 'inbox'] as const);
      for (const purpose of purposes) {
        const reply = await alice.call(vault.keysRelease, { grant, purpose, names: [{ blob, epoch }] });
        expect([epoch, reply]).toMatchObject([
          epoch,
          { answer: { keys: [], refused: [{ blob, epoch, code: 'record_corrupt' }] } },
        ]);
        expect(JSON.stringify(reply)).not.toContain('kmsHalf');
        t.refused('record_corrupt');
        t.vary(1);
      }
    }
    // No request can say a purpose, or bring a blob, of its own.
    for (const odd of [
      { purpose: 'totp' },
      { purpose: 'setup' },
      { purpose: 'share' },
      { kmsBlob: 'AA' },
      { context: {} },
      { vault: bob.vault },
    ]) {
      const from = house.proxy.seen.length;
      const request = { grant, purpose: 'file', names: [{ blob, epoch: 1 }], ...odd };
      const reply = await alice.call(vault.keysRelease, request);
      expect(reply).toMatchObject({ status: 400, code: 'input_malformed' });
      expect(house.proxy.seen.slice(from).filter(toKms)).toEqual([]);
      t.refused(reply.code ?? '');
      t.vary(1);
    }
  },
);

const kmsAnswer = (status: number, type: string): Fault => ({
  kind: 'answer',
  status,
  body: JSON.stringify({ __type: type, message: 'as the row wants it' }),
});

/** What each service may answer, and what the broker is to make of it. */
const TROUBLE: readonly (readonly [string, (request: SeenRequest) => boolean, Fault, readonly string[]])[] = [
  ...['DisabledException', 'KMSInvalidStateException', 'NotFoundException', 'AccessDeniedException'].map(
    (name) => [name, toKms, kmsAnswer(400, name), ['kms_key_unusable']] as const,
  ),
  ...['ThrottlingException', 'LimitExceededException', 'RequestLimitExceeded'].map(
    (name) => [name, toKms, kmsAnswer(400, name), ['kms_unreachable']] as const,
  ),
  ...['KMSInternalException', 'DependencyTimeoutException', 'KeyUnavailableException'].map(
    (name) => [name, toKms, kmsAnswer(500, name), ['kms_unreachable']] as const,
  ),
  ['KMS gone', toKms, { kind: 'lost' }, ['kms_unreachable']],
  [
    'S3 SlowDown',
    (request) => request.target === '',
    { kind: 'answer', status: 503, body: s3Error('SlowDown') },
    ['store_unreachable'],
  ],
  ['S3 gone', (request) => request.target === '', { kind: 'lost' }, ['store_unreachable']],
  [
    'S3 full',
    ({ method }) => method === 'PUT',
    { kind: 'answer', status: 507, body: s3Error('InsufficientStorage') },
    ['store_full'],
  ],
];

row(
  'B10',
  {
    attack: 'KMS key disabled, deleted, throttled; store slow, full or gone',
    tried: `${String(TROUBLE.length)} kinds of trouble (in short every fourth) during a code, a generation and a release; then again when they have passed`,
  },
  async (t: Trial) => {
    for (const [name, meant, fault, codes] of TROUBLE.filter((_, index) => t.full || index % 4 === 0)) {
      const client = bob.fork();
      const blob = newBlobId();
      const grant = await buyGrant(client);
      const order = { grant, purpose: 'inbox', epoch: 0, blobs: [blob] };
      const [made] = (await client.must(vault.keysGenerate, order)).keys;
      const envelope = envelopeOf(Buffer.from(made?.kmsBlob ?? '', 'base64url'), 0, 'inbox');
      await client.must(vault.envelopesWrite, { envelopes: [{ blob, envelope, proof: made?.proof }] });
      const release = { grant, purpose: 'inbox', names: [{ blob, epoch: 0 }] };
      const { code } = await client.nextCode();
      const requests = [
        () => client.call(vault.keysGenerate, { ...order, blobs: [newBlobId()] }),
        () => client.call(vault.keysRelease, release),
        () => client.call(account.grantBuy, { factor: { code } }),
      ];
      for (const request of requests) {
        house.proxy.fault = (seen) => (meant(seen) ? fault : undefined);
        const reply = await request();
        house.proxy.fault = () => undefined;
        const refusedAlone =
          reply.ok && 'refused' in reply.answer ? reply.answer.refused[0]?.code : undefined;
        const refusal = reply.code ?? refusedAlone;
        expect([name, refusal]).toEqual([name, expect.stringMatching(new RegExp(`^(${codes.join('|')})$`))]);
        t.refused(refusal ?? '');
        t.vary(1);
      }
      // Nothing was lost by it: the same half, and the same code when no attempt of it was compared.
      const { keys } = await client.must(vault.keysRelease, release);
      expect(keys[0]?.kmsHalf).toBe(made?.kmsHalf);
      const after = await client.call(account.grantBuy, { factor: { code } });
      expect([name, after.ok]).toEqual([name, true]);
    }
    t.held('the same halves come, and the same code is taken, once the trouble has passed');
  },
);
