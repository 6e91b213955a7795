import { concat, toHex, type Bytes } from '../../src/lib/bytes.ts';
import { encode } from 'cborg';
import { headPhrase } from '../../src/lib/journal/entries/head-phrase.ts';
import type { Journal } from '../../src/lib/journal/journal.ts';
import { list } from '../../src/lib/journal/state/listing.ts';
import { encodeOperation } from '../../src/lib/journal/entries/operation-codec.ts';
import type { Operation } from '../../src/lib/journal/entries/operations.ts';
import { journalKey, sealSegment } from '../../src/lib/journal/entries/segment.ts';
import { sealSnapshot } from '../../src/lib/journal/snapshot.ts';
import {
  enrolDevice,
  fileAdd,
  folderAdd,
  idOf,
  newWorld,
  NOW_MS,
  openJournal,
  VAULT,
  versionOf,
  ACCOUNT,
} from './world.ts';

/** A small vault with an operation of each kind, and a snapshot: what the golden files were made of. */
export async function makeGoldenVault(): Promise<{
  keys: Record<string, string | number>;
  log: Bytes[];
  pages: ReadonlyMap<string, Bytes>;
  expected: unknown;
}> {
  const world = await newWorld();
  const phone = await enrolDevice(world, 2);
  const stolen = await enrolDevice(world, 3);
  const [laptop, second] = [await openJournal(world), await openJournal(world, phone)];
  const file = (number: number): string => idOf('file', number);
  await laptop.append(() => [
    folderAdd(1, 'Reise 旅'),
    folderAdd(2, 'unten', idOf('folder', 1)),
    fileAdd(1, 'Foto.jpg', idOf('folder', 1)),
    fileAdd(2, 'Foto.jpg', idOf('folder', 1)),
    fileAdd(3, '\u00e9tude.txt'),
    fileAdd(4, 'wird gelöscht'),
    { kind: 'version-add', file: file(4), version: versionOf(40) },
    {
      kind: 'version-add',
      file: file(3),
      version: { ...versionOf(30, 9_000_000_000), digest: `${versionOf(30).digest}-1073` },
    },
    { kind: 'tag', entry: file(1), tags: ['rot', 'blau'] },
  ]);
  await second.refresh();
  await second.append((): Operation[] => [
    { kind: 'rename', entry: file(3), name: 'Études 10' },
    { kind: 'move', entry: file(2), folder: idOf('folder', 2) },
    { kind: 'purge', entry: file(4) },
    { kind: 'purged', blobs: [versionOf(40).blob] },
    { kind: 'trash', entry: file(1), atMs: NOW_MS + 5 },
    { kind: 'inbox-key', inbox: { blob: idOf('inbox', 1), publicKey: new Uint8Array(32).fill(6), epoch: 1 } },
  ]);
  await second.heartbeat();
  await laptop.appendByIdentity(world.identity.privateKey, [
    { kind: 'keyring', version: 2, hash: new Uint8Array(32).fill(8) },
    { kind: 'device-revoke', device: stolen.id, since: laptop.head.seq },
  ]);
  const key = await journalKey(VAULT, 0, world.vaultKey);
  const { snapshot, pages } = await sealSnapshot(key, laptop.state, laptop.head);
  await world.remote.putPages(snapshot.seq, pages);
  await laptop.append(() => [{ kind: 'snapshot', snapshot }]);
  // An operation of a later version, and one that makes no sense: both are skipped.
  const odd = concat(encode([99, 'later']), encodeOperation({ kind: 'restore', entry: file(3) }));
  const last = concat(odd, encodeOperation({ kind: 'restore', entry: file(1) }));
  const signer = { device: world.first.id, privateKey: world.first.keys.privateKey };
  const sealed = await sealSegment(await journalKey(VAULT, 0, world.vaultKey), laptop.head, last, signer);
  await world.remote.append(sealed);
  await laptop.refresh();
  const keys = {
    vault: VAULT,
    account: ACCOUNT,
    epoch: 0,
    vaultKeyHex: toHex(world.vaultKey),
    identityPublicKeyHex: toHex(world.identity.publicKey),
  };
  return { keys, log: world.remote.log, pages: world.remote.pages, expected: describe(laptop) };
}

/** What a reader must find, in JSON's terms. */
export function describe({ state, head }: Journal): unknown {
  const rows = list(state, { place: { kind: 'all' }, sortBy: 'name', descending: false })
    .rows(0, 100)
    .filter(({ isFolder }) => !isFolder);
  return {
    head: { seq: head.seq, hashHex: toHex(head.hash), phrase: headPhrase(head) },
    files: rows.map(({ entry: file, isFolder: _isFolder, ...row }) => ({
      file,
      ...row,
      versions: state.versionsOf(file),
    })),
    entries: [...state.index.byId.keys()].flatMap((id) => state.entry(id) ?? []),
    hidden: state.hiddenFiles(),
    devices: [...state.devices.values()].map(({ publicKey, agreementKey, certificate, ...device }) => ({
      ...device,
      publicKeyHex: toHex(publicKey),
      agreementKeyHex: toHex(agreementKey),
      certificateHex: toHex(certificate),
    })),
    inboxKeys: state.inboxKeys.map(({ blob, epoch, publicKey, writer = null, seq }) => ({
      ...{ blob, epoch, writer, seq },
      publicKeyHex: toHex(publicKey),
    })),
    keyring: { version: state.keyring?.version, hashHex: toHex(state.keyring?.hash ?? new Uint8Array(0)) },
    heartbeats: [...state.heartbeats].map(([device, { seq, hash, atMs }]) => ({
      device,
      seq,
      hashHex: toHex(hash),
      atMs,
    })),
    unpurged: [...state.unpurged],
    snapshotSeq: state.snapshot?.seq,
    skippedOperations: state.skippedOperations,
  };
}
