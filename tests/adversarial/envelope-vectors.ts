import { aad, concat, derive, prefixed, sha256, u32be, type Bytes } from '../reader/primitives.ts';
import type { EnvelopeVector } from './kit.ts';
import { bytesOf, flipped, hex, idOf } from './writing/bytes.ts';
import { FloeWriter, sealFloe } from './writing/floe.ts';
import { VAULT } from './writing/log.ts';

const BLOB = idOf('blob', 1);
const CONTENT_KEY = bytesOf('content key', 32);
const KMS_HALF = bytesOf('kms half', 32);
const VAULT_KEY = bytesOf('vault key', 32);
const SALT = bytesOf('salt', 32);
const KMS_BLOB = bytesOf('kms blob', 184);

const b64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

interface Binding {
  readonly kmsHalf?: Bytes;
  readonly vaultKey?: Bytes;
  readonly purpose?: string;
  readonly vault?: string;
  readonly blob?: string;
  readonly epoch?: number;
  readonly salt?: Bytes;
  readonly kmsBlob?: Bytes;
  readonly type?: string;
}

const kekOf = ({
  kmsHalf = KMS_HALF,
  vaultKey = VAULT_KEY,
  purpose = 'file',
  vault = VAULT,
  blob = BLOB,
  epoch = 0,
  salt = SALT,
}: Binding): Bytes => derive(concat(kmsHalf, vaultKey), salt, purpose, vault, blob, u32be(epoch));
const contextOf = ({
  type = 'content-key',
  vault = VAULT,
  blob = BLOB,
  epoch = 0,
  kmsBlob = KMS_BLOB,
}: Binding): Bytes => concat(aad(type, vault, blob, epoch), prefixed(sha256(kmsBlob)));

/** Section 8, for this binding. */
const seal = (binding: Binding = {}, key: Bytes = CONTENT_KEY): Bytes =>
  sealFloe(kekOf(binding), contextOf(binding), key, 'envelope');

const RIGHT: Readonly<Record<string, unknown>> = {
  suite: 'halfkey/1',
  purpose: 'file',
  epoch: 0,
  salt: b64url(SALT),
  kmsBlob: b64url(KMS_BLOB),
  sealedKey: b64url(seal()),
};

const vector = (
  name: string,
  says: string,
  json: string | Readonly<Record<string, unknown>>,
  expect: EnvelopeVector['expect'],
  halves: Partial<EnvelopeVector> = {},
): EnvelopeVector => ({
  name,
  rule: '8',
  says,
  kmsHalfHex: hex(KMS_HALF),
  vaultKeyHex: hex(VAULT_KEY),
  purpose: 'file',
  blob: BLOB,
  epoch: 0,
  ...halves,
  json: typeof json === 'string' ? json : JSON.stringify(json),
  expect,
});

const OPENS = { keyHex: hex(CONTENT_KEY) };
const opens = (
  name: string,
  says: string,
  json: string | Readonly<Record<string, unknown>>,
  halves = {},
): EnvelopeVector => vector(name, says, json, OPENS, halves);
const corrupt = (
  name: string,
  says: string,
  json: string | Readonly<Record<string, unknown>>,
): EnvelopeVector => vector(name, says, json, { refused: 'envelope_corrupt' });
const wrong = (
  name: string,
  says: string,
  json: Readonly<Record<string, unknown>>,
  halves: Partial<EnvelopeVector> = {},
): EnvelopeVector => vector(name, says, json, { refused: 'kms_half_wrong' }, halves);
const sealedAs = (binding: Binding): Readonly<Record<string, unknown>> => ({
  ...RIGHT,
  sealedKey: b64url(seal(binding)),
});
const damaged = (at: number, mask?: number): Readonly<Record<string, unknown>> => ({
  ...RIGHT,
  sealedKey: b64url(flipped(seal(), at, mask)),
});
const { suite: _suite, ...WITHOUT_SUITE } = RIGHT;
const { kmsBlob: _kmsBlob, ...WITHOUT_KMS_BLOB } = RIGHT;

export const envelopeVectors = (): EnvelopeVector[] => [
  opens('file', 'an envelope of a file', RIGHT),
  opens(
    'inbox',
    'an envelope of an inbox key',
    { ...sealedAs({ purpose: 'inbox' }), purpose: 'inbox' },
    { purpose: 'inbox' },
  ),
  opens(
    'epoch-greatest',
    'an envelope of the greatest epoch',
    { ...sealedAs({ epoch: 2 ** 32 - 1 }), epoch: 2 ** 32 - 1 },
    { epoch: 2 ** 32 - 1 },
  ),
  opens(
    'order',
    'members in another order, with white space',
    JSON.stringify(Object.fromEntries(Object.entries(RIGHT).toReversed()), null, 2),
  ),
  opens(
    'escaped',
    'a member whose name is written with an escape',
    JSON.stringify(RIGHT).replace('"salt"', '"\\u0073alt"'),
  ),
  opens(
    'twice',
    'a member that comes twice counts as it comes last',
    JSON.stringify(RIGHT).replace('{', '{"suite":"halfkey/2","epoch":7,'),
  ),
  opens(
    'epoch-exponent',
    'the number 0 written as 0.0e1',
    JSON.stringify(RIGHT).replace('"epoch":0', '"epoch":0.0e1'),
  ),
  opens(
    'kms-blob-1024',
    'a KMS blob of 1,024 bytes',
    ((): Readonly<Record<string, unknown>> => {
      const kmsBlob = bytesOf('long kms blob', 1024);
      return { ...sealedAs({ kmsBlob }), kmsBlob: b64url(kmsBlob) };
    })(),
  ),
  vector('suite', 'another suite', { ...RIGHT, suite: 'halfkey/2' }, { refused: 'format_unknown' }),
  vector(
    'suite-first',
    'another suite, and other members and lengths than this one’s: it is refused for its suite',
    { ...RIGHT, suite: 'halfkey/2', salt: '', sealedKey: 'AAAA', more: 1 },
    { refused: 'format_unknown' },
  ),
  vector('suite-empty', 'an empty suite', { ...RIGHT, suite: '' }, { refused: 'format_unknown' }),
  corrupt('suite-missing', 'no suite', WITHOUT_SUITE),
  corrupt('purpose-other', 'another purpose than the one that is looked for', { ...RIGHT, purpose: 'inbox' }),
  corrupt('purpose-number', 'a purpose that is no text', { ...RIGHT, purpose: 1 }),
  corrupt('suite-number', 'a suite that is no text', { ...RIGHT, suite: 1 }),
  corrupt('no-json', 'no JSON', JSON.stringify(RIGHT).slice(0, -1)),
  corrupt('empty', 'no text', ''),
  corrupt('null', 'null', 'null'),
  corrupt('list', 'a list', JSON.stringify([RIGHT])),
  corrupt('mark', 'a byte order mark before it', `\ufeff${JSON.stringify(RIGHT)}`),
  corrupt('more', 'a member more', { ...RIGHT, more: 1 }),
  corrupt('fewer', 'a member less', WITHOUT_KMS_BLOB),
  corrupt(
    'proto',
    'a member more, whose name is __proto__',
    JSON.stringify(RIGHT).replace('{', '{"__proto__":{},'),
  ),
  corrupt('epoch-other', 'another epoch than its name says', { ...sealedAs({ epoch: 1 }), epoch: 1 }),
  corrupt('epoch-text', 'an epoch that is a text', { ...RIGHT, epoch: '0' }),
  corrupt('epoch-missing', 'null for an epoch', { ...RIGHT, epoch: null }),
  corrupt('salt-31', 'a salt of 31 bytes', {
    ...sealedAs({ salt: SALT.slice(1) }),
    salt: b64url(SALT.slice(1)),
  }),
  corrupt('salt-33', 'a salt of 33 bytes', {
    ...sealedAs({ salt: concat(SALT, SALT.slice(0, 1)) }),
    salt: b64url(concat(SALT, SALT.slice(0, 1))),
  }),
  corrupt('salt-padded', 'base64url with padding', { ...RIGHT, salt: `${b64url(SALT)}=` }),
  corrupt('salt-trailing', 'base64url with trailing bits that are not zero', {
    ...RIGHT,
    salt: b64url(SALT).slice(0, -1) + trailing(b64url(SALT).slice(-1)),
  }),
  corrupt(
    'kms-blob-alphabet',
    'base64 of the other alphabet',
    ((): Readonly<Record<string, unknown>> => {
      const kmsBlob = new Uint8Array(33).fill(255);
      return { ...sealedAs({ kmsBlob }), kmsBlob: Buffer.from(kmsBlob).toString('base64') };
    })(),
  ),
  corrupt('kms-blob-space', 'white space in base64url', { ...RIGHT, kmsBlob: `${b64url(KMS_BLOB)}\n` }),
  corrupt(
    'kms-blob-1025',
    'a KMS blob of 1,025 bytes',
    ((): Readonly<Record<string, unknown>> => {
      const kmsBlob = bytesOf('long kms blob', 1025);
      return { ...sealedAs({ kmsBlob }), kmsBlob: b64url(kmsBlob) };
    })(),
  ),
  corrupt('sealed-key-16', 'a sealed key of 16 bytes, rightly sealed', {
    ...RIGHT,
    sealedKey: b64url(seal({}, CONTENT_KEY.slice(0, 16))),
  }),
  corrupt('sealed-key-33', 'a sealed key of 33 bytes, rightly sealed', {
    ...RIGHT,
    sealedKey: b64url(seal({}, concat(CONTENT_KEY, Uint8Array.of(0)))),
  }),
  corrupt('sealed-key-parameters', 'other parameters of FLOE in the sealed key', damaged(0)),
  corrupt('sealed-key-mark', 'another length before its segment', damaged(77)),
  corrupt('sealed-key-ciphertext', 'a changed byte of its ciphertext', damaged(100)),
  corrupt('sealed-key-tag', 'a changed byte of its tag', damaged(-1)),
  corrupt('sealed-key-not-last', 'a segment whose tag says that it is not the last', {
    ...RIGHT,
    sealedKey: ((): string => {
      const writer = new FloeWriter(kekOf({}), contextOf({}), 'not last');
      return b64url(concat(writer.header, writer.segment(0, CONTENT_KEY, { aadIsLast: false })));
    })(),
  }),
  wrong('sealed-key-header-tag', 'another header tag', damaged(42)),
  wrong('sealed-key-iv', 'another IV', damaged(10)),
  wrong('half', 'another KMS half', RIGHT, { kmsHalfHex: hex(flipped(KMS_HALF, 0)) }),
  wrong('half-31', 'a KMS half of 31 bytes, with a vault key that has its last byte', sealedAs({}), {
    kmsHalfHex: hex(KMS_HALF.slice(0, 31)),
  }),
  wrong('halves-shifted', 'halves of 31 and 33 bytes, which one after the other are the right ones', RIGHT, {
    kmsHalfHex: hex(KMS_HALF.slice(0, 31)),
    vaultKeyHex: hex(concat(KMS_HALF.slice(31), VAULT_KEY)),
  }),
  wrong('half-33', 'a KMS half that has the first byte of the vault key', RIGHT, {
    kmsHalfHex: hex(concat(KMS_HALF, VAULT_KEY.slice(0, 1))),
  }),
  wrong('vault-key', 'another vault key', RIGHT, { vaultKeyHex: hex(flipped(VAULT_KEY, 0)) }),
  wrong('salt-other', 'another salt', { ...RIGHT, salt: b64url(flipped(SALT, 0)) }),
  wrong('kms-blob-other', 'another KMS blob', { ...RIGHT, kmsBlob: b64url(flipped(KMS_BLOB, 0)) }),
  wrong('place-blob', 'an envelope of another blob', sealedAs({ blob: idOf('blob', 2) })),
  wrong('place-vault', 'an envelope of another vault', sealedAs({ vault: 'another' })),
  wrong('place-epoch', 'an envelope of another epoch that says it is of this one', sealedAs({ epoch: 1 })),
  wrong('purpose', 'an envelope of an inbox key where a file’s should be', sealedAs({ purpose: 'inbox' })),
  wrong(
    'purpose-inbox',
    'an envelope of a file where an inbox key’s should be',
    { ...RIGHT, purpose: 'inbox' },
    { purpose: 'inbox' },
  ),
  wrong('type', 'a key that is sealed as content', sealedAs({ type: 'content' })),
];

/** The same last character with a trailing bit set. */
function trailing(last: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet.charAt(alphabet.indexOf(last) | 1);
}
