import type { BlobId, GrantId } from '$contract/ids.ts';
import { inboxList, inboxRead, inboxRemove, inboxWrite, type InboxName } from '$contract/vault-inbox.ts';
import type { Route } from '$contract/route.ts';
import { blobGetUrls, blobPutUrls, snapshotGetUrls, snapshotPutUrls } from '$contract/vault-blobs.ts';
import { envelopesWrite, keysGenerate, keysRelease, purge, purgeGrant } from '$contract/vault-keys.ts';
import { logAppend, logRead, type NamedSnapshot } from '$contract/vault-log.ts';
import { BrokerProblem } from '../../broker/domain/problem.ts';
import { fromB64Url, toB64Url, type Bytes } from '../../src/lib/bytes.ts';
import { generateAgreementKeyPair } from '../../src/lib/crypto/agreement.ts';
import { sealEnvelope } from '../../src/lib/crypto/envelope.ts';
import { randomBytes } from '../../src/lib/crypto/random.ts';
import { generateDeviceKeyPair, signingKeyFromSeed } from '../../src/lib/crypto/signing.ts';
import { journalRemote } from '../../src/lib/drive/journal-remote.ts';
import { HalfkeyError } from '../../src/lib/errors.ts';
import { InboxUse } from '../../src/lib/inbox/inbox-use.ts';
import { certifyDevice } from '../../src/lib/journal/entries/certificate.ts';
import { createGenesis } from '../../src/lib/journal/entries/genesis.ts';
import { Journal } from '../../src/lib/journal/journal.ts';
import type { Broker } from '../../src/lib/remote/broker.ts';
import { toRecord } from '../../src/lib/vault/envelope-record.ts';
import type { OpenVault } from '../../src/lib/vault/open-vault.ts';
import { MemoryCache } from '../journal/memory-remote.ts';
import { MemoryVaultCloud, newVaultId } from './memory-vault-cloud.ts';
import { memoryOwnKeys } from './own-inbox-keys.ts';
import { newBlobId, newSession, startVaultSide } from './vault-side.ts';

export const WORLD_NOW_MS = 1_795_000_000_000;
const EPOCH = 0;

/** What a request comes to before or after it has had its effect: it is refused so, or its answer is another. */
type Interference = (route: Route, request: unknown, effect: () => Promise<unknown>) => Promise<unknown>;

/** What a world has heard when it was asked these, in this order. */
export const asked = (...routes: readonly Route[]) => routes.map(({ method, path }) => `${method} ${path}`);

/**
 * A vault with its first device, as the client has it: over a broker's own vault side, with ports in memory and no HTTP
 * between.
 */
export async function openVaultWorld(options: { grantReleases?: number } = {}) {
  const cloud = new MemoryVaultCloud();
  const side = startVaultSide(
    { state: cloud.state, objects: cloud.vaultObjects, kms: cloud.kms, purger: cloud.purger },
    {
      clock: () => WORLD_NOW_MS,
      ...options,
      secondFactor: { accept: () => Promise.resolve() } as never,
    },
  );
  const session = newSession();
  const vault = newVaultId();
  const heard: string[] = [];
  const world = {
    ...{ cloud, side, session, vault, heard },
    /** By the client's clock. */
    nowMs: WORLD_NOW_MS,
    isOpen: true,
    interfere: ((_route, _request, effect) => effect()) as Interference,
    times: (route: Route) => heard.filter((each) => each === asked(route)[0]).length,
    /** What a code buys; the one before stays as it is. */
    async buyGrant(): Promise<void> {
      grant = (await side.grants.issue(session, { kind: 'release' })).id;
    },
  };
  let grant: GrantId;
  await world.buyGrant();

  const record = () => side.requireMember(session.account, vault);
  const appendedHere = async (segment: string, snapshot?: NamedSnapshot) =>
    side.log.append(vault, (await record()).head, fromB64Url(segment), undefined, snapshot);
  const urls = (field: string, names: readonly object[]) => ({
    urls: names.map((name) => ({ ...name, url: `https://store.test/${field}/${JSON.stringify(name)}` })),
  });
  const answers = new Map<Route, (request: never) => unknown>([
    [
      keysGenerate,
      async (order: Parameters<typeof side.keys.generate>[2]) => ({
        keys: (await side.keys.generate(session, vault, order)).map(({ kmsHalf, kmsBlob, ...key }) => ({
          ...key,
          kmsHalf: Buffer.from(kmsHalf).toString('base64url'),
          kmsBlob: Buffer.from(kmsBlob).toString('base64url'),
        })),
      }),
    ],
    [
      keysRelease,
      async (order: Parameters<typeof side.keys.release>[2]) => {
        const { keys, ...rest } = await side.keys.release(session, vault, order);
        return {
          keys: keys.map((key) => ({ ...key, kmsHalf: Buffer.from(key.kmsHalf).toString('base64url') })),
          ...rest,
        };
      },
    ],
    [
      envelopesWrite,
      async ({
        entry,
        ...order
      }: Parameters<typeof side.keys.write>[2] & { entry?: { segment: string } }) => {
        const refused = await side.keys.write(session, vault, order);
        if (!entry || refused.length > 0) return { refused };
        return { refused, head: await appendedHere(entry.segment) };
      },
    ],
    [
      inboxWrite,
      async ({ records }: { records: { blob: BlobId; record: string }[] }) => {
        const parsed = records.map(({ blob, record: text }) => ({ blob, record: fromB64Url(text) }));
        return { refused: await side.inbox.write(session, vault, parsed) };
      },
    ],
    [inboxList, ({ after }: { after: string }) => side.inbox.list(vault, after)],
    [
      inboxRead,
      async ({ names }: { names: InboxName[] }) => ({
        records: (await side.inbox.read(vault, names)).map((each) => ({
          ...each,
          record: Buffer.from(each.record).toString('base64url'),
        })),
      }),
    ],
    [
      inboxRemove,
      async (order: Parameters<typeof side.inbox.remove>[2]) => ({
        refused: await side.inbox.remove(session, vault, order),
      }),
    ],
    [
      logRead,
      async ({ from }: { from: string }) => {
        const { head, segments } = await side.log.read(vault, (await record()).head, Number(from));
        return { head, segments: segments.map((bytes) => Buffer.from(bytes).toString('base64url')) };
      },
    ],
    [
      logAppend,
      ({ segment, snapshot }: { segment: string; snapshot?: NamedSnapshot }) =>
        appendedHere(segment, snapshot),
    ],
    [purgeGrant, () => side.grants.issue(session, { kind: 'purge' })],
    [
      purge,
      async (order: Parameters<typeof side.purge.purge>[2]) => ({
        refused: await side.purge.purge(session, vault, order),
      }),
    ],
    [
      blobPutUrls,
      async (order: Parameters<typeof side.uploads.putUrls>[2]) => {
        await side.uploads.putUrls(session, vault, order);
        return { urls: order.blobs.map(({ blob }) => ({ blob, url: `memory:${blob}` })) };
      },
    ],
    [
      blobGetUrls,
      ({ blobs }: { blobs: string[] }) =>
        urls(
          'get',
          blobs.map((blob) => ({ blob })),
        ),
    ],
    [
      snapshotPutUrls,
      ({ pages }: { pages: { page: string }[] }) =>
        urls(
          'put',
          pages.map(({ page }) => ({ page })),
        ),
    ],
    [
      snapshotGetUrls,
      ({ pages }: { pages: { page: string }[] }) =>
        urls(
          'get',
          pages.map(({ page }) => ({ page })),
        ),
    ],
  ]);
  const broker: Broker = {
    async call(route, request, about) {
      about?.signal?.throwIfAborted();
      heard.push(...asked(route));
      const answer = answers.get(route);
      if (!answer) throw new Error(`${route.path} is not served here`);
      try {
        return await world.interfere(route, request, () => Promise.resolve(answer(request as never)));
      } catch (error) {
        if (!(error instanceof BrokerProblem)) throw error;
        const detail = error.fields ? { fields: [...error.fields] } : {};
        throw new HalfkeyError(error.code, error.code, { cause: error, detail });
      }
    },
  };

  const identity = await signingKeyFromSeed(randomBytes(32));
  const keys = await generateDeviceKeyPair();
  const device = { id: session.device as string, ...keys, agreementKey: randomBytes(32) };
  Object.assign(session, { deviceKey: toB64Url(device.publicKey) });
  const vaultKey = randomBytes(32);
  await found(world, { identity, device, vaultKey });
  const openJournal = () =>
    Journal.open({
      identity: {
        ...{ vault, account: session.account, vaultKeys: [{ epoch: EPOCH, vaultKey }] },
        ...{ identityPublicKey: identity.publicKey, device },
      },
      remote: journalRemote(broker, vault),
      cache: new MemoryCache(),
      nowMs: () => world.nowMs,
      pauseMs: () => Promise.resolve(),
    });
  const journal = await openJournal();
  const open: OpenVault = {
    ...{ vault, epoch: EPOCH, vaultKey, broker, journal, device },
    inboxUse: new InboxUse(journal, () => Promise.resolve([]), memoryOwnKeys({ vault, device: device.id })),
    requireGrant: () => {
      if (!world.isOpen) throw new HalfkeyError('locked', 'no grant is live');
      return grant;
    },
    takeReleased: () => undefined,
    releasesPerCode: () => options.grantReleases ?? 100,
  };
  heard.length = 0;
  return Object.assign(world, { broker, identity, journal, open, openJournal });
}

export type VaultWorld = Awaited<ReturnType<typeof openVaultWorld>>;

const keysOf = ({ publicKey, agreementKey }: { publicKey: Bytes; agreementKey: Bytes }) => ({
  publicKey,
  agreementKey,
});

/** The vault's first envelope, that of its inbox key, and its first segment. */
async function found(
  { side, session, vault }: Pick<VaultWorld, 'side' | 'session' | 'vault'>,
  keys: {
    readonly identity: { readonly publicKey: Bytes; readonly privateKey: CryptoKey };
    readonly device: { readonly id: string; readonly publicKey: Bytes; readonly agreementKey: Bytes };
    readonly vaultKey: Bytes;
  },
): Promise<void> {
  const { identity, device, vaultKey } = keys;
  const inboxBlob = newBlobId();
  const { publicKey, privateKey } = await generateAgreementKeyPair();
  const { id: grant } = await side.grants.issue(session, { kind: 'release' });
  const order = { grant, purpose: 'inbox', epoch: EPOCH, blobs: [inboxBlob] } as const;
  const [half] = await side.keys.generate(session, vault, order);
  if (!half) throw new TypeError('expected a half');
  const [kmsHalf, kmsBlob] = [new Uint8Array(half.kmsHalf), new Uint8Array(half.kmsBlob)];
  const envelope = await sealEnvelope({
    ...{ purpose: 'inbox', vault, blob: inboxBlob, epoch: EPOCH },
    ...{ contentKey: privateKey, kmsHalf, kmsBlob, vaultKey },
  });
  const genesis = await createGenesis({
    ...{ vault, account: session.account, vaultKey },
    ...{ identityKey: identity.privateKey, identityPublicKey: identity.publicKey },
    inbox: { blob: inboxBlob, publicKey, epoch: 0 },
    device: {
      ...{ id: device.id, ...keysOf(device), name: 'Laptop' },
      certificate: await certifyDevice(identity.privateKey, session.account, {
        device: device.id,
        ...keysOf(device),
      }),
    },
    keyring: { version: 1, hash: randomBytes(32) },
    nowMs: WORLD_NOW_MS,
  });
  await side.createVault({
    ...{ account: session.account, vault, genesis, inboxBlob },
    inboxEnvelope: toRecord(envelope),
  });
}
