import { fromCbor } from '../reader/cbor.ts';
import { takeColumns } from '../reader/columns.ts';
import { openPages, readState } from '../reader/snapshot.ts';
import { readJournal } from '../reader/journal.ts';
import { aad, concat, sha256, utf8, type Bytes } from '../reader/primitives.ts';
import { encodeState } from '../reader/state-bytes.ts';
import type { State } from '../reader/state.ts';
import { treeOf } from './by-reader.ts';
import type { SnapshotVector } from './kit.ts';
import { base64, filled, flipped, hex, idOf } from './writing/bytes.ts';
import { cbor, type Item } from './writing/cbor.ts';
import { sealFloe } from './writing/floe.ts';
import {
  begin,
  blobId,
  certificate,
  EPOCH,
  fileId,
  folderId,
  IDENTITY,
  journalKeyOf,
  KNOWN,
  LAPTOP,
  op,
  PHONE,
  STRANGER,
  TABLET,
  VAULT,
  VAULT_KEY,
} from './writing/log.ts';

/** A vault with something of everything; folded anew each time, to be changed. */
function folded(): { state: State; head: { seq: number; hash: Bytes } } {
  const log = begin('snapshot')
    .add(IDENTITY, [op.enrol(TABLET)])
    .add(IDENTITY, [op.revoke(TABLET, 2), op.keyring(2), op.snapshot(0)])
    .add(LAPTOP, [
      op.folder(1, 'a'),
      op.folder(2, 'b', folderId(1)),
      op.file(1, 'c', folderId(2)),
      op.file(2, 'd'),
      op.version(1, 3),
      op.inboxKey(1),
      op.file(4, 'gone'),
      op.purge(fileId(4)),
      op.purged(blobId(4)),
      op.inboxKey(2),
      op.file(5, 'later'),
      op.purge(fileId(5)),
      op.purged(blobId(5)),
      op.file(6, 'd', folderId(1)),
      op.trash(fileId(6), 9),
      op.tag(folderId(1), 'x', 'y'),
      op.tag(fileId(2), 'z'),
      op.snapshot(1),
      op.heartbeat(0, filled(1), [1]),
      op.file(7, 'hidden'),
      op.version(7, 8),
      op.purge(fileId(7)),
      op.purged(blobId(7)),
      [99],
    ])
    .add(PHONE, [op.heartbeat(0, filled(1), [1]), op.retire(1)]);
  const { state, head, refusal } = readJournal(KNOWN, log.segments);
  if (head === undefined || refusal) throw new Error('no state to take a snapshot of');
  return { state, head };
}

interface Named {
  readonly seq: number;
  readonly hash: Bytes;
  readonly stateHash: Bytes;
  readonly pages: readonly { readonly page: string; readonly sizeBytes: number; readonly hash: Bytes }[];
}

interface Snapshot {
  readonly named: Named;
  readonly pages: Readonly<Record<string, Bytes>>;
}

const PAGE = idOf('page', 1);
const seal = (
  page: string,
  plaintext: Uint8Array,
  changes: { vault?: string; page?: string; epoch?: number; type?: string; key?: Bytes } = {},
): Bytes =>
  sealFloe(
    changes.key ?? journalKeyOf(VAULT_KEY),
    aad(changes.type ?? 'snapshot', changes.vault ?? VAULT, changes.page ?? page, changes.epoch ?? EPOCH),
    plaintext,
    `page ${page}`,
  );

/** In one page, all hashes right whatever it holds. */
function snapshotOf(encoded: Bytes, head = folded().head, sealed = seal(PAGE, encoded)): Snapshot {
  const named = {
    ...head,
    stateHash: sha256(encoded),
    pages: [{ page: PAGE, sizeBytes: sealed.length, hash: sha256(sealed) }],
  };
  return { named, pages: { [PAGE]: sealed } };
}

function vector(
  name: string,
  says: string,
  { named, pages }: Snapshot,
  refused: string | undefined,
  rule = '12',
): SnapshotVector {
  const found =
    refused === undefined
      ? readState(
          KNOWN,
          named,
          openPages(KNOWN, named, (page) => pages[page] ?? filled(0, 0)),
        )
      : undefined;
  return {
    name,
    rule,
    says,
    snapshot: {
      seq: named.seq,
      hashHex: hex(named.hash),
      stateHashHex: hex(named.stateHash),
      pages: named.pages.map(({ page, sizeBytes, hash }) => ({ page, sizeBytes, hashHex: hex(hash) })),
    },
    pagesB64: Object.fromEntries(Object.entries(pages).map(([page, bytes]) => [page, base64(bytes)])),
    expect: found ? { tree: treeOf(found), skipped: found.skipped } : { refused: refused ?? '' },
  };
}

const refuses = (name: string, says: string, snapshot: Snapshot, rule?: string): SnapshotVector =>
  vector(name, says, snapshot, 'snapshot_wrong', rule);

/** A state that no fold gives. */
function changedState(name: string, says: string, change: (state: State) => unknown): SnapshotVector {
  const { state, head } = folded();
  change(state);
  return refuses(`state-${name}`, says, snapshotOf(encodeState(state, head), head));
}

const columnsOf = (encoded: Bytes): Bytes[] => takeColumns(encoded).map((column) => Uint8Array.from(column));

/** Section 12.1: columns, each behind its length. */
function framed(
  columns: readonly Uint8Array[],
  faults: { fill?: number; zeros?: number; magic?: Bytes } = {},
): Bytes {
  const frames = columns.flatMap((column, index) => {
    const head = new Uint8Array(8);
    const view = new DataView(head.buffer);
    view.setUint32(0, column.length, true);
    if (index === 3) view.setUint32(4, faults.zeros ?? 0, true);
    const fill = new Uint8Array(-column.length & 7).fill(index === 3 ? (faults.fill ?? 0) : 0);
    return [head, column, fill];
  });
  return concat(faults.magic ?? concat(utf8('HKS1'), new Uint8Array(4)), ...frames);
}

/** A right state whose columns are changed; counted from 1 as in the document. */
function changedColumns(name: string, says: string, change: (columns: Bytes[]) => unknown): SnapshotVector {
  const { state, head } = folded();
  const columns = columnsOf(encodeState(state, head));
  change(columns);
  return refuses(`columns-${name}`, says, snapshotOf(framed(columns), head), '12.1');
}

const set =
  (kind: 'Int32' | 'Float64' | 'Uint16', column: number, row: number, value: number) =>
  (columns: Bytes[]): void => {
    const bytes = columns[column - 1] ?? new Uint8Array(0);
    const view = new DataView(bytes.buffer);
    if (kind === 'Int32') view.setInt32(row * 4, value, true);
    else if (kind === 'Float64') view.setFloat64(row * 8, value, true);
    else view.setUint16(row * 2, value, true);
  };

/** A right state whose first column is changed. */
function changedRest(name: string, says: string, change: (rest: Item[]) => Item): SnapshotVector {
  return changedColumns(name, says, (columns) => {
    const rest = fromCbor(columns[0] ?? new Uint8Array(0), 'no CBOR') as Item[];
    columns[0] = cbor(change(rest));
  });
}
const withItem =
  (index: number, item: (before: Item[]) => Item) =>
  (rest: Item[]): Item =>
    rest.map((each, at) => (at === index ? item(each as Item[]) : each));

// Rows of the state above: entries 0 a, 1 b, 2 c, 3 d, 4 the trashed d, 5 the hidden one; versions 0 and 2 of c, 1 of
// d, 3 of the trashed d, 4 and 5 of the hidden one, of which 4 is gone.
const [A, B, C, D] = [0, 1, 2, 3];

export function snapshotVectors(): SnapshotVector[] {
  const { state, head } = folded();
  const encoded = encodeState(state, head);
  const right = snapshotOf(encoded);
  const two = ((): Snapshot => {
    const [first, second] = [idOf('page', 1), idOf('page', 2)];
    const sealed = [seal(first, encoded.subarray(0, 500)), seal(second, encoded.subarray(500))] as const;
    const pages = [first, second].map((page, index) => {
      const bytes = sealed[index] ?? new Uint8Array(0);
      return { page, sizeBytes: bytes.length, hash: sha256(bytes) };
    });
    return { named: { ...right.named, pages }, pages: { [first]: sealed[0], [second]: sealed[1] } };
  })();
  const [page] = right.named.pages;
  const bytes = right.pages[PAGE] ?? new Uint8Array(0);
  const named = (changes: Partial<Named>): Snapshot => ({ ...right, named: { ...right.named, ...changes } });
  const sealedAs = (changes: Parameters<typeof seal>[2]): Snapshot =>
    snapshotOf(encoded, head, seal(PAGE, encoded, changes));
  return [
    vector('right', 'a snapshot in one page', right, undefined),
    vector('two-pages', 'the same in two pages', two, undefined),
    refuses('pages-swapped', 'two pages in the other order', {
      ...two,
      named: { ...two.named, pages: two.named.pages.toReversed() },
    }),
    refuses('page-missing', 'one page of two', {
      ...two,
      named: { ...two.named, pages: two.named.pages.slice(0, 1) },
    }),
    refuses('page-changed', 'a page with a changed byte', {
      ...right,
      pages: { [PAGE]: flipped(bytes, -1) },
    }),
    refuses(
      'page-corrupt',
      'a page with a changed byte, and the hash of that',
      snapshotOf(encoded, head, flipped(bytes, -1)),
    ),
    refuses('page-cut', 'a page without its last byte', { ...right, pages: { [PAGE]: bytes.slice(0, -1) } }),
    refuses(
      'page-size',
      'another size of the page than it has',
      named({ pages: page ? [{ ...page, sizeBytes: page.sizeBytes + 1 }] : [] }),
    ),
    refuses(
      'page-hash',
      'another hash of the page',
      named({ pages: page ? [{ ...page, hash: filled(1) }] : [] }),
    ),
    refuses('page-id', 'a page under another id than it is sealed for', sealedAs({ page: idOf('page', 2) })),
    refuses('page-vault', 'a page of another vault', sealedAs({ vault: 'another' })),
    refuses('page-epoch', 'a page of another epoch', sealedAs({ epoch: EPOCH + 1 })),
    refuses('page-type', 'a page that is sealed as a segment is', sealedAs({ type: 'journal' })),
    refuses('page-key', 'a page under another key', sealedAs({ key: filled(9) })),
    refuses('state-hash', 'another hash of the state', named({ stateHash: filled(1) })),
    refuses('seq', 'another seq than the state says', named({ seq: right.named.seq + 1 })),
    refuses('hash', 'another hash of the segment than the state says', named({ hash: filled(1) })),
    refuses(
      'magic',
      'another magic',
      snapshotOf(framed(columnsOf(encoded), { magic: concat(utf8('HKS2'), new Uint8Array(4)) })),
      '12.1',
    ),
    refuses(
      'magic-zeros',
      'something else than zeros behind the magic',
      snapshotOf(framed(columnsOf(encoded), { magic: concat(utf8('HKS1'), Uint8Array.of(0, 0, 0, 1)) })),
      '12.1',
    ),
    refuses(
      'frame-zeros',
      'something else than zeros behind a length',
      snapshotOf(framed(columnsOf(encoded), { zeros: 1 })),
      '12.1',
    ),
    refuses(
      'frame-fill',
      'something else than zeros behind a column',
      snapshotOf(framed(columnsOf(encoded), { fill: 1 })),
      '12.1',
    ),
    refuses('columns-17', 'a column less', snapshotOf(framed(columnsOf(encoded).slice(0, -1))), '12.1'),
    refuses(
      'columns-19',
      'a column more',
      snapshotOf(framed([...columnsOf(encoded), new Uint8Array(0)])),
      '12.1',
    ),
    refuses('cut', 'the last 8 bytes are missing', snapshotOf(encoded.slice(0, -8)), '12.1'),
    refuses(
      'after',
      'eight zeros behind the last column',
      snapshotOf(concat(encoded, new Uint8Array(8))),
      '12.1',
    ),
    refuses('empty', 'no byte', snapshotOf(new Uint8Array(0)), '12.1'),

    changedState(
      'genesis-vault',
      'the genesis of another vault',
      (s) => (s.genesis = s.genesis && { ...s.genesis, vault: 'another' }),
    ),
    changedState(
      'genesis-account',
      'the genesis of another account',
      (s) => (s.genesis = s.genesis && { ...s.genesis, account: idOf('account', 2) }),
    ),
    changedState(
      'genesis-key',
      'the genesis of another identity key',
      (s) => (s.genesis = s.genesis && { ...s.genesis, identityPublicKey: STRANGER.publicKey }),
    ),
    changedState('device-certificate', 'a device with another’s certificate', (s) => {
      const phone = s.devices.get(PHONE.id ?? '');
      if (phone)
        s.devices.set(PHONE.id ?? '', {
          ...phone,
          enrolment: { ...phone.enrolment, certificate: certificate(LAPTOP) },
        });
    }),
    changedState('device-uncertified', 'a device that nobody has certified, and that is revoked', (s) => {
      const tablet = s.devices.get(TABLET.id ?? '');
      const id = STRANGER.id ?? '';
      if (tablet) s.devices.set(id, { ...tablet, enrolment: { ...tablet.enrolment, device: id } });
    }),
    changedState('name', 'an entry whose name is none', (s) => (entryOf(s, fileId(2)).name = '..')),
    changedState(
      'name-twice',
      'two entries of one name in a folder',
      (s) => (entryOf(s, fileId(2)).name = 'a'),
    ),
    changedState('folder-file', 'a file in a file', (s) => (entryOf(s, fileId(2)).folder = fileId(1))),
    changedState(
      'circle',
      'two folders in each other',
      (s) => (entryOf(s, folderId(1)).folder = folderId(2)),
    ),
    changedState('circle-one', 'a folder in itself', (s) => (entryOf(s, folderId(1)).folder = folderId(1))),
    changedState(
      'trashed-at',
      'a time beyond all times',
      (s) => (entryOf(s, fileId(6)).trashedAtMs = 8.64e15 + 2),
    ),
    changedState(
      'trashed-at-fraction',
      'a time that is no integer',
      (s) => (entryOf(s, fileId(6)).trashedAtMs = 0.5),
    ),
    changedState('blob-unpurged', 'a version’s blob that is unpurged as well', (s) =>
      s.unpurged.add(blobId(2)),
    ),
    changedState('blob-inbox-key', 'a version’s blob that is an inbox key’s as well', (s) => {
      const key = s.inboxKeys[1];
      if (key) s.inboxKeys[1] = { ...key, inbox: { ...key.inbox, blob: blobId(2) } };
    }),
    changedState('unpurged-id', 'an unpurged blob that is no id', (s) => s.unpurged.add('blob')),
    changedState('inbox-keys', 'inbox keys whose epochs do not follow one another', (s) => {
      const key = s.inboxKeys[1];
      if (key) s.inboxKeys[1] = { ...key, inbox: { ...key.inbox, epoch: 3 } };
    }),
    changedState('erased-entry', 'an erased id that an entry has', (s) => s.erased.set(fileId(2), 2)),
    changedState('erased-blob', 'an erased id that a version’s blob has', (s) => s.erased.set(blobId(2), 2)),
    changedState('erased-epoch', 'an id that was erased in an epoch to come', (s) =>
      s.erased.set(fileId(9), 3),
    ),
    changedState('erased-order', 'erased ids whose epochs do not ascend', (s) => {
      const all = [...s.erased].toReversed();
      s.erased.clear();
      for (const [id, epoch] of all) s.erased.set(id, epoch);
    }),
    changedState(
      'erased-retired',
      'an id that was erased in an epoch that is retired',
      (s) => (s.oldestInboxEpoch = 2),
    ),
    changedState('oldest-epoch', 'an oldest inbox epoch above the newest', (s) => {
      s.erased.clear();
      s.oldestInboxEpoch = 3;
    }),
    changedState('skipped', 'a negative number of skipped operations', (s) => (s.skipped = -1)),
    changedState(
      'skipped-fraction',
      'a number of skipped operations that is no integer',
      (s) => (s.skipped = 0.5),
    ),
    changedState('tag', 'a tag that is no name', (s) => (entryOf(s, folderId(1)).tags = ['a/b'])),
    changedState('digest', 'a version whose digest is none', (s) => {
      changeVersion(s, { digest: 'none' });
    }),
    changedState('media-type', 'a version whose media type is none', (s) => {
      changeVersion(s, { mediaType: 'é' });
    }),
    changedState('size', 'a version of a negative size', (s) => {
      changeVersion(s, { sizeBytes: -1 });
    }),
    changedState('size-minus-zero', 'a version of a size of −0', (s) => {
      changeVersion(s, { sizeBytes: -0 });
    }),
    changedState('size-fraction', 'a version whose size is no integer', (s) => {
      changeVersion(s, { sealedBytes: 1.5 });
    }),
    changedState('time', 'a version whose time is beyond all times', (s) => {
      changeVersion(s, { addedAtMs: 8.64e15 + 2 });
    }),
    changedState('part-bytes', 'a version with a negative partBytes', (s) => {
      changeVersion(s, { partBytes: -1 });
    }),
    changedState('version-epoch', 'a version of a negative epoch', (s) => {
      changeVersion(s, { epoch: -1 });
    }),

    changedColumns('ids-twice', 'two entries of one id', (c) => c[1]?.copyWithin(22 * D, 22 * C, 22 * D)),
    changedColumns('ids-form', 'an id with trailing bits', (c) => c[1]?.fill(0x42, 21, 22)),
    changedColumns('ids-form-alone', 'the same, of an entry without tags', (c) =>
      c[1]?.fill(0x42, 22 * B + 21, 22 * B + 22),
    ),
    changedColumns(
      'ids-short',
      'a column of ids that is a byte short',
      (c) => (c[1] = c[1]?.slice(0, -1) ?? filled(0, 0)),
    ),
    changedColumns('name-lengths', 'a name that is a unit longer than its text', set('Uint16', 3, 4, 2)),
    changedColumns(
      'names-after',
      'a text behind the last name',
      (c) => (c[3] = concat(c[3] ?? filled(0, 0), utf8('x'))),
    ),
    changedColumns('names-utf8', 'a name that is no UTF-8', (c) => c[3]?.fill(0xff, 0, 1)),
    changedColumns('folder-beyond', 'a folder of an index beyond the last', set('Int32', 5, C, 6)),
    changedColumns('folder-negative', 'a folder of the index −2', set('Int32', 5, C, -2)),
    changedColumns('newest-beyond', 'a newest version of an index beyond the last', set('Int32', 6, D, 6)),
    changedColumns('newest-shared', 'a version of two files', set('Int32', 6, D, 2)),
    changedColumns('newest-folder', 'a file as a folder, whose version is nobody’s', set('Int32', 6, D, -1)),
    changedColumns('newest-negative', 'a newest version of the index −2', set('Int32', 6, A, -2)),
    changedColumns('previous-circle', 'a version that comes before itself', set('Int32', 12, 0, 0)),
    changedColumns('previous-later', 'a version whose older one comes later', (c) => {
      set('Int32', 12, 0, 2)(c);
      set('Int32', 12, 2, -1)(c);
      set('Int32', 6, C, 0)(c);
    }),
    changedColumns('previous-beyond', 'an older version of an index beyond the last', set('Int32', 12, 0, 9)),
    changedColumns('previous-negative', 'an older version of the index −2', set('Int32', 12, 0, -2)),
    changedColumns('blobs-twice', 'two versions of one blob', (c) => c[7]?.copyWithin(22, 0, 22)),
    changedColumns('media-type-beyond', 'a media type of an index beyond the last', set('Int32', 11, 0, 1)),
    changedColumns('media-type-negative', 'a media type of the index −1', set('Int32', 11, 0, -1)),
    changedColumns('trashed-minus-zero', 'a trashed at of −0', set('Float64', 7, A, -0)),
    changedColumns('trashed-nan', 'a trashed at that is no number', set('Float64', 7, A, Number.NaN)),
    changedColumns(
      'count-more',
      'a column with a row more',
      (c) => (c[14] = concat(c[14] ?? filled(0, 0), filled(0, 8))),
    ),

    changedRest('rest-16', 'an item less', (rest) => rest.slice(0, 16)),
    changedRest('rest-18', 'an item more', (rest) => [...rest, []]),
    changedRest(
      'counts-4',
      'counts of four items',
      withItem(2, (before) => [...before, 0]),
    ),
    changedRest(
      'media-types-more',
      'a media type that no version has',
      withItem(2, ([entries = 0, versions = 0, types = []]) => [
        entries,
        versions,
        [...(types as Item[]), 'more'],
      ]),
    ),
    changedRest(
      'genesis-missing',
      'no genesis',
      withItem(4, () => []),
    ),
    changedRest(
      'genesis-twice',
      'two geneses',
      withItem(4, (before) => [...before, ...before]),
    ),
    changedRest(
      'genesis-kind',
      'an operation of another kind where the genesis stands',
      withItem(4, () => [cbor(op.keyring(1))]),
    ),
    changedRest(
      'inbox-key-malformed',
      'an inbox key that is malformed',
      withItem(5, ([, ...more]) => [[cbor([3, ['short', filled(1), 1]]), LAPTOP.id ?? '', 3], ...more]),
    ),
    changedRest(
      'operation-not-deterministic',
      'an operation that is not in the deterministic encoding',
      withItem(6, () => [Uint8Array.from(Buffer.from(`83041802${hex(cbor(filled(2)))}`, 'hex'))]),
    ),
    changedRest(
      'operation-after',
      'a byte behind an operation',
      withItem(6, ([before]) => [concat(before as Bytes, Uint8Array.of(0))]),
    ),
    changedRest(
      'operation-text',
      'an operation that is no byte string',
      withItem(6, () => ['keyring']),
    ),
    changedRest(
      'keyring-twice',
      'two keyrings',
      withItem(6, (before) => [...before, ...before]),
    ),
    changedRest(
      'device-twice',
      'a device twice',
      withItem(9, (before) => [...before, ...before.slice(-1)]),
    ),
    changedRest(
      'device-seq',
      'a device that was enrolled at a negative seq',
      withItem(9, (before) => before.map((each) => [(each as Item[])[0] ?? 0, -1])),
    ),
    changedRest(
      'device-more',
      'an item too many for a device',
      withItem(9, (before) => before.map((each) => [...(each as Item[]).slice(0, 2), 5, 6, 7])),
    ),
    changedRest(
      'heartbeat-kind',
      'an operation of another kind where a heartbeat stands',
      withItem(10, () => [[LAPTOP.id ?? '', cbor(op.keyring(1))]]),
    ),
    changedRest(
      'unpurged-twice',
      'an unpurged blob twice',
      withItem(11, (before) => [...before, ...before.slice(0, 1)]),
    ),
    changedRest(
      'tags-empty',
      'an entry with an empty list of tags',
      withItem(12, () => [[A, []]]),
    ),
    changedRest(
      'tags-order',
      'tags whose entries are not in order',
      withItem(12, (before) => before.toReversed()),
    ),
    changedRest(
      'tags-beyond',
      'tags of an entry beyond the last',
      withItem(12, () => [[6, ['x']]]),
    ),
    changedRest(
      'erased-empty',
      'a group without ids',
      withItem(13, () => [1, [[1, filled(0, 0)]]]),
    ),
    changedRest(
      'erased-length',
      'a group whose ids are cut',
      withItem(13, () => [1, [[1, filled(3, 17)]]]),
    ),
    changedRest(
      'erased-divided',
      'two groups of one epoch',
      withItem(13, () => [
        1,
        [
          [1, filled(3, 16)],
          [1, filled(4, 16)],
        ],
      ]),
    ),
    changedRest(
      'erased-twice',
      'an erased id twice',
      withItem(13, () => [1, [[1, filled(3, 32)]]]),
    ),
    changedRest(
      'device-half',
      'a revocation without a since',
      withItem(9, (before) => before.map((each) => [...(each as Item[]).slice(0, 2), 2])),
    ),
    changedRest(
      'inbox-key-writer',
      'an inbox key of a writer that is no id',
      withItem(5, (before) => before.map((each) => [(each as Item[])[0] ?? 0, 'short', 3])),
    ),
    changedRest(
      'inbox-key-seq',
      'an inbox key of a negative seq',
      withItem(5, (before) => before.map((each) => [...(each as Item[]).slice(0, 2), -1])),
    ),
    changedRest(
      'base-seq',
      'a base without the seq of the segment that names it',
      withItem(8, (before) => before.slice(0, 1)),
    ),
    changedRest(
      'base-kind',
      'an operation of another kind where the base stands',
      withItem(8, () => [cbor(op.keyring(1)), 2]),
    ),
    changedRest(
      'hidden-beyond',
      'a hidden entry beyond the last',
      withItem(14, () => [[6, LAPTOP.id ?? '']]),
    ),
    changedRest(
      'hidden-by',
      'an entry that is hidden by something that is no id',
      withItem(14, () => [[5, 'short']]),
    ),
    changedRest(
      'hidden-folder',
      'a hidden folder',
      withItem(14, (before) => [...before, [A, LAPTOP.id ?? '']]),
    ),
    changedRest(
      'hidden-gone',
      'a hidden file all of whose blobs are gone',
      withItem(15, (before) => [...before, blobId(8)]),
    ),
    changedRest(
      'gone-unknown',
      'a blob that is gone, and was of no version',
      withItem(15, (before) => [...before, blobId(99)]),
    ),
    changedRest(
      'gone-twice',
      'a blob that is gone twice',
      withItem(15, (before) => [...before, ...before]),
    ),
    changedRest(
      'epoch-kind',
      'an operation of another kind where an epoch stands',
      withItem(16, () => [[cbor(op.keyring(1)), 2]]),
    ),
  ];
}

function entryOf(state: State, id: string): NonNullable<ReturnType<State['entries']['get']>> {
  const entry = state.entries.get(id);
  if (!entry) throw new Error(`no entry ${id}`);
  return entry;
}

/** Changes the only version of the file d. */
function changeVersion(state: State, changes: Partial<State['versions'][number]>): void {
  const versions = entryOf(state, fileId(2)).versions ?? [];
  const [version] = versions;
  if (!version) throw new Error('no version');
  const changed = { ...version, ...changes };
  versions[0] = changed;
  state.versions[state.versions.indexOf(version)] = changed;
}
