import { createKeyring } from '../../src/lib/account/keyring.ts';
import { hashBackupCode } from '../../src/lib/account/backup-codes.ts';
import { recoveryKeyPair, recoveryWords, signRecoveryChallenge } from '../../src/lib/account/recovery.ts';
import { concat, toB64, toHex, utf8, type Bytes } from '../../src/lib/bytes.ts';
import { sealAad } from '../../src/lib/crypto/aad.ts';
import { generateAgreementKeyPair } from '../../src/lib/crypto/agreement.ts';
import { sha256 } from '../../src/lib/crypto/digest.ts';
import { sealEnvelope } from '../../src/lib/crypto/envelope.ts';
import { HEADER_BYTES, seal } from '../../src/lib/crypto/floe.ts';
import { paddedSize } from '../../src/lib/crypto/padding.ts';
import { randomBytes } from '../../src/lib/crypto/random.ts';
import { generateDeviceKeyPair } from '../../src/lib/crypto/signing.ts';
import { certifyDevice } from '../../src/lib/journal/entries/certificate.ts';
import { createGenesis } from '../../src/lib/journal/entries/genesis.ts';
import { headPhrase } from '../../src/lib/journal/entries/head-phrase.ts';
import { Journal } from '../../src/lib/journal/journal.ts';
import type { Operation, SnapshotName, Version } from '../../src/lib/journal/entries/operations.ts';
import { journalKey, type JournalHead } from '../../src/lib/journal/entries/segment.ts';
import { encodeState } from '../../src/lib/journal/state/state-encoding.ts';
import type { FoldedVault } from '../../src/lib/journal/state/folded-vault.ts';
import { toRecord } from '../../src/lib/vault/envelope-record.ts';
import { MemoryCache, MemoryRemote } from '../journal/memory-remote.ts';
import { enrolment, idOf, NOW_MS, type TestDevice } from '../journal/world.ts';
import type { Golden, GoldenBlob } from './golden.ts';

const ACCOUNT = idOf('account', 1);
const VAULT = 'eu-central-1:3d6f0a51-7c1e-4d2b-8f52-5a9c0b1e7d44';
const EPOCH = 0;
const BACKUP_CODE = 'ABCDEFGHIJKLMNOP';
const counting = (sizeBytes: number, from: number): Bytes =>
  Uint8Array.from({ length: sizeBytes }, (_, index) => (from + index) % 256);

/** Byte i of a golden file is (7i + 3 + ⌊i / 256⌋) mod 256. */
const content = (sizeBytes: number): Bytes =>
  Uint8Array.from({ length: sizeBytes }, (_, index) => (7 * index + 3 + Math.floor(index / 256)) % 256);

/** Every stored object by its name without `v/<vault>/`, and what a reader must find. */
export interface GoldenAccount {
  readonly golden: Golden;
  readonly files: ReadonlyMap<string, Bytes>;
}

interface Makings {
  readonly vaultKey: Bytes;
  readonly files: Map<string, Bytes>;
  readonly blobs: GoldenBlob[];
}

/** A small account with all that is stored of it: what the golden files were made of, and what is written today. */
export async function makeGoldenAccount(): Promise<GoldenAccount> {
  const [exportKey, recoveryEntropy] = [counting(64, 0), counting(32, 200)];
  const profile = { userName: 'ada', serverPublicKey: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8' };
  const keyring = await createKeyring({
    ...profile,
    account: ACCOUNT,
    vault: VAULT,
    exportKey,
    recoveryEntropy,
  });
  const makings: Makings = { vaultKey: keyring.vaultKey.key, files: new Map(), blobs: [] };
  makings.files.set('keyring', keyring.bytes);
  const inbox = await generateAgreementKeyPair();
  const inboxBlob = idOf('inbox', 0);
  const inboxHalf = await putEnvelope(makings, 'inbox', inboxBlob, inbox.privateKey);
  const [laptop, phone] = [await newDevice(1), await newDevice(2)];
  async function newDevice(number: number): Promise<TestDevice> {
    const [id, keys] = [idOf('device', number), await generateDeviceKeyPair()];
    const { publicKey: agreementKey } = await generateAgreementKeyPair();
    const certified = { device: id, publicKey: keys.publicKey, agreementKey };
    const certificate = await certifyDevice(keyring.identity.privateKey, ACCOUNT, certified);
    return { id, keys, agreementKey, certificate };
  }
  const remote = new MemoryRemote();
  const genesis = await createGenesis({
    vault: VAULT,
    account: ACCOUNT,
    vaultKey: makings.vaultKey,
    identityKey: keyring.identity.privateKey,
    identityPublicKey: keyring.identity.publicKey,
    inbox: { blob: inboxBlob, publicKey: inbox.publicKey, epoch: 0 },
    device: {
      id: laptop.id,
      publicKey: laptop.keys.publicKey,
      agreementKey: laptop.agreementKey,
      name: 'Laptop',
      certificate: laptop.certificate,
    },
    keyring: { version: keyring.version, hash: keyring.hash },
    nowMs: NOW_MS,
  });
  await remote.append(genesis);
  const open = (device: TestDevice): Promise<Journal> =>
    Journal.open({
      identity: {
        vault: VAULT,
        account: ACCOUNT,
        vaultKeys: [{ epoch: EPOCH, vaultKey: makings.vaultKey }],
        identityPublicKey: keyring.identity.publicKey,
        device: { id: device.id, ...device.keys },
      },
      remote,
      cache: new MemoryCache(),
      nowMs: () => NOW_MS,
      pauseMs: () => Promise.resolve(),
    });
  const journal = await open(laptop);
  await journal.appendByIdentity(keyring.identity.privateKey, [enrolment(phone, 'Telefon')]);
  await writeVault(makings, remote, journal, await open(phone), phone.id, keyring.identity.privateKey);
  for (const [seq, bytes] of remote.log.entries()) makings.files.set(`log/${String(seq)}`, bytes);
  for (const [name, bytes] of remote.pages) makings.files.set(`snapshots/${name}`, bytes);
  const kit = await recoveryKeyPair(recoveryEntropy);
  const challenge = counting(32, 100);
  const golden: Golden = {
    account: ACCOUNT,
    vault: VAULT,
    epoch: EPOCH,
    exportKeyHex: toHex(exportKey),
    recoveryWords: (await recoveryWords(recoveryEntropy)).join(' '),
    recoveryPublicKeyHex: toHex(kit.publicKey),
    recoveryChallengeHex: toHex(challenge),
    recoveryAnswerHex: toHex(await signRecoveryChallenge(kit, challenge, 'recovery')),
    backupCode: BACKUP_CODE,
    backupCodeHashHex: toHex(await hashBackupCode(ACCOUNT, BACKUP_CODE)),
    keyring: {
      ...profile,
      version: keyring.version,
      accountKeyHex: toHex(keyring.accountKey),
      identityPublicKeyHex: toHex(keyring.identity.publicKey),
      sharingPrivateKeyHex: toHex(keyring.sharing.privateKey),
      vaultKeyHex: toHex(makings.vaultKey),
    },
    inbox: {
      blob: inboxBlob,
      kmsHalfHex: toHex(inboxHalf),
      privateKeyHex: toHex(inbox.privateKey),
      publicKeyHex: toHex(inbox.publicKey),
    },
    blobs: makings.blobs,
    ...describeJournal(journal),
  };
  return { golden, files: makings.files };
}

async function putEnvelope(
  { vaultKey, files }: Makings,
  purpose: 'file' | 'inbox',
  blob: string,
  contentKey: Bytes,
): Promise<Bytes> {
  const [kmsHalf, kmsBlob] = [randomBytes(32), utf8(`what KMS gave for ${blob}`)];
  const binding = { purpose, vault: VAULT, blob, epoch: EPOCH } as const;
  const envelope = await sealEnvelope({ ...binding, contentKey, kmsHalf, kmsBlob, vaultKey });
  files.set(`keys/${blob}/${String(EPOCH)}`, utf8(JSON.stringify(toRecord(envelope))));
  return kmsHalf;
}

/** Seals a content as an upload does. @param parts in how many parts; 1 is a single PUT */
async function putBlob(makings: Makings, number: number, sizeBytes: number, parts: 1 | 2): Promise<Version> {
  const [blob, contentKey, plaintext] = [idOf('blob', number), randomBytes(32), content(sizeBytes)];
  const padded = new Uint8Array(paddedSize(sizeBytes));
  padded.set(plaintext);
  const sealed = await seal(contentKey, sealAad('content', VAULT, blob, EPOCH), padded);
  makings.files.set(`blobs/${blob}`, sealed);
  const kmsHalf = await putEnvelope(makings, 'file', blob, contentKey);
  const partBytes = 524_288;
  const cut = (part: number): number => (part === 0 ? 0 : HEADER_BYTES + part * partBytes);
  const hashes = await Promise.all(
    Array.from({ length: parts }, (_, part) =>
      sha256(sealed.slice(cut(part), part + 1 < parts ? cut(part + 1) : undefined)),
    ),
  );
  const [first = new Uint8Array(0)] = hashes;
  makings.blobs.push({
    blob,
    kmsHalfHex: toHex(kmsHalf),
    contentKeyHex: toHex(contentKey),
    sizeBytes,
    sha256Hex: toHex(await sha256(plaintext)),
  });
  return {
    blob,
    epoch: EPOCH,
    sizeBytes,
    sealedBytes: sealed.length,
    partBytes,
    digest: parts === 1 ? toB64(first) : `${toB64(await sha256(concat(...hashes)))}-${String(parts)}`,
    mediaType: sizeBytes === 1 ? 'application/octet-stream' : 'text/plain',
    modifiedAtMs: NOW_MS - number,
    addedAtMs: NOW_MS + number,
  };
}

async function writeVault(
  makings: Makings,
  remote: MemoryRemote,
  laptop: Journal,
  phone: Journal,
  phoneId: string,
  identityKey: CryptoKey,
): Promise<void> {
  const [empty, one, large, old] = [
    await putBlob(makings, 0, 0, 1),
    await putBlob(makings, 1, 1, 1),
    await putBlob(makings, 2, 600_000, 2),
    await putBlob(makings, 3, 9, 1),
  ];
  const gone: Version = { ...old, blob: idOf('blob', 4) };
  const [folder, file] = [(n: number) => idOf('folder', n), (n: number) => idOf('file', n)];
  await laptop.append(() => [
    { kind: 'folder-add', folder: folder(1), parent: '', name: 'Reise 旅' },
    { kind: 'folder-add', folder: folder(2), parent: folder(1), name: 'unten' },
    { kind: 'folder-add', folder: folder(3), parent: '', name: 'alte Ordner' },
    { kind: 'file-add', file: file(1), folder: '', name: 'leer', version: empty },
    { kind: 'file-add', file: file(2), folder: folder(1), name: 'e\u0301tude.txt', version: one },
    { kind: 'file-add', file: file(3), folder: '', name: 'alt.txt', version: old },
    { kind: 'file-add', file: file(4), folder: folder(3), name: 'fort.txt', version: gone },
  ]);
  await phone.refresh();
  await phone.append((): Operation[] => [
    { kind: 'version-add', file: file(2), version: large },
    { kind: 'rename', entry: file(1), name: 'alt.txt' },
    { kind: 'move', entry: file(1), folder: folder(2) },
    { kind: 'tag', entry: file(2), tags: ['rot', 'blau'] },
  ]);
  await laptop.refresh();
  await laptop.append((): Operation[] => [
    { kind: 'trash', entry: file(3), atMs: NOW_MS + 7 },
    { kind: 'purge', entry: file(4) },
    { kind: 'rename', entry: folder(3), name: 'Reise 旅' },
  ]);
  const snapshot = await putSnapshot(makings, remote, laptop.state, laptop.head);
  await laptop.append((): Operation[] => [{ kind: 'snapshot', snapshot }]);
  await phone.refresh();
  await phone.heartbeat();
  await laptop.refresh();
  await laptop.append((): Operation[] => [
    { kind: 'purged', blobs: [gone.blob] },
    { kind: 'trash', entry: folder(3), atMs: NOW_MS + 8 },
    { kind: 'rename', entry: folder(2), name: 'oben' },
    { kind: 'restore', entry: file(1) },
  ]);
  await laptop.revoke(identityKey, { device: phoneId });
}

/** As `sealSnapshot`, but in two pages: the product begins a second one after 16 MiB. */
async function putSnapshot(
  { vaultKey }: Makings,
  remote: MemoryRemote,
  state: FoldedVault,
  head: JournalHead,
): Promise<SnapshotName> {
  const encoded = encodeState(state, head);
  const { key } = await journalKey(VAULT, EPOCH, vaultKey);
  const contents = [encoded.slice(0, 512), encoded.slice(512)];
  const pages = await Promise.all(
    contents.map(async (bytes, index) => {
      const page = idOf('page', index);
      const sealed = await seal(key, sealAad('snapshot', VAULT, page, EPOCH), bytes);
      return { page, bytes: sealed, sha256: await sha256(sealed) };
    }),
  );
  await remote.putPages(head.seq, pages);
  const named = pages.map(({ page, bytes, sha256: hash }) => ({
    page,
    sizeBytes: bytes.length,
    sha256: hash,
  }));
  return { ...head, stateHash: await sha256(encoded), pages: named };
}

/** What the product says that the journal comes to. */
export function describeJournal({
  state,
  head,
}: Journal): Pick<Golden, 'head' | 'entries' | 'devices' | 'rest'> {
  return {
    head: { seq: head.seq, hashHex: toHex(head.hash), phrase: headPhrase(head) },
    entries: [...state.index.byId.keys()]
      .flatMap((id) => state.entry(id) ?? [])
      .map((entry) => {
        const { id, isFolder, folder, name, trashedAtMs = 0, tags } = entry;
        const versions = isFolder ? null : state.versionsOf(id).toReversed();
        return { id, folder, name, trashedAtMs, tags: [...tags], versions };
      }),
    devices: [...state.devices.values()].map(
      ({ device, name, publicKey, agreementKey, enrolledSeq, revoked }) => ({
        device,
        name,
        publicKeyHex: toHex(publicKey),
        agreementKeyHex: toHex(agreementKey),
        enrolledSeq,
        revoked: revoked ?? null,
      }),
    ),
    rest: {
      snapshotSeq: state.snapshot?.seq ?? -1,
      unpurged: [...state.unpurged],
      skipped: state.skippedOperations,
      heartbeats: [...state.heartbeats].map(([device, { seq, atMs }]) => ({ device, seq, atMs })),
    },
  };
}
