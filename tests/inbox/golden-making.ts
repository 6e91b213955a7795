import { toB64, toHex, utf8, type Bytes } from '../../src/lib/bytes.ts';
import { sealAad } from '../../src/lib/crypto/aad.ts';
import { sha256 } from '../../src/lib/crypto/digest.ts';
import { seal } from '../../src/lib/crypto/floe.ts';
import { paddedSize } from '../../src/lib/crypto/padding.ts';
import { randomBytes } from '../../src/lib/crypto/random.ts';
import { signingKeyFromSeed } from '../../src/lib/crypto/signing.ts';
import { sealDraft, type Draft } from '../../src/lib/inbox/draft.ts';
import { createInboxKey, openInboxKey, type InboxPrivateKey } from '../../src/lib/inbox/keys.ts';
import { sealRecord, type CapturedFile } from '../../src/lib/inbox/record.ts';
import { createGenesis } from '../../src/lib/journal/entries/genesis.ts';
import { headPhrase } from '../../src/lib/journal/entries/head-phrase.ts';
import { Journal } from '../../src/lib/journal/journal.ts';
import type { InboxKey, Operation, Version } from '../../src/lib/journal/entries/operations.ts';
import { journalKey } from '../../src/lib/journal/entries/segment.ts';
import { sealSnapshot } from '../../src/lib/journal/snapshot.ts';
import { toRecord } from '../../src/lib/vault/envelope-record.ts';
import { MemoryCache, MemoryRemote } from '../journal/memory-remote.ts';
import {
  ACCOUNT,
  certifiedDevice,
  enrolment,
  idOf,
  NOW_MS,
  VAULT,
  type TestDevice,
} from '../journal/world.ts';
import type { GoldenInbox } from '../reader/golden-inbox.ts';

const EPOCH = 0;
const VAULT_KEY = Uint8Array.from({ length: 32 }, (_, index) => 64 + index);
const CONTENT = utf8('Was im Eingang liegt, gehört noch niemandem.\n');
const [blob, file] = [(n: number) => idOf('blob', n), (n: number) => idOf('file', n)];

/** Every stored object by its name without `v/<vault>/`, drafts under `drafts/<blob>`; and what a reader must find. */
export interface MadeInbox {
  readonly golden: GoldenInbox;
  readonly files: ReadonlyMap<string, Bytes>;
}

interface Pair {
  readonly inbox: InboxKey;
  readonly key: InboxPrivateKey;
  readonly kmsHalf: Bytes;
}

/** A small vault with an inbox: what the golden files `inbox-v1` were made of, and what is written today. */
export async function makeGoldenInbox(): Promise<MadeInbox> {
  const files = new Map<string, Bytes>();
  const identity = await signingKeyFromSeed(new Uint8Array(32).fill(11));
  const [laptop, phone, stolen] = [
    await certifiedDevice(identity, 1),
    await certifiedDevice(identity, 2),
    await certifiedDevice(identity, 3),
  ];
  const pairs = [await newPair(files, 0), await newPair(files, 1), await newPair(files, 2)] as const;
  const remote = new MemoryRemote();
  await remote.append(
    await createGenesis({
      ...{ vault: VAULT, account: ACCOUNT, vaultKey: VAULT_KEY },
      identityKey: identity.privateKey,
      identityPublicKey: identity.publicKey,
      inbox: pairs[0].inbox,
      device: { ...laptop, ...laptop.keys, name: 'Laptop' },
      keyring: { version: 1, hash: new Uint8Array(32).fill(4) },
      nowMs: NOW_MS,
    }),
  );
  const journalOf = ({ id, keys }: TestDevice): Promise<Journal> =>
    Journal.open({
      identity: {
        ...{ vault: VAULT, account: ACCOUNT, vaultKeys: [{ epoch: EPOCH, vaultKey: VAULT_KEY }] },
        identityPublicKey: identity.publicKey,
        device: { id, ...keys },
      },
      ...{ remote, cache: new MemoryCache(), nowMs: () => NOW_MS, pauseMs: () => Promise.resolve() },
    });
  const journal = await journalOf(laptop);
  await journal.appendByIdentity(identity.privateKey, [enrolment(phone), enrolment(stolen, 'Stolen')]);
  const second = await journalOf(phone);
  const first = await captured(files, 10, 'Brief.txt');
  await writeLog(journal, second, identity.privateKey, pairs, first);
  await putSnapshot(remote, journal);
  // What came back from the inbox after it was purged is skipped.
  await journal.append(() => [
    add(2),
    { kind: 'heartbeat', seq: 0, hash: NOTHING, atMs: NOW_MS, inboxEpoch: 2 },
  ]);

  const put = async (device: TestDevice, { inbox }: Pair, capture: CapturedFile): Promise<void> => {
    const by = { id: device.id, privateKey: device.keys.privateKey };
    const record = await sealRecord(capture, { vault: VAULT, inbox, device: by });
    files.set(`inbox/${device.id}/${capture.version.blob}`, record);
  };
  const waiting = await captured(files, 11, 'é'.repeat(127) + 'x', idOf('folder', 1));
  await put(laptop, pairs[2], first);
  await put(phone, pairs[1], waiting);
  await put(stolen, pairs[2], await captured(undefined, 12, 'fremd'));
  await put(laptop, pairs[0], await captured(undefined, 13, 'zu alt'));
  const draft = draftOf(await captured(undefined, 14, 'Entwurf.pdf'));
  files.set(`drafts/${blob(14)}`, await sealDraft(draft, { vault: VAULT, inbox: pairs[2].inbox }));

  for (const [seq, bytes] of remote.log.entries()) files.set(`log/${String(seq)}`, bytes);
  for (const [name, bytes] of remote.pages) files.set(`snapshots/${name}`, bytes);
  const { contentKey, ...drafted } = draft;
  const golden: GoldenInbox = {
    ...{ vault: VAULT, account: ACCOUNT, epoch: EPOCH, vaultKeyHex: toHex(VAULT_KEY) },
    identityPublicKeyHex: toHex(identity.publicKey),
    ...describeInbox(journal, pairs),
    records: [
      { blob: blob(10), captured: named(first) },
      { blob: blob(11), captured: named(waiting) },
      { blob: blob(12), refused: 'inbox_refused' },
      { blob: blob(13), refused: 'inbox_refused' },
    ],
    drafts: [{ ...drafted, contentKeyHex: toHex(contentKey) }],
    contents: await Promise.all(
      [10, 11].map(async (number) => ({ blob: blob(number), sha256Hex: toHex(await sha256(CONTENT)) })),
    ),
  };
  return { golden, files };
}

function draftOf({ file: id, folder, name, contentKey, version }: CapturedFile): Draft {
  const { blob: blobId, epoch, sizeBytes, mediaType, modifiedAtMs, addedAtMs } = version;
  const ids = { file: id, folder, name, contentKey, blob: blobId };
  return { ...ids, epoch, sizeBytes, mediaType, modifiedAtMs, addedAtMs };
}

const NOTHING = new Uint8Array(32);

function add(number: number, version = versionOf(number)): Operation {
  return { kind: 'file-add', file: file(number), folder: '', name: `Datei ${String(number)}`, version };
}

function versionOf(
  number: number,
  sealedBytes = 106 + paddedSize(CONTENT.length),
  digest = toB64(NOTHING),
): Version {
  return {
    ...{
      blob: blob(number),
      epoch: EPOCH,
      sizeBytes: CONTENT.length,
      sealedBytes,
      partBytes: 8_388_608,
      digest,
    },
    ...{ mediaType: 'text/plain', modifiedAtMs: NOW_MS - number, addedAtMs: NOW_MS + number },
  };
}

/** Files come and go, under one inbox key after the other; the first of them is retired. */
async function writeLog(
  laptop: Journal,
  phone: Journal,
  identityKey: CryptoKey,
  pairs: readonly Pair[],
  first: CapturedFile,
): Promise<void> {
  const publish = (epoch: number, atMs: number): Operation => ({
    kind: 'inbox-key',
    inbox: pairs[epoch]?.inbox ?? { blob: '', publicKey: NOTHING, epoch },
    atMs,
  });
  await laptop.append(() => [
    { kind: 'folder-add', folder: idOf('folder', 1), parent: '', name: 'Fotos' },
    ...[add(1), add(2), add(3)],
    { kind: 'purge', entry: file(1) },
    { kind: 'purged', blobs: [blob(1)] },
    publish(1, NOW_MS + 86_400_000),
    { kind: 'version-add', file: file(2), version: versionOf(22) },
    { kind: 'purge', entry: file(2) },
    { kind: 'purged', blobs: [blob(2)] },
  ]);
  await phone.refresh();
  await phone.append(() => [publish(2, NOW_MS + 2 * 86_400_000), { kind: 'purge', entry: file(3) }]);
  await laptop.refresh();
  await laptop.revoke(identityKey, { device: idOf('device', 3) });
  await phone.refresh();
  await phone.heartbeat(1);
  await laptop.refresh();
  await laptop.heartbeat(2);
  await laptop.append(() => [
    { kind: 'inbox-retire', epoch: 1 },
    { kind: 'file-add', ...fileOf(first) },
  ]);
}

const fileOf = ({ contentKey: _, ...rest }: CapturedFile): Omit<CapturedFile, 'contentKey'> => rest;

async function newPair(files: Map<string, Bytes>, epoch: number): Promise<Pair> {
  const halves = { vault: VAULT, epoch: EPOCH, vaultKey: VAULT_KEY, kmsHalf: randomBytes(32) };
  const named = { blob: idOf('inbox', epoch), epoch };
  const kmsBlob = utf8(`what KMS gave for inbox ${String(epoch)}`);
  const { inbox, envelope } = await createInboxKey({ ...halves, kmsBlob }, named);
  files.set(`keys/${named.blob}/${String(EPOCH)}`, utf8(JSON.stringify(toRecord(envelope))));
  return { inbox, key: await openInboxKey({ ...halves, envelope }, inbox), kmsHalf: halves.kmsHalf };
}

/** @param files where the blob goes; one that is never opened needs none */
async function captured(
  files: Map<string, Bytes> | undefined,
  number: number,
  name: string,
  folder = '',
): Promise<CapturedFile> {
  const contentKey = randomBytes(32);
  const padded = new Uint8Array(paddedSize(CONTENT.length));
  padded.set(CONTENT);
  const sealed = await seal(contentKey, sealAad('content', VAULT, blob(number), EPOCH), padded);
  files?.set(`blobs/${blob(number)}`, sealed);
  const version = versionOf(number, sealed.length, toB64(await sha256(sealed)));
  return { file: file(number), folder, name, contentKey, version };
}

async function putSnapshot(remote: MemoryRemote, journal: Journal): Promise<void> {
  const key = await journalKey(VAULT, EPOCH, VAULT_KEY);
  const { snapshot, pages } = await sealSnapshot(key, journal.state, journal.head);
  await remote.putPages(snapshot.seq, pages);
  await journal.append(() => [{ kind: 'snapshot', snapshot }]);
}

const named = ({ contentKey, ...rest }: CapturedFile) => ({ ...rest, contentKeyHex: toHex(contentKey) });

/** What the product says that the journal comes to. */
export function describeInbox(
  { state, head }: Journal,
  pairs: readonly { readonly key: InboxPrivateKey; readonly kmsHalf: Bytes }[],
): Pick<GoldenInbox, 'head' | 'inboxKeys' | 'files' | 'rest'> {
  return {
    head: { seq: head.seq, hashHex: toHex(head.hash), phrase: headPhrase(head) },
    inboxKeys: state.inboxKeys.map(({ blob: id, epoch, publicKey, atMs }, index) => ({
      ...{ blob: id, epoch, atMs: atMs ?? null },
      kmsHalfHex: toHex(pairs[index]?.kmsHalf ?? NOTHING),
      publicKeyHex: toHex(publicKey),
      privateKeyHex: toHex(pairs[index]?.key.privateKey ?? NOTHING),
    })),
    files: [...state.index.byId.keys()]
      .flatMap((id) => state.entry(id) ?? [])
      .map(({ id, name }) => ({
        ...{ id, name },
        blobs: state
          .versionsOf(id)
          .map((version) => version.blob)
          .reverse(),
      })),
    rest: {
      snapshotSeq: state.snapshot?.seq ?? -1,
      unpurged: [...state.unpurged],
      hidden: state.hiddenFiles().map(({ id, name, blobs }) => ({ id, name, blobs })),
      erased: [...state.erased],
      oldestInboxEpoch: state.oldestInboxEpoch,
      heartbeats: [...state.heartbeats].map(([device, { seq, inboxEpoch }]) => ({
        ...{ device, seq },
        inboxEpoch: inboxEpoch ?? null,
      })),
      skipped: state.skippedOperations,
    },
  };
}
