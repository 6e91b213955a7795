import { filled } from '../writing/bytes.ts';
import type { Item } from '../writing/cbor.ts';
import {
  begin,
  BEGINNING,
  blobId,
  certificate,
  fileId,
  IDENTITY,
  inboxPair,
  LAPTOP,
  Log,
  op,
  PHONE,
  STRANGER,
  TABLET,
  turnOf,
  VAULT_KEY,
  type Writer,
} from '../writing/log.ts';
import type { JournalSpec } from './spec.ts';

const RULE = '11.5';

/** Segments one after the other, by one writer each, after a genesis. */
function vault(
  name: string,
  says: string,
  segments: readonly (readonly [Writer, ...Item[]])[],
  tree: readonly string[],
  skipped = 0,
): JournalSpec {
  const log = begin(`vault-${name}`);
  for (const [writer, ...operations] of segments) log.add(writer, operations);
  return { name: `vault-${name}`, rule: RULE, says, log: log.segments, expect: { tree, skipped } };
}

/** A genesis of one’s own. */
const genesis = (name: string, says: string, operations: readonly Item[], skipped: number): JournalSpec => ({
  name: `vault-${name}`,
  rule: RULE,
  says,
  log: new Log(`vault-${name}`).add(IDENTITY, operations).segments,
  expect: { tree: [], skipped },
});

/** A heartbeat of a device in the next segment of a log, for the segment just before it. */
const heard = (log: Log, writer: Writer, inboxEpoch: Item[]): Log =>
  log.add(writer, [op.heartbeat(log.segments.length - 1, log.head, inboxEpoch)]);

/** Segments that need the hashes of those before them. */
const built = (
  name: string,
  says: string,
  build: (log: Log) => unknown,
  tree: readonly string[],
  skipped = 0,
): JournalSpec => {
  const log = begin(`vault-${name}`);
  build(log);
  return { name: `vault-${name}`, rule: RULE, says, log: log.segments, expect: { tree, skipped } };
};

export const VAULT_VECTORS: readonly JournalSpec[] = [
  vault(
    'identity-files',
    'a segment of the identity key holds inbox keys and snapshots, but no operations on entries, no heartbeats, and retires nothing',
    [
      [
        IDENTITY,
        op.folder(1, 'a'),
        op.file(2, 'b'),
        op.inboxKey(1),
        op.snapshot(0),
        op.heartbeat(0, filled(1)),
        op.retire(1),
        op.purged(blobId(1)),
      ],
      [LAPTOP, op.folder(1, 'c'), op.inboxKey(1), op.snapshot(0)],
    ],
    ['c/'],
    7,
  ),
  vault(
    'device-identity-alone',
    'a segment of a device enrols nobody, revokes nobody, turns no vault key',
    [
      [LAPTOP, op.enrol(TABLET), op.revoke(PHONE, 1), op.epoch(turnOf(1, VAULT_KEY), LAPTOP, PHONE)],
      [PHONE, op.folder(1, 'a')],
    ],
    ['a/'],
    3,
  ),
  vault(
    'device-keyring',
    'a segment of a device holds no genesis and no keyring',
    [[LAPTOP, op.genesis(), op.keyring(2), op.folder(1, 'a')]],
    ['a/'],
    2,
  ),
  genesis(
    'genesis-twice',
    'a second genesis in segment 0 is skipped',
    [...BEGINNING, op.genesis({ vault: 'another' })],
    1,
  ),
  vault(
    'genesis-later',
    'a genesis in a later segment of the identity key is skipped',
    [[IDENTITY, op.genesis()]],
    [],
    1,
  ),
  genesis(
    'genesis-unknown-operation',
    'operations in segment 0 that are unknown are skipped as elsewhere',
    [op.genesis(), [99], op.enrol(LAPTOP), op.folder(1, 'a')],
    2,
  ),
  vault(
    'enrol-certificate',
    'devices whose certificate is of another account, another id, another key, by another key, over another label, or cut, are skipped',
    [
      [
        IDENTITY,
        op.enrol(TABLET, { certificate: certificate(TABLET, { account: fileId(1) }) }),
        op.enrol(TABLET, { certificate: certificate(TABLET, { id: STRANGER.id ?? '' }) }),
        op.enrol(TABLET, { certificate: certificate(TABLET, { publicKey: STRANGER.publicKey }) }),
        op.enrol(TABLET, { certificate: certificate(TABLET, { agreementKey: STRANGER.agreementKey }) }),
        op.enrol(TABLET, { agreementKey: STRANGER.agreementKey }),
        op.enrol(TABLET, { certificate: certificate(TABLET, { by: LAPTOP }) }),
        op.enrol(TABLET, { certificate: certificate(TABLET, { label: 'halfkey/device/2' }) }),
        op.enrol(TABLET, { certificate: certificate(TABLET).slice(0, 63) }),
        op.enrol(TABLET, { certificate: new Uint8Array(64) }),
      ],
      [IDENTITY, op.enrol(TABLET)],
      [TABLET, op.folder(1, 'a')],
    ],
    ['a/'],
    9,
  ),
  vault(
    'enrol-again',
    'a device that is enrolled is not enrolled again, and keeps its first name',
    [[IDENTITY, op.enrol(PHONE, { name: 'another' })]],
    [],
    1,
  ),
  vault(
    'enrol-revoked',
    'a revoked device does not come back, in the same segment or later; nor is it revoked twice',
    [
      [IDENTITY, op.revoke(PHONE, 1), op.enrol(PHONE), op.revoke(PHONE, 1)],
      [IDENTITY, op.enrol(PHONE), op.revoke(PHONE, 2)],
      [LAPTOP, op.folder(1, 'a')],
    ],
    ['a/'],
    4,
  ),
  vault(
    'revoke-unknown',
    'a device that is not enrolled is not revoked',
    [[IDENTITY, op.revoke(STRANGER, 1)]],
    [],
    1,
  ),
  vault(
    'revoke-malformed',
    'a revocation without a since, with a negative one, or since a segment to come',
    [
      [IDENTITY, [2, PHONE.id ?? ''], op.revoke(PHONE, -1), op.revoke(PHONE, 2)],
      [PHONE, op.folder(1, 'a')],
    ],
    ['a/'],
    3,
  ),
  vault(
    'inbox-key',
    'an inbox key has one epoch more than the last; with a blob that the state knows it is skipped',
    [
      [
        LAPTOP,
        op.inboxKey(2),
        op.inboxKey(0),
        op.inboxKey(1),
        op.inboxKey(1),
        op.inboxKey(2, []),
        [3, [inboxPair(1).blob, filled(1), 3]],
        [3, [inboxPair(0).blob, filled(1), 3]],
        [3, [fileId(1), filled(1), 3], -1],
      ],
    ],
    [],
    5,
  ),
  vault(
    'keyring',
    'a keyring has a higher version than the last',
    [[IDENTITY, op.keyring(1), op.keyring(0), op.keyring(5), op.keyring(5), op.keyring(4), op.keyring(6)]],
    [],
    4,
  ),
  genesis('keyring-0', 'the first keyring may have any version, 0 as well', [op.genesis(), op.keyring(0)], 0),
  vault(
    'snapshot',
    'a snapshot names a seq below its own segment’s and above the last one named',
    [
      [LAPTOP, op.snapshot(1), op.snapshot(2), op.snapshot(0), op.snapshot(0)],
      [LAPTOP, op.snapshot(0), op.snapshot(1)],
      [PHONE, op.snapshot(1), op.snapshot(0)],
    ],
    [],
    6,
  ),
  built(
    'heartbeat',
    'a heartbeat names a seq below its own segment’s, and of the segment just before it the hash; of an older one the hash is not compared',
    (log) => {
      log.add(LAPTOP, [op.folder(1, 'a')]);
      const { head } = log;
      log.add(LAPTOP, [
        op.heartbeat(2, head),
        op.heartbeat(3, head),
        op.heartbeat(1, filled(1)),
        op.heartbeat(1, head, [], 5),
        op.heartbeat(0, filled(1), [], 6),
      ]);
      log.add(PHONE, [op.heartbeat(1, filled(2), [], 7)]);
    },
    ['a/'],
    3,
  ),
  built(
    'heartbeat-last',
    'the last heartbeat of a device that counted is kept, also when it names an older segment or an earlier time',
    (log) => {
      heard(log, LAPTOP, []);
      log.add(LAPTOP, [op.heartbeat(0, filled(9), [0], 3), op.heartbeat(9, filled(9))]);
    },
    [],
    1,
  ),
  built(
    'heartbeat-inbox-epoch',
    'a heartbeat’s inboxEpoch is that of an inbox key at most',
    (log) => {
      heard(log, LAPTOP, [1]);
      log.add(LAPTOP, [
        op.heartbeat(0, filled(9), [1]),
        op.inboxKey(1),
        op.heartbeat(0, filled(9), [1]),
        op.heartbeat(0, filled(9), [2]),
      ]);
    },
    [],
    3,
  ),
  built(
    'inbox-retire',
    'inbox keys are retired when every device needs later ones: not before the phone has said so, not again, not beyond what they need',
    (log) => {
      log.add(LAPTOP, [op.inboxKey(1), op.inboxKey(2), op.inboxKey(3), op.retire(1)]);
      heard(log, LAPTOP, [3]);
      log.add(LAPTOP, [op.retire(1)]);
      heard(log, PHONE, [2]);
      log.add(PHONE, [op.retire(3), op.retire(0), op.retire(2), op.retire(2), op.retire(1), op.retire(4)]);
    },
    [],
    7,
  ),
  built(
    'inbox-retire-silent',
    'a device without a heartbeat, or whose last has no inboxEpoch, needs all inbox keys',
    (log) => {
      log.add(LAPTOP, [op.inboxKey(1)]);
      heard(log, LAPTOP, [1]);
      log.add(LAPTOP, [op.retire(1)]);
      heard(log, PHONE, [1]);
      heard(log, PHONE, []);
      log.add(LAPTOP, [op.retire(1)]);
    },
    [],
    2,
  ),
  built(
    'inbox-retire-revoked',
    'a revoked device needs none',
    (log) => {
      log.add(LAPTOP, [op.inboxKey(1)]);
      heard(log, LAPTOP, [1]);
      log.add(IDENTITY, [op.revoke(PHONE, 3)]);
      log.add(LAPTOP, [op.retire(1)]);
    },
    [],
  ),
  built(
    'inbox-retire-newest',
    'the newest inbox key is never retired, even where every device says it needs a later one',
    (log) => {
      log.add(LAPTOP, [op.inboxKey(1)]);
      heard(log, LAPTOP, [1]);
      heard(log, PHONE, [1]);
      log.add(LAPTOP, [op.retire(2), op.retire(1)]);
    },
    [],
    1,
  ),
  built(
    'inbox-retire-erased',
    'with an inbox key goes what was erased until its time: those ids can be taken again, later ones not',
    (log) => {
      log.add(LAPTOP, [
        op.file(1, 'a'),
        op.file(2, 'b'),
        op.purge(fileId(1)),
        op.purged(blobId(1)),
        op.inboxKey(1),
        op.purge(fileId(2)),
        op.purged(blobId(2)),
      ]);
      heard(log, LAPTOP, [1]);
      heard(log, PHONE, [1]);
      log.add(LAPTOP, [op.file(1, 'c'), op.retire(1), op.file(1, 'd'), op.file(2, 'e')]);
    },
    ['d'],
    2,
  ),
  built(
    'inbox-retire-blobs',
    'retired keys’ blobs become unpurged in the order of their epochs, and are not taken again even when they were purged',
    (log) => {
      log.add(LAPTOP, [op.inboxKey(1), op.inboxKey(2)]);
      heard(log, LAPTOP, [2]);
      heard(log, PHONE, [2]);
      log.add(LAPTOP, [op.retire(2)]);
      log.add(LAPTOP, [
        op.purged(inboxPair(0).blob),
        [3, [inboxPair(0).blob, filled(1), 3], 0],
        op.file(2, 'b', '', [inboxPair(0).blob, ...((op.file(2, '') as Item[])[4] as Item[]).slice(1)]),
      ]);
    },
    [],
    2,
  ),
];
