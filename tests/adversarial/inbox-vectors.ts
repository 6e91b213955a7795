import { aad, concat, prefixed, sha256, u32be, utf8, type Bytes } from '../reader/primitives.ts';
import { signWith } from '../reader/ed25519.ts';
import type { DraftVector, InboxKnown, RecordVector } from './kit.ts';
import { base64, bytesOf, filled, flipped, hex } from './writing/bytes.ts';
import { cbor, float64, type Item } from './writing/cbor.ts';
import { sealHpke, sealShared } from './writing/hpke.ts';
import { VAULT_KNOWN } from './journals/vectors.ts';
import {
  begin,
  blobId,
  EPOCH,
  fileId,
  IDENTITY,
  inboxPair,
  LAPTOP,
  NOW_MS,
  op,
  PHONE,
  STRANGER,
  TABLET,
  VAULT,
  versionItem,
  type Writer,
} from './writing/log.ts';

const LOG = begin('inbox')
  .add(IDENTITY, [op.enrol(TABLET)])
  .add(LAPTOP, [op.inboxKey(1), op.inboxKey(2), op.heartbeat(0, filled(1), [1])])
  .add(PHONE, [op.heartbeat(0, filled(1), [1])])
  .add(IDENTITY, [op.revoke(TABLET, 4)])
  .add(LAPTOP, [op.retire(1)]);

const CONTENT_KEY = bytesOf('captured', 32);
const BLOB = blobId(1);
const NAME = 'Brief.txt';

/** The journal that records are read by: inbox keys of the epochs 0 (retired), 1 and 2; the tablet is revoked. */
export const INBOX_KNOWN: InboxKnown = {
  ...VAULT_KNOWN,
  segmentsB64: LOG.segments.map(base64),
  inboxPrivateKeysHex: [0, 1, 2, 3].map((epoch) => hex(inboxPair(epoch).privateKey)),
};

const FOUND = { file: fileId(1), folder: '', name: NAME, contentKeyHex: hex(CONTENT_KEY) };

interface Faults {
  readonly device?: Writer;
  /** Whose key signs. */
  readonly signer?: Writer;
  /** In the head. */
  readonly epoch?: number;
  /** Whose public half it is sealed to. */
  readonly sealedTo?: number;
  readonly magic?: string;
  readonly info?: Bytes;
  readonly aad?: (head: Bytes) => Bytes;
  readonly content?: Bytes;
  /** Instead of what `content` is padded to. */
  readonly padded?: Bytes;
  readonly sealed?: (right: Bytes) => Bytes;
  readonly signed?: { label?: string; vault?: string; blob?: string; head?: Bytes; sealed?: Bytes };
  readonly signature?: (right: Bytes) => Bytes;
}

const padded = (content: Uint8Array, length = content.length): Bytes =>
  concat(u32be(length), content, new Uint8Array(1020 - content.length));
const contentOf = (...operations: Item[]): Bytes => concat(CONTENT_KEY, ...operations.map(cbor));
const RIGHT_OPERATION = op.file(1, NAME);

/** Section 13.1. */
function record(label: string, faults: Faults = {}): Bytes {
  const { device = LAPTOP, epoch = 2, signed = {} } = faults;
  const writer = Uint8Array.from(Buffer.from(device.id ?? '', 'base64url'));
  const head = concat(utf8(faults.magic ?? 'HKI1'), u32be(epoch), writer);
  const { publicKey } = inboxPair(faults.sealedTo ?? epoch);
  const info = faults.info ?? aad('inbox', VAULT, BLOB, epoch);
  const plaintext = faults.padded ?? padded(faults.content ?? contentOf(RIGHT_OPERATION));
  const associated = (faults.aad ?? ((right) => right))(head);
  const right = sealHpke(publicKey, info, associated, plaintext, `record ${label}`);
  const sealed = (faults.sealed ?? ((bytes) => bytes))(right);
  const message = prefixed(
    signed.label ?? 'halfkey/inbox/1',
    signed.vault ?? VAULT,
    signed.blob ?? BLOB,
    signed.head ?? head,
    sha256(signed.sealed ?? sealed),
  );
  const signature = signWith((faults.signer ?? device).seed, message);
  return concat(head, (faults.signature ?? ((bytes) => bytes))(signature), sealed);
}

const opens = (name: string, says: string, bytes: Uint8Array, found: object = {}): RecordVector => ({
  name,
  rule: '13.1',
  says,
  blob: BLOB,
  recordB64: base64(bytes),
  expect: { ...FOUND, ...found },
});
const refuses = (name: string, says: string, bytes: Uint8Array, blob = BLOB): RecordVector => ({
  name,
  rule: '13.1',
  says,
  blob,
  recordB64: base64(bytes),
  expect: { refused: 'inbox_refused' },
});
const bad = (name: string, says: string, faults: Faults): RecordVector =>
  refuses(name, says, record(name, faults));
const holds = (name: string, says: string, ...operations: Item[]): RecordVector =>
  bad(name, says, { content: contentOf(...operations) });

/** enc of small order: the shared secret is zeros, whatever the private key is. */
const zeroEnc = (info: Bytes, associated: Bytes, plaintext: Bytes, publicKey: Bytes): Bytes => {
  const enc = new Uint8Array(32);
  return concat(enc, sealShared(new Uint8Array(32), concat(enc, publicKey), info, associated, plaintext));
};

export const recordVectors = (): RecordVector[] => [
  opens('right', 'a record to the newest inbox key', record('right')),
  opens('older-key', 'a record to an older inbox key that is not retired', record('older-key', { epoch: 1 })),
  opens('phone', 'a record of another device', record('phone', { device: PHONE })),
  opens(
    'not-deterministic',
    'an operation with a floating-point number for an integer: what section 11.2 takes',
    record('not-deterministic', {
      content: contentOf(op.file(1, NAME, '', versionItem(1, { 8: float64(NOW_MS) }))),
    }),
  ),
  opens(
    'longest',
    'a content of 1,020 bytes, to the last',
    record('longest', {
      content: ((): Bytes => {
        // A name and a media type that fill it.
        const short = contentOf(op.file(1, 'x'.repeat(24), '', versionItem(1, { 6: '' })));
        return short.length > 1020
          ? short
          : contentOf(op.file(1, 'x'.repeat(255), '', versionItem(1, { 6: 'a'.repeat(255) })));
      })(),
    }),
    { name: 'x'.repeat(255) },
  ),
  bad('magic', 'another magic', { magic: 'HKI2' }),
  refuses('short', 'a byte less', record('short').slice(0, -1)),
  refuses('long', 'a byte more', concat(record('long'), Uint8Array.of(0))),
  refuses('empty', 'no byte', new Uint8Array(0)),
  bad('device-unknown', 'a device that is not enrolled', { device: STRANGER }),
  bad('device-revoked', 'a device that is revoked', { device: TABLET }),
  bad('device-identity', 'the identity key, as the writer of zeros', {
    device: { ...IDENTITY, id: 'A'.repeat(22) },
  }),
  bad('signature-other', 'a signature of another device', { signer: PHONE }),
  bad('signature-changed', 'a changed byte of the signature', { signature: (right) => flipped(right, 5) }),
  bad('signed-label', 'a signature over another label', { signed: { label: 'halfkey/journal/1' } }),
  bad('signed-vault', 'a signature for another vault', { signed: { vault: 'another' } }),
  bad('signed-blob', 'a signature for another blob', { signed: { blob: blobId(2) } }),
  bad('signed-head', 'a signature for another inbox epoch', {
    signed: {
      head: concat(utf8('HKI1'), u32be(1), Uint8Array.from(Buffer.from(LAPTOP.id ?? '', 'base64url'))),
    },
  }),
  bad('signed-sealed', 'a signature over another content', { signed: { sealed: filled(1, 1072) } }),
  refuses('another-name', 'a record under another blob’s name', record('right'), blobId(2)),
  bad('epoch-unknown', 'an inbox epoch that the journal does not have', { epoch: 3 }),
  bad('epoch-retired', 'an inbox epoch that is retired', { epoch: 0 }),
  bad('epoch-other', 'a record that is sealed to another key than its head says', { sealedTo: 1 }),
  bad('info-epoch', 'an info of another inbox epoch', { info: aad('inbox', VAULT, BLOB, 1) }),
  bad('info-blob', 'an info of another blob', { info: aad('inbox', VAULT, blobId(2), 2) }),
  bad('info-vault', 'an info of another vault', { info: aad('inbox', 'another', BLOB, 2) }),
  bad('info-type', 'a draft’s info', { info: aad('draft', VAULT, BLOB, 2) }),
  bad('aad', 'no head as HPKE’s aad', { aad: () => new Uint8Array(0) }),
  bad('aad-short', 'the first 8 bytes of the head as HPKE’s aad, as a draft has it', {
    aad: (head) => head.slice(0, 8),
  }),
  bad('sealed-changed', 'a changed byte of the ciphertext, signed so', {
    sealed: (right) => flipped(right, 40),
  }),
  bad('enc-changed', 'a changed bit of enc, signed so', { sealed: (right) => flipped(right, 3) }),
  bad('enc-zero', 'an enc of small order: the secret that it gives is known to all', {
    sealed: () => {
      const head = concat(utf8('HKI1'), u32be(2), Uint8Array.from(Buffer.from(LAPTOP.id ?? '', 'base64url')));
      return zeroEnc(
        aad('inbox', VAULT, BLOB, 2),
        head,
        padded(contentOf(RIGHT_OPERATION)),
        inboxPair(2).publicKey,
      );
    },
  }),
  bad('length-1021', 'a length above 1,020', { padded: padded(contentOf(RIGHT_OPERATION), 1021) }),
  bad('length-most', 'the greatest length', { padded: padded(contentOf(RIGHT_OPERATION), 2 ** 32 - 1) }),
  bad('length-31', 'a content that has no whole content key', { content: CONTENT_KEY.slice(1) }),
  bad('length-32', 'a content key without an operation', { content: CONTENT_KEY }),
  bad('padding', 'padding that is not zero', { padded: flipped(padded(contentOf(RIGHT_OPERATION)), -1) }),
  bad('padding-first', 'padding that is not zero at its beginning', {
    padded: flipped(padded(contentOf(RIGHT_OPERATION)), 4 + contentOf(RIGHT_OPERATION).length),
  }),
  holds('two-operations', 'two files', RIGHT_OPERATION, op.file(2, 'second')),
  holds('operation-after', 'an operation that is not known behind the file', RIGHT_OPERATION, [99]),
  bad('bytes-after', 'a byte behind the file that cannot be parsed', {
    content: concat(contentOf(RIGHT_OPERATION), Uint8Array.of(0xff)),
  }),
  holds('other-operation', 'a version of a file instead of a file', op.version(1, 1)),
  holds('folder', 'a folder', op.folder(1, NAME)),
  holds('malformed', 'a file with a malformed name', op.file(1, '..')),
  holds('other-blob', 'a file of another blob', op.file(1, NAME, '', versionItem(2))),
  holds('not-array', 'a text', NAME),
];

/** Section 13.2. */
function draft(
  label: string,
  faults: Omit<Faults, 'device' | 'signer' | 'signed' | 'signature'> = {},
): Bytes {
  const epoch = faults.epoch ?? 2;
  const head = concat(utf8(faults.magic ?? 'HKD1'), u32be(epoch));
  const { publicKey } = inboxPair(faults.sealedTo ?? epoch);
  const info = faults.info ?? aad('draft', VAULT, BLOB, epoch);
  const plaintext = faults.padded ?? padded(faults.content ?? cbor(draftItem()));
  const associated = (faults.aad ?? ((right) => right))(head);
  const sealed = sealHpke(publicKey, info, associated, plaintext, `draft ${label}`);
  return concat(head, (faults.sealed ?? ((bytes) => bytes))(sealed));
}

/** The array; fields by their place in section 13.2 can be others. */
function draftItem(changes: Readonly<Record<number, Item>> = {}): Item[] {
  const fields: Item[] = [fileId(1), '', NAME, CONTENT_KEY, BLOB, EPOCH, 9, 'text/plain', NOW_MS - 1, NOW_MS];
  return fields.map((field, index) => changes[index] ?? field);
}

const keeps = (name: string, says: string, bytes: Uint8Array): DraftVector => ({
  ...opens(name, says, bytes),
  rule: '13.2',
});
const lost = (name: string, says: string, bytes: Uint8Array, blob = BLOB): DraftVector => ({
  ...refuses(name, says, bytes, blob),
  rule: '13.2',
  expect: { refused: 'device_state_lost' },
});
const bent = (name: string, says: string, faults: Parameters<typeof draft>[1]): DraftVector =>
  lost(name, says, draft(name, faults));
const field = (name: string, says: string, changes: Readonly<Record<number, Item>>): DraftVector =>
  bent(name, says, { content: cbor(draftItem(changes)) });

export const draftVectors = (): DraftVector[] => [
  keeps('right', 'a draft to the newest inbox key', draft('right')),
  keeps(
    'retired',
    'a draft to a retired inbox key: whose key it is, its device knows',
    draft('retired', { epoch: 0 }),
  ),
  keeps(
    'float',
    'a number that equals an integer',
    draft('float', { content: cbor(draftItem({ 6: float64(9) })) }),
  ),
  bent('magic', 'another magic', { magic: 'HKI1' }),
  lost('short', 'a byte less', draft('short').slice(0, -1)),
  lost('long', 'a byte more', concat(draft('long'), Uint8Array.of(0))),
  lost('another-name', 'a draft that is kept for another blob', draft('right'), blobId(2)),
  bent('sealed-to', 'a draft that is sealed to another key than its head says', { sealedTo: 1 }),
  bent('info-type', 'a record’s info', { info: aad('inbox', VAULT, BLOB, 2) }),
  bent('info-epoch', 'an info of another inbox epoch', { info: aad('draft', VAULT, BLOB, 1) }),
  bent('aad', 'no head as HPKE’s aad', { aad: () => new Uint8Array(0) }),
  bent('sealed-changed', 'a changed byte', { sealed: (right) => flipped(right, -1) }),
  bent('length-1021', 'a length above 1,020', { padded: padded(cbor(draftItem()), 1021) }),
  bent('padding', 'padding that is not zero', { padded: flipped(padded(cbor(draftItem())), -1) }),
  bent('bytes-after', 'a byte behind the array', { content: concat(cbor(draftItem()), Uint8Array.of(0)) }),
  bent('fields-more', 'a field too many', { content: cbor([...draftItem(), 0]) }),
  bent('fields-fewer', 'a field too few', { content: cbor(draftItem().slice(0, -1)) }),
  field('blob', 'another blob than the one that it is kept for', { 4: blobId(2) }),
  field('name', 'a malformed name', { 2: 'a/b' }),
  field('content-key', 'a content key of 31 bytes', { 3: CONTENT_KEY.slice(1) }),
  field('epoch', 'an epoch of 2^31', { 5: 2 ** 31 }),
  field('size', 'a negative size', { 6: -1 }),
  field('media-type', 'a media type beyond ASCII', { 7: 'é' }),
  field('time', 'a time that is no integer', { 9: float64(0.5) }),
];
