import { filled, flipped } from '../writing/bytes.ts';
import {
  begin,
  blobId,
  fileId,
  folderId,
  IDENTITY,
  LAPTOP,
  type Log,
  op,
  PHONE,
  STRANGER,
  TABLET,
  turnOf,
  VAULT_KEY,
  type Turn,
} from '../writing/log.ts';
import type { JournalSpec } from './spec.ts';

function built(
  name: string,
  rule: string,
  says: string,
  build: (log: Log) => unknown,
  expect: JournalSpec['expect'],
  turns?: readonly Turn[],
): JournalSpec {
  const log = begin(name);
  build(log);
  return { name, rule, says, log: log.segments, ...(turns && { turns }), expect };
}

const since = (
  name: string,
  says: string,
  build: (log: Log) => unknown,
  tree: readonly string[],
  skipped: number,
): JournalSpec => built(`since-${name}`, '11.5', says, build, { tree, skipped });

/** Section 11.5, `device-revoke`: what a device signed since a segment. */
export const SINCE_VECTORS: readonly JournalSpec[] = [
  since(
    'before',
    'what a revoked device signed since a segment of before does not count: one operation is skipped for each',
    (log) =>
      log
        .add(PHONE, [op.folder(1, 'a')])
        .add(PHONE, [op.folder(2, 'b'), op.folder(3, 'c')])
        .add(LAPTOP, [op.folder(4, 'd')])
        .add(PHONE, [[99], [99]])
        .add(IDENTITY, [op.revoke(PHONE, 2)]),
    ['a/', 'd/'],
    2,
  ),
  since(
    'own',
    'since its own segment: nothing earlier is doubted',
    (log) => log.add(PHONE, [op.folder(1, 'a')]).add(IDENTITY, [op.revoke(PHONE, 2)]),
    ['a/'],
    0,
  ),
  since(
    'built-on',
    'what others built on it is folded as if it had never been there',
    (log) =>
      log
        .add(PHONE, [op.folder(1, 'a'), op.file(1, 'f')])
        .add(LAPTOP, [op.file(2, 'f', folderId(1)), op.rename(folderId(1), 'b'), op.file(1, 'g')])
        .add(IDENTITY, [op.revoke(PHONE, 1)]),
    ['f', 'g'],
    2,
  ),
  since(
    'still-counts',
    'its heartbeats and inbox keys still count, and no other operation; what makes no sense of them is not counted',
    (log) =>
      log
        .add(LAPTOP, [op.folder(9, 'z')])
        .add(PHONE, [
          op.folder(1, 'a'),
          op.inboxKey(1),
          op.inboxKey(5),
          op.heartbeat(0, filled(1), [1]),
          op.snapshot(0),
          op.retire(1),
        ])
        .add(LAPTOP, [op.inboxKey(1), op.inboxKey(2), op.snapshot(0)])
        .add(IDENTITY, [op.revoke(PHONE, 2)]),
    ['z/'],
    2,
  ),
  since(
    'cut',
    'what cannot be parsed ends a doubted segment as it does another, and counts no more than the segment',
    (log) =>
      log
        .add(PHONE, [op.inboxKey(1), [99, false]])
        .add(PHONE, new Uint8Array([0xff]))
        .add(LAPTOP, [op.inboxKey(2)])
        .add(IDENTITY, [op.revoke(PHONE, 1)]),
    [],
    2,
  ),
  since(
    'lower',
    'a second revocation counts when its since is lower, and not otherwise; the device stays revoked at the first',
    (log) =>
      log
        .add(PHONE, [op.folder(1, 'a')])
        .add(PHONE, [op.folder(2, 'b')])
        .add(IDENTITY, [op.revoke(PHONE, 3)])
        .add(IDENTITY, [op.revoke(PHONE, 2), op.revoke(PHONE, 2)])
        .add(IDENTITY, [op.revoke(PHONE, 4)]),
    ['a/'],
    3,
  ),
  since(
    'two',
    'two devices in one segment, one of them doubted',
    (log) =>
      log
        .add(IDENTITY, [op.enrol(TABLET)])
        .add(TABLET, [op.folder(1, 'a')])
        .add(PHONE, [op.folder(2, 'b')])
        .add(IDENTITY, [op.revoke(TABLET, 2), op.revoke(PHONE, 4)])
        .add(LAPTOP, [op.folder(3, 'c')]),
    ['b/', 'c/'],
    1,
  ),
  since(
    'purge',
    'a file that it had purged comes back; one whose content is gone as well, too',
    (log) =>
      log
        .add(LAPTOP, [op.file(1, 'a'), op.file(2, 'b')])
        .add(PHONE, [op.purge(fileId(1)), op.purge(fileId(2))])
        .add(LAPTOP, [op.file(3, 'a'), op.purged(blobId(2))])
        .add(IDENTITY, [op.revoke(PHONE, 2)]),
    ['a', 'b', 'a (2)'],
    1,
  ),
  since(
    'void',
    'a segment that is void is no more than that, whoever is doubted',
    (log) =>
      log
        .add(PHONE, [op.folder(1, 'a')], { signature: (right) => flipped(right, 3) })
        .add(PHONE, [op.inboxKey(1)], { ciphertext: (right) => flipped(right, -1) })
        .add(LAPTOP, [op.inboxKey(1)])
        .add(IDENTITY, [op.revoke(PHONE, 1)]),
    [],
    2,
  ),
  since(
    'snapshot',
    'the last snapshot and the base go where they name a segment of since or later: an older one may be named then',
    (log) =>
      log
        .add(LAPTOP, [op.folder(1, 'a')])
        .add(IDENTITY, [op.snapshot(1)])
        .add(PHONE, [op.folder(2, 'b')])
        .add(LAPTOP, [op.snapshot(3)])
        .add(IDENTITY, [op.revoke(PHONE, 1)])
        .add(LAPTOP, [op.snapshot(0), op.snapshot(0)]),
    ['a/'],
    2,
  ),
  since(
    'snapshot-before',
    'a snapshot of before it stays',
    (log) =>
      log
        .add(LAPTOP, [op.folder(1, 'a')])
        .add(IDENTITY, [op.snapshot(1)])
        .add(PHONE, [op.folder(2, 'b')])
        .add(IDENTITY, [op.revoke(PHONE, 3)])
        .add(LAPTOP, [op.snapshot(0), op.snapshot(2)]),
    ['a/'],
    2,
  ),
  since(
    'by-device',
    'a device revokes nobody, since whenever',
    (log) => log.add(PHONE, [op.folder(1, 'a')]).add(LAPTOP, [op.revoke(PHONE, 1)]),
    ['a/'],
    1,
  ),
];

const ONE = turnOf(1, VAULT_KEY);
const TWO = turnOf(2, ONE.vaultKey);
const BOTH = [LAPTOP, PHONE] as const;

/** Goes on under another vault key. */
const under = (log: Log, { epoch, vaultKey }: Turn): Log => Object.assign(log, { epoch, vaultKey });

const turned = (
  name: string,
  says: string,
  build: (log: Log) => unknown,
  expect: JournalSpec['expect'],
  turns: readonly Turn[] = [ONE],
): JournalSpec => built(`epoch-${name}`, '11.7', says, build, expect, turns);

/** After a turn, a segment that the reader's keys do not reach. */
const missing = (name: string, says: string, turns: readonly Turn[], pinned = ONE): JournalSpec =>
  turned(
    name,
    says,
    (log) => {
      log.add(LAPTOP, [op.folder(1, 'a')]).add(IDENTITY, [op.epoch(pinned, ...BOTH)]);
      under(log, ONE).add(LAPTOP, [op.folder(2, 'b')]);
    },
    { tree: ['a/'], skipped: 0, refused: 'epoch_key_missing' },
    turns,
  );

const otherObject = turnOf(1, VAULT_KEY, { label: 'other' });
const otherBefore = turnOf(1, filled(9));
const otherRotation = turnOf(1, VAULT_KEY, { rotation: folderId(9) });

/** Sections 11.5 and 11.7: another vault key. */
export const EPOCH_VECTORS: readonly JournalSpec[] = [
  turned(
    'right',
    'segments under another vault key, from the one after the turn on',
    (log) => {
      log.add(LAPTOP, [op.folder(1, 'a')]).add(IDENTITY, [op.epoch(ONE, ...BOTH)]);
      under(log, ONE)
        .add(PHONE, [op.folder(2, 'b')])
        .add(IDENTITY, [op.keyring(2)]);
    },
    { tree: ['a/', 'b/'], skipped: 0 },
  ),
  turned(
    'twice',
    'two turns in one segment',
    (log) => {
      log.add(IDENTITY, [op.epoch(ONE, ...BOTH), op.epoch(TWO, ...BOTH)]);
      under(log, TWO).add(PHONE, [op.folder(2, 'b')]);
    },
    { tree: ['b/'], skipped: 0 },
    [ONE, TWO],
  ),
  turned(
    'last',
    'a turn that nothing follows: no key is missing yet',
    (log) => log.add(LAPTOP, [op.folder(1, 'a')]).add(IDENTITY, [op.epoch(ONE, ...BOTH)]),
    { tree: ['a/'], skipped: 0 },
    [],
  ),
  missing('key-missing', 'a reader without the new key', []),
  missing('object-hash', 'an object that is not the one that the turn pins', [otherObject]),
  missing(
    'object-before',
    'an object that holds another key than that of the epoch before',
    [otherBefore],
    otherBefore,
  ),
  missing('object-rotation', 'an object that is sealed for another rotation', [otherRotation], otherRotation),
  turned(
    'old-key',
    'a segment of the epoch before is void after the turn',
    (log) => {
      log.add(IDENTITY, [op.epoch(ONE, ...BOTH)]).add(LAPTOP, [op.folder(1, 'a')]);
      under(log, ONE).add(LAPTOP, [op.folder(2, 'b')]);
    },
    { tree: ['b/'], skipped: 1 },
  ),
  turned(
    'old-key-new-epoch',
    'a segment that says the new epoch and is sealed under the old key is void',
    (log) => {
      log.add(IDENTITY, [op.epoch(ONE, ...BOTH)]);
      Object.assign(log, { epoch: 1 }).add(LAPTOP, [op.folder(1, 'a')]);
      under(log, ONE).add(LAPTOP, [op.folder(2, 'b')]);
    },
    { tree: ['b/'], skipped: 1 },
  ),
  turned(
    'early',
    'a segment under the new key is void before the turn',
    (log) => {
      under(log, ONE).add(LAPTOP, [op.folder(1, 'a')]);
      Object.assign(log, { epoch: 0, vaultKey: VAULT_KEY }).add(LAPTOP, [op.folder(2, 'b')]);
    },
    { tree: ['b/'], skipped: 1 },
  ),
  turned(
    'own-segment',
    'what stands behind a turn in its own segment counts',
    (log) => log.add(IDENTITY, [op.epoch(ONE, ...BOTH), op.keyring(2), op.keyring(2)]),
    { tree: [], skipped: 1 },
  ),
  turned(
    'number',
    'a turn wants one epoch more than the state’s',
    (log) => {
      log.add(IDENTITY, [
        op.epoch(TWO, ...BOTH),
        op.epoch({ ...ONE, epoch: 0 }, ...BOTH),
        op.epoch(ONE, ...BOTH),
        op.epoch(ONE, ...BOTH),
      ]);
      under(log, ONE).add(LAPTOP, [op.folder(1, 'a')]);
    },
    { tree: ['a/'], skipped: 3 },
  ),
  turned(
    'boxes',
    'a turn wants boxes for exactly the devices that may write: not one less, not one more, none twice, none of a revoked one',
    (log) => {
      log.add(IDENTITY, [
        op.enrol(TABLET),
        op.revoke(TABLET, 1),
        op.epoch(ONE, LAPTOP),
        op.epoch(ONE),
        op.epoch(ONE, ...BOTH, STRANGER),
        op.epoch(ONE, ...BOTH, TABLET),
        op.epoch(ONE, ...BOTH, PHONE),
        op.epoch(ONE, LAPTOP, LAPTOP),
        op.epoch(ONE, PHONE, LAPTOP),
      ]);
      under(log, ONE).add(LAPTOP, [op.folder(1, 'a')]);
    },
    { tree: ['a/'], skipped: 6 },
  ),
  turned(
    'malformed',
    'a turn with a rotation that is no id, a short hash, a box without a hash, or an epoch of 2^31',
    (log) =>
      log.add(IDENTITY, [
        [32, 1, 'short', filled(1), []],
        [32, 1, ONE.rotation, filled(1, 31), []],
        [32, 1, ONE.rotation, filled(1), [[LAPTOP.id ?? ''], [PHONE.id ?? '']]],
        [32, 2 ** 31, ONE.rotation, filled(1), []],
      ]),
    { tree: [], skipped: 4 },
    [],
  ),
];
