import { sha256, type Bytes } from '../../reader/primitives.ts';
import { bytesOf, filled, flipped, idOf } from '../writing/bytes.ts';
import type { Item } from '../writing/cbor.ts';
import {
  begin,
  BEGINNING,
  IDENTITY,
  LAPTOP,
  Log,
  op,
  padded,
  PHONE,
  STRANGER,
  TABLET,
  VAULT_KEY,
  type SegmentFaults,
  type Writer,
} from '../writing/log.ts';
import type { JournalSpec } from './spec.ts';

const RULE = '11.4';

const spec = (
  name: string,
  rule: string,
  says: string,
  log: Log,
  expect: JournalSpec['expect'],
): JournalSpec => ({
  name: `chain-${name}`,
  rule,
  says,
  log: log.segments,
  expect,
});

/** After a genesis and one right segment, one that is written otherwise, and a right one that follows it. */
function second(
  name: string,
  by: Writer,
  faults: SegmentFaults,
  operations: readonly Item[] | Uint8Array = [op.folder(2, 'b')],
): Log {
  const log = begin(`chain-${name}`).add(LAPTOP, [op.folder(1, 'a')]);
  return log.add(by, operations, faults).add(LAPTOP, [op.folder(3, 'c')]);
}

/** Where the reading ends there. */
const stops = (name: string, says: string, refused: string, by: Writer, faults: SegmentFaults): JournalSpec =>
  spec(name, RULE, says, second(name, by, faults), { tree: ['a/'], skipped: 0, refused });

/** Where the segment is void: it folds nothing, counts as one that is skipped, and the next one follows it. */
const voided = (
  name: string,
  says: string,
  by: Writer,
  faults: SegmentFaults,
  operations?: readonly Item[],
): JournalSpec =>
  spec(`void-${name}`, RULE, says, second(name, by, faults, operations), { tree: ['a/', 'c/'], skipped: 1 });

/** A segment 0 that is none. */
const noGenesis = (
  name: string,
  says: string,
  by: Writer,
  operations: readonly Item[] | Uint8Array,
  faults: SegmentFaults = {},
  refused = 'journal_corrupt',
): JournalSpec =>
  spec(name, RULE, says, new Log(`chain-${name}`).add(by, operations, faults), {
    tree: [],
    skipped: 0,
    refused,
  });

const otherSeq = (seq: bigint): SegmentFaults => ({ seq });
const first = ([, ...others]: readonly Item[], genesis: Item): Item[] => [genesis, ...others];
export const CHAIN_VECTORS: readonly JournalSpec[] = [
  spec(
    'right',
    RULE,
    'segments of two devices and of the identity key',
    begin('chain-right')
      .add(LAPTOP, [op.folder(1, 'a')])
      .add(PHONE, [op.folder(2, 'b')])
      .add(IDENTITY, [op.enrol(TABLET)])
      .add(TABLET, [op.folder(3, 'c')]),
    { tree: ['a/', 'b/', 'c/'], skipped: 0 },
  ),
  stops('magic', 'another magic', 'journal_corrupt', LAPTOP, { magic: 'HKJ2' }),
  stops('short', 'a segment of 127 bytes', 'journal_corrupt', LAPTOP, {
    bytes: (right) => right.slice(0, 127),
  }),
  stops('head-alone', 'a segment of 128 bytes', 'journal_corrupt', LAPTOP, {
    bytes: (right) => right.slice(0, 128),
  }),
  stops('empty', 'no byte', 'journal_corrupt', LAPTOP, { bytes: () => new Uint8Array(0) }),
  stops('seq-next', 'a seq that comes later', 'journal_gap', LAPTOP, otherSeq(3n)),
  stops('seq-before', 'a seq that was before', 'journal_gap', LAPTOP, otherSeq(1n)),
  stops('seq-beyond', 'the seq 2^53', 'journal_corrupt', LAPTOP, otherSeq(2n ** 53n)),
  stops('fork', 'another prevHash, signed by a device', 'fork', LAPTOP, { prevHash: filled(7) }),
  stops('fork-identity', 'another prevHash, signed by the identity key', 'fork', IDENTITY, {
    prevHash: filled(7),
  }),
  stops('fork-before', 'the hash of the segment before the one before', 'fork', LAPTOP, {
    prevHash: sha256(begin('').segments[0] ?? new Uint8Array(0)),
  }),
  stops('fork-unsigned', 'another prevHash, with a wrong signature', 'journal_corrupt', LAPTOP, {
    prevHash: filled(7),
    signature: (right) => flipped(right, 3),
  }),
  stops(
    'fork-stranger',
    'another prevHash, signed by a device that is not enrolled',
    'journal_corrupt',
    STRANGER,
    {
      prevHash: filled(7),
    },
  ),
  stops(
    'fork-sealed',
    'another prevHash, signed by a device, in a segment that does not open',
    'fork',
    LAPTOP,
    {
      prevHash: filled(7),
      ciphertext: (right) => flipped(right, -1),
    },
  ),
  spec(
    'fork-revoked',
    RULE,
    'another prevHash, signed by a revoked device',
    begin('chain-fork-revoked')
      .add(IDENTITY, [op.revoke(PHONE, 1)])
      .add(PHONE, [op.folder(1, 'a')], { prevHash: filled(7) }),
    { tree: [], skipped: 0, refused: 'journal_corrupt' },
  ),
  voided('epoch', 'another epoch, sealed and signed so', LAPTOP, { epoch: 1 }),
  voided('sealed-key', 'a seal under another vault key', LAPTOP, { sealed: { key: bytesOf('another', 32) } }),
  voided('sealed-vault', 'a seal of another vault', LAPTOP, { sealed: { vault: 'another' } }),
  voided('sealed-seq', 'a seal of another seq', LAPTOP, { sealed: { seq: '1' } }),
  voided('sealed-seq-text', 'a seal of a seq with a leading zero', LAPTOP, { sealed: { seq: '02' } }),
  voided('sealed-epoch', 'a seal of another epoch', LAPTOP, { sealed: { epoch: 1 } }),
  voided('sealed-type', 'a seal as a snapshot has it', LAPTOP, { sealed: { type: 'snapshot' } }),
  voided('sealed-vault-key', 'a seal under the vault key itself', LAPTOP, { sealed: { key: VAULT_KEY } }),
  voided('ciphertext', 'a changed byte of the ciphertext, signed so', LAPTOP, {
    ciphertext: (right) => flipped(right, -1),
  }),
  voided('ciphertext-unsigned', 'a changed byte of the ciphertext', LAPTOP, {
    bytes: (right) => flipped(right, -1),
  }),
  voided('ciphertext-cut', 'a ciphertext without its last byte, signed so', LAPTOP, {
    ciphertext: (right) => right.slice(0, -1),
  }),
  voided('ciphertext-more', 'a ciphertext with a byte more, signed so', LAPTOP, {
    ciphertext: (right) => new Uint8Array([...right, 0]),
  }),
  voided('ciphertext-none', 'a ciphertext that is none, signed so', LAPTOP, {
    ciphertext: () => filled(7, 40),
  }),
  voided('writer-unknown', 'a device that is not enrolled', STRANGER, {}),
  voided('writer-self', 'a device that enrols itself', STRANGER, {}, [op.enrol(STRANGER)]),
  voided('signature', 'a changed byte of the signature', LAPTOP, { signature: (right) => flipped(right, 3) }),
  voided('signature-zeros', 'a signature of zeros', LAPTOP, { signature: () => new Uint8Array(64) }),
  voided('signer-other', 'a signature by another device', LAPTOP, { signer: PHONE }),
  voided('signer-identity', 'the identity key’s signature in a device’s name', LAPTOP, { signer: IDENTITY }),
  voided('signer-device', 'a device’s signature in the identity key’s name', IDENTITY, { signer: LAPTOP }, [
    op.keyring(2),
  ]),
  voided('signed-label', 'a signature over another label', LAPTOP, {
    signed: { label: 'halfkey/journal/2' },
  }),
  voided('signed-vault', 'a signature for another vault', LAPTOP, { signed: { vault: 'another' } }),
  voided('signed-seq', 'a signature for another seq', LAPTOP, { signed: { seq: 3 } }),
  voided('signed-prev-hash', 'a signature for another prevHash', LAPTOP, { signed: { prevHash: filled(7) } }),
  voided('signed-epoch', 'a signature for another epoch', LAPTOP, { signed: { epoch: 1 } }),
  voided('signed-writer', 'a signature for another writer', LAPTOP, { signed: { writer: filled(0, 16) } }),
  voided('signed-ciphertext', 'a signature over another ciphertext', LAPTOP, {
    signed: { ciphertextHash: filled(7) },
  }),
  spec(
    'revoked',
    RULE,
    'a device that was revoked: from the next segment on',
    begin('chain-revoked')
      .add(PHONE, [op.folder(1, 'a')])
      .add(IDENTITY, [op.revoke(PHONE, 2)])
      .add(PHONE, [op.folder(2, 'b')])
      .add(LAPTOP, [op.folder(3, 'c')]),
    { tree: ['a/', 'c/'], skipped: 1 },
  ),
  noGenesis('genesis-by-device', 'a segment 0 of a device', LAPTOP, BEGINNING),
  noGenesis('genesis-signature', 'a segment 0 with a wrong signature', IDENTITY, BEGINNING, {
    signature: (right) => flipped(right, 3),
  }),
  noGenesis('genesis-signer', 'a segment 0 signed by a device', IDENTITY, BEGINNING, { signer: LAPTOP }),
  noGenesis('genesis-sealed', 'a segment 0 that does not open', IDENTITY, BEGINNING, {
    ciphertext: (right) => flipped(right, -1),
  }),
  noGenesis('genesis-epoch', 'a segment 0 of another epoch', IDENTITY, BEGINNING, { epoch: 1 }),
  noGenesis(
    'genesis-seq',
    'a segment 1 where segment 0 should be',
    IDENTITY,
    BEGINNING,
    { seq: 1n },
    'journal_gap',
  ),
  noGenesis(
    'genesis-prev-hash',
    'a segment 0 that follows something',
    IDENTITY,
    BEGINNING,
    { prevHash: filled(7) },
    'fork',
  ),
  noGenesis('genesis-missing', 'a segment 0 whose first operation is another', IDENTITY, [
    ...BEGINNING.slice(1),
    op.genesis(),
  ]),
  noGenesis('genesis-empty', 'a segment 0 without operations', IDENTITY, []),
  noGenesis(
    'genesis-unparsable',
    'a segment 0 whose first operation cannot be parsed',
    IDENTITY,
    Uint8Array.of(0xff),
  ),
  noGenesis(
    'genesis-vault',
    'the genesis of another vault',
    IDENTITY,
    first(BEGINNING, op.genesis({ vault: 'another' })),
  ),
  noGenesis(
    'genesis-account',
    'the genesis of another account',
    IDENTITY,
    first(BEGINNING, op.genesis({ account: idOf('account', 2) })),
  ),
  noGenesis(
    'genesis-key',
    'the genesis of another identity key',
    IDENTITY,
    first(BEGINNING, op.genesis({ key: STRANGER.publicKey })),
  ),
  noGenesis(
    'genesis-malformed',
    'a genesis whose inbox key has a field too many',
    IDENTITY,
    first(BEGINNING, op.genesis({ inbox: [idOf('inbox', 0), filled(1), 0, 0] })),
  ),
  noGenesis(
    'genesis-more',
    'a genesis with a field too many',
    IDENTITY,
    first(BEGINNING, op.genesis({ more: [0] })),
  ),
  noGenesis('genesis-padding', 'a segment 0 with wrong padding', IDENTITY, BEGINNING, {
    plaintext: (right) => flipped(right, -1),
  }),
];

/** Padding of a segment whose signature and seal are right: none of its operations counts, and one is skipped. */
const otherPadding = (name: string, says: string, plaintext: (right: Bytes) => Bytes): JournalSpec =>
  spec(`padding-${name}`, '11.2', says, second(`padding-${name}`, LAPTOP, { plaintext }), {
    tree: ['a/', 'c/'],
    skipped: 1,
  });

const content = (right: Bytes): Bytes => {
  const length = new DataView(right.buffer).getUint32(0);
  return right.slice(4, 4 + length);
};

export const PADDING_VECTORS: readonly JournalSpec[] = [
  otherPadding('not-zero', 'padding that is not zero', (right) => flipped(right, -1)),
  otherPadding('not-zero-first', 'padding that is not zero at its beginning', (right) =>
    flipped(right, 4 + content(right).length),
  ),
  otherPadding('double', 'twice the padding that there should be', (right) => padded(content(right), 1024)),
  otherPadding('tight', 'no padding', (right) => padded(content(right), 4 + content(right).length)),
  otherPadding('511', '511 bytes', (right) => right.slice(0, 511)),
  otherPadding('513', '513 bytes', (right) => new Uint8Array([...right, 0])),
  otherPadding('768', '768 bytes, no power of two times 512', (right) => padded(content(right), 768)),
  otherPadding('empty', 'no byte, not even a length', () => new Uint8Array(0)),
  otherPadding('length-beyond', 'a length beyond the end', (right) => {
    const changed = right.slice();
    new DataView(changed.buffer).setUint32(0, 509);
    return changed;
  }),
  otherPadding('length-most', 'the greatest length', (right) => {
    const changed = right.slice();
    new DataView(changed.buffer).setUint32(0, 2 ** 32 - 1);
    return changed;
  }),
  spec(
    'padding-508',
    '11.2',
    'a sequence that fills 512 bytes, and one that is a byte longer and takes 1,024',
    begin('chain-padding-508')
      .add(LAPTOP, new Uint8Array(508).fill(0xf6))
      .add(LAPTOP, new Uint8Array(509).fill(0xf6))
      .add(LAPTOP, [op.folder(1, 'a')]),
    { tree: ['a/'], skipped: 514 },
  ),
];
