import { float64, raw, sequence, type Item } from '../writing/cbor.ts';
import { filled, idOf } from '../writing/bytes.ts';
import { blobId, fileId, folderId, inboxPair, op, versionItem, NOW_MS } from '../writing/log.ts';
import { ops, type JournalSpec } from './spec.ts';

const RULE = '11.3';

/** Operations of which the ones in `bad` are malformed, beside one that is right. */
const malformed = (name: string, says: string, ...bad: Item[]): JournalSpec =>
  ops(`field-${name}`, RULE, says, sequence([...bad, op.folder(99, 'after')]), ['after/'], bad.length);

const withVersion = (number: number, changes: Readonly<Record<number, Item>>): Item =>
  op.file(number, `file ${String(number)}`, '', versionItem(number, changes));
const folders = (...names: Item[]): Uint8Array =>
  sequence(names.map((name, index) => op.folder(index + 1, name)));

const RIGHT = idOf('folder', 1);
const DIGEST = Buffer.from(filled(1)).toString('base64');
const MUSIC = '\u{1d11e}'; // 4 bytes of UTF-8, two UTF-16 units.

export const FIELD_VECTORS: readonly JournalSpec[] = [
  malformed(
    'id',
    'ids of 21 and 23 characters, with padding, of the other base64 alphabet, with trailing bits, empty, no text',
    [5, RIGHT.slice(1), '', 'a'],
    [5, `${RIGHT}A`, '', 'a'],
    [5, `${RIGHT.slice(0, 21)}=`, '', 'a'],
    [5, `+${RIGHT.slice(1)}`, '', 'a'],
    [5, `/${RIGHT.slice(1)}`, '', 'a'],
    [5, `${RIGHT.slice(0, 21)}B`, '', 'a'],
    [5, '', '', 'a'],
    [5, filled(1, 22), '', 'a'],
  ),
  malformed(
    'id-or-top',
    'a folder that is named by something else than an id or ""',
    [5, RIGHT, ' ', 'a'],
    [5, RIGHT, null, 'a'],
    [5, RIGHT, `${RIGHT.slice(0, 21)}B`, 'a'],
  ),
  malformed(
    'bytes',
    'keys and hashes of a wrong length, or that are texts',
    [3, [inboxPair(1).blob, filled(1, 31), 1], NOW_MS],
    [3, [inboxPair(1).blob, filled(1, 33), 1], NOW_MS],
    [16, 0, filled(1, 31), NOW_MS],
    [16, 0, 'a'.repeat(32), NOW_MS],
    [15, [0, filled(7), filled(8, 16), []]],
  ),
  malformed(
    'count',
    'counts that are negative, no integer, too great, or texts',
    withVersion(1, { 2: -1 }),
    withVersion(1, { 2: float64(0.5) }),
    withVersion(1, { 3: float64(2 ** 53) }),
    withVersion(1, { 3: '1' }),
    withVersion(1, { 2: false }),
  ),
  ops(
    'field-count-greatest',
    RULE,
    'the greatest count, 2^53 − 1, and the least',
    sequence([withVersion(1, { 2: 2 ** 53 - 1, 3: 0 })]),
    ['file 1'],
  ),
  malformed(
    'u31',
    'u31 of 2^31, and negative',
    withVersion(1, { 1: 2 ** 31 }),
    withVersion(1, { 4: 2 ** 31 }),
    withVersion(1, { 1: -1 }),
    [18, 2 ** 31],
    [16, 0, filled(1), NOW_MS, 2 ** 31],
  ),
  ops(
    'field-u31-greatest',
    RULE,
    'u31 of 2^31 − 1',
    sequence([withVersion(1, { 1: 2 ** 31 - 1, 4: 2 ** 31 - 1 })]),
    ['file 1'],
  ),
  malformed(
    'time',
    'times beyond 8.64 · 10^15, either way',
    withVersion(1, { 7: 8.64e15 + 1 }),
    withVersion(1, { 8: -8.64e15 - 1 }),
    [10, fileId(1), 8.64e15 + 1],
  ),
  ops(
    'field-time-edges',
    RULE,
    'times of 8.64 · 10^15, either way',
    sequence([withVersion(1, { 7: 8.64e15, 8: -8.64e15 })]),
    ['file 1'],
  ),
  malformed(
    'ascii',
    'media types of 256 characters, with a control character, with DEL, with a character beyond ASCII',
    withVersion(1, { 6: 'a'.repeat(256) }),
    withVersion(1, { 6: 'text/\u001f' }),
    withVersion(1, { 6: 'text/\u007f' }),
    withVersion(1, { 6: 'text/é' }),
    withVersion(1, { 6: 'text/plain\n' }),
  ),
  ops(
    'field-ascii-edges',
    RULE,
    'media types of 255 characters, of none, and of " " and "~"',
    sequence([
      withVersion(1, { 6: 'a'.repeat(255) }),
      withVersion(2, { 6: '' }),
      withVersion(3, { 6: ' ~' }),
    ]),
    ['file 1', 'file 2', 'file 3'],
  ),
  malformed(
    'digest',
    'digests without padding, with trailing bits, of 31 and 33 bytes, in base64url, with 0 parts, with a leading zero, with 100000 parts, with two numbers, with none',
    withVersion(1, { 5: DIGEST.slice(0, -1) }),
    withVersion(1, { 5: `${DIGEST.slice(0, 42)}F=` }),
    withVersion(1, { 5: Buffer.from(filled(1, 31)).toString('base64') }),
    withVersion(1, { 5: Buffer.from(filled(1, 33)).toString('base64') }),
    withVersion(1, { 5: Buffer.from(filled(255)).toString('base64').replaceAll('/', '_') }),
    withVersion(1, { 5: `${DIGEST}-0` }),
    withVersion(1, { 5: `${DIGEST}-01` }),
    withVersion(1, { 5: `${DIGEST}-100000` }),
    withVersion(1, { 5: `${DIGEST}-1-1` }),
    withVersion(1, { 5: `${DIGEST}-` }),
    withVersion(1, { 5: `${DIGEST}\n` }),
    withVersion(1, { 5: '' }),
  ),
  ops(
    'field-digest-parts',
    RULE,
    'digests of 1 and 99999 parts',
    sequence([withVersion(1, { 5: `${DIGEST}-1` }), withVersion(2, { 5: `${DIGEST}-99999` })]),
    ['file 1', 'file 2'],
  ),
  ops(
    'field-list-1000',
    RULE,
    'a list of 1000 items is taken, one of 1001 is not',
    sequence([
      op.folder(1, 'a'),
      [14, folderId(1), Array.from({ length: 1000 }, (): Item => 'x')],
      op.folder(2, 'b'),
      [14, folderId(2), Array.from({ length: 1001 }, (): Item => 'x')],
    ]),
    ['a/', 'b/'],
    1,
  ),
  malformed(
    'list-item',
    'a list with an item that is malformed, and something that is no list',
    [14, RIGHT, ['good', 'a/b']],
    [13, [blobId(1), 'short']],
    [13, blobId(1)],
  ),
  malformed(
    'missing',
    'operations with a field too few',
    [5, RIGHT, ''],
    [6, fileId(1), '', 'a'],
    [8, fileId(1)],
    [16, 0, filled(1)],
    [3],
    [18],
  ),
  malformed(
    'more',
    'operations with a field too many, also where one may be missing',
    [5, RIGHT, '', 'a', 0],
    [17, fileId(1), 0],
    [3, [inboxPair(1).blob, filled(1), 1], NOW_MS, 0],
    [16, 0, filled(1), NOW_MS, 0, 0],
  ),
  malformed(
    'more-inside',
    'a field too many, or too few, further inside: in a version, in an inbox key, in a snapshot, in a page',
    op.file(1, 'a', '', [...versionItem(1), 0]),
    op.file(1, 'a', '', versionItem(1).slice(0, -1)),
    [3, [inboxPair(1).blob, filled(1), 1, 0], NOW_MS],
    [15, [0, filled(7), filled(8), [], 0]],
    [15, [0, filled(7), filled(8), [[idOf('page', 1), 900, filled(9), 0]]]],
  ),
  malformed('null', 'null where an optional field stands: missing is something else', [
    3,
    [inboxPair(1).blob, filled(1), 1],
    null,
  ]),
  malformed(
    'name',
    'names that are empty, "." and "..", with "/", with U+0000, U+001F, U+007F, U+0085, of 256 bytes, no text',
    ...[
      '',
      '.',
      '..',
      'a/b',
      '/',
      'a\u0000',
      '\u001f',
      'a\u007f',
      '\u0085a',
      'x'.repeat(256),
      `${'é'.repeat(127)}xy`,
    ].map((name): Item => [5, RIGHT, '', name]),
    [5, RIGHT, '', filled(0x61, 3)],
    [5, RIGHT, '', 5],
  ),
  ops(
    'field-name-edges',
    RULE,
    'names of 255 bytes, "...", with leading and trailing spaces, with backslashes, with U+00A0, U+2028 and U+202E',
    folders('x'.repeat(255), `${'é'.repeat(127)}x`, '...', ' a ', 'a\\b', '\u00a0', 'a\u2028b', '\u202egpj'),
    ['x'.repeat(255), `${'é'.repeat(127)}x`, '...', ' a ', 'a\\b', '\u00a0', 'a\u2028b', '\u202egpj'].map(
      (name) => `${name}/`,
    ),
  ),
  ops(
    'field-name-composed',
    RULE,
    'a name is taken as it is written, in NFC or not: "é" in one and in two characters are two names',
    folders('\u00e9', 'e\u0301', '\u00e9'),
    ['\u00e9/', 'e\u0301/', '\u00e9 (2)/'],
  ),
  ops(
    'field-name-composition-excluded',
    RULE,
    'names that would grow, shrink or change in NFC: U+0958, U+212B, conjoining jamo, marks in another order, U+113C5 of Unicode 16',
    folders(
      '\u0958'.repeat(85),
      '\u212b',
      '\u1112\u1161\u11ab',
      'a\u0301\u0323',
      '\u{113c2}\u{113c2}',
      `${MUSIC}.`,
    ),
    [
      '\u0958'.repeat(85),
      '\u212b',
      '\u1112\u1161\u11ab',
      'a\u0301\u0323',
      '\u{113c2}\u{113c2}',
      `${MUSIC}.`,
    ].map((name) => `${name}/`),
  ),
  ops(
    'field-name-long-decomposed',
    RULE,
    'a name is measured as it is written: 256 bytes that NFC would make shorter are too many',
    folders(`${'e\u0301'.repeat(85)}x`, 'after'),
    ['after/'],
    1,
  ),
  ops('field-name-case', RULE, 'names that differ in case are two names', folders('A', 'a', 'İ', 'i̇'), [
    'A/',
    'a/',
    'İ/',
    'i̇/',
  ]),
  ops(
    'field-tags',
    RULE,
    'tags are names: they may come twice, and one that is none makes the operation malformed',
    sequence([
      op.folder(1, 'a'),
      op.tag(folderId(1), 'x', 'x', 'e\u0301'),
      op.tag(folderId(1), 'y', '..'),
      raw('80'),
    ]),
    ['a/'],
    2,
  ),
];
