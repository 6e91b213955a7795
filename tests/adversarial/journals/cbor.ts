import { utf8 } from '../../reader/primitives.ts';
import { float64, Pairs, Raw, raw, sequence, type Item } from '../writing/cbor.ts';
import { fileId, op, versionItem, NOW_MS } from '../writing/log.ts';
import { between, ops, type JournalSpec } from './spec.ts';

const RULE = '11.2';
const before = op.folder(1, 'before');
const after = op.folder(2, 'after');

/** What ends its segment: nothing behind it counts. */
const ends = (name: string, says: string, item: Item): JournalSpec =>
  ops(
    `cbor-${name}`,
    RULE,
    `${says}: it cannot be parsed, and ends its segment`,
    between(before, item, after),
    ['before/'],
    1,
  );

/** What is skipped alone: what follows counts. */
const skips = (name: string, says: string, item: Item): JournalSpec =>
  ops(
    `cbor-${name}`,
    RULE,
    `${says}: it can be parsed, and is skipped alone`,
    between(before, item, after),
    ['before/', 'after/'],
    1,
  );

/** An array in an array in an array …, so many of them. */
const nested = (levels: number): Item => raw(`${'81'.repeat(levels - 1)}80`);
const named = (text: Item): Item => op.folder(3, text);

export const CBOR_VECTORS: readonly JournalSpec[] = [
  ends('array-indefinite', 'an array of indefinite length', raw('9f1863ff')),
  ends('text-indefinite', 'a text of indefinite length', raw('7f6161ff')),
  ends('bytes-indefinite', 'a byte string of indefinite length', raw('5f4100ff')),
  ends('map-indefinite', 'a map of indefinite length', raw('bfff')),
  ends('break', 'a "break" where nothing is open', raw('ff')),
  ends('integer-long', 'an integer in more bytes than it needs', raw('8218631805')),
  ends('integer-long-16', 'an integer below 256 in two bytes', raw('8218631900ff')),
  ends('length-long', 'a length in more bytes than it needs', raw('821863780161')),
  ends('array-length-long', 'an array whose count is in more bytes than it needs', raw('98021863f6')),
  ends('integer-beyond', 'the integer 2^53', raw('8218631b0020000000000000')),
  ends('integer-below', 'the integer −2^53', raw('8218633b001fffffffffffff')),
  skips(
    'integer-greatest',
    'the integer 2^53 − 1 in an operation that is not known',
    raw('8218631b001fffffffffffff'),
  ),
  skips(
    'integer-least',
    'the integer −(2^53 − 1) in an operation that is not known',
    raw('8218633b001ffffffffffffd'),
  ),
  ends('tag', 'a tag', raw('821863c100')),
  ends('bignum', 'a number beyond all others, which is a tag', raw('821863c249010000000000000000')),
  ends('key-integer', 'a map with an integer for a key', raw('821863a10102')),
  ends('key-twice', 'a map with a key that comes twice', raw('821863a2616101616102')),
  skips('keys-unordered', 'a map whose keys are not in order', raw('821863a2616201616102')),
  ends('undefined', 'the simple value undefined', raw('821863f7')),
  ends('simple-16', 'a simple value that has no meaning', raw('821863f0')),
  ends('simple-byte', 'a simple value in a byte of its own', raw('821863f8ff')),
  ends('nan', 'NaN', raw('821863fb7ff8000000000000')),
  ends('nan-16', 'NaN in 16 bits', raw('821863f97e00')),
  ends('infinity', 'an infinity', raw('821863fb7ff0000000000000')),
  ends('infinity-minus-16', 'minus infinity in 16 bits', raw('821863f9fc00')),
  ends('reserved', 'a head with the reserved value 28', raw('1c')),
  ends('cut', 'an array that ends too early', raw('8a1863')),
  skips('levels-16', '16 arrays within one another', nested(16)),
  ends('levels-17', '17 arrays within one another', nested(17)),
  ends('levels-17-map', '16 arrays, and a map in the innermost', raw(`${'81'.repeat(16)}a0`)),
  skips(
    'levels-16-wide',
    '16 arrays within one another, twice beside one another',
    raw(`82${'81'.repeat(14)}80${'81'.repeat(14)}80`),
  ),
  ends(
    'levels-17-second',
    '17 arrays within one another, behind a value that is none',
    raw(`8200${'81'.repeat(15)}80`),
  ),
  skips('float', 'a number that is no integer, in an operation that is not known', [99, float64(1.5)]),
  ops(
    'cbor-float-integer',
    RULE,
    'floating-point numbers that equal integers are taken for them: of 16, 32 and 64 bits, and for the number of an operation',
    sequence([
      op.file(
        1,
        'a',
        '',
        versionItem(1, {
          2: raw('f94880'),
          3: raw('fa42e80000'),
          7: float64(5),
          8: raw('fb8000000000000000'),
        }),
      ),
      [float64(8), fileId(1), 'b'],
    ]),
    ['b'],
  ),
  ops(
    'cbor-float-fraction',
    RULE,
    'a number that is no integer, where an integer stands, makes an operation malformed',
    sequence([op.file(1, 'a'), op.trash(fileId(1), float64(NOW_MS + 0.5)), op.folder(2, 'after')]),
    ['a', 'after/'],
    1,
  ),
  ops(
    'cbor-float-beyond',
    RULE,
    'the floating-point number 2^53 can be parsed, but is no count; 2^53 − 1 is one',
    sequence([
      op.file(1, 'a', '', versionItem(1, { 2: float64(2 ** 53) })),
      op.file(2, 'b', '', versionItem(2, { 2: float64(2 ** 53 - 1) })),
      op.folder(2, 'after'),
    ]),
    ['b', 'after/'],
    1,
  ),
  ops(
    'cbor-text-not-utf8',
    RULE,
    'bytes of a text that are no UTF-8 are taken as U+FFFD: a byte alone, a cut character, a surrogate, an overlong "/"',
    sequence([
      named(new Raw(Uint8Array.from([0x64, 0x61, 0xff, 0x62, 0x63]))),
      op.folder(4, new Raw(Uint8Array.from([0x63, 0x61, 0xe2, 0x82]))),
      op.folder(5, new Raw(Uint8Array.from([0x63, 0xed, 0xa0, 0x80]))),
      op.folder(6, new Raw(Uint8Array.from([0x62, 0xc0, 0xaf]))),
    ]),
    ['a\ufffdbc/', 'a\ufffd/', '\ufffd\ufffd\ufffd/', '\ufffd\ufffd/'],
  ),
  ops(
    'cbor-text-mark',
    RULE,
    'one U+FEFF at the beginning of a text is dropped, a second one and one further on are not',
    sequence([named('\ufeffa'), op.folder(4, '\ufeff\ufeffb'), op.folder(5, 'c\ufeff')]),
    ['a/', '\ufeffb/', 'c\ufeff/'],
  ),
  ops(
    'cbor-text-mark-alone',
    RULE,
    'a text of U+FEFF alone is empty, and no name',
    sequence([named('\ufeff'), after]),
    ['after/'],
    1,
  ),
  ops('cbor-empty', RULE, 'a segment without operations', new Uint8Array(0), []),
  ops(
    'operations-256',
    RULE,
    '256 operations, most of which are not known: each of these is skipped',
    sequence([...Array.from({ length: 255 }, (): Item => [99]), after]),
    ['after/'],
    255,
  ),
  ops(
    'operations-257',
    RULE,
    'all behind the 256th operation count as one that is skipped',
    sequence([...Array.from({ length: 256 }, (): Item => [99]), after, op.folder(3, 'c')]),
    [],
    257,
  ),
  ops(
    'operations-257-cut',
    RULE,
    'what stands behind the 256th operation is not looked at: it could not be parsed',
    new Uint8Array([...sequence([...Array.from({ length: 255 }, (): Item => [99]), after]), 0xff, 0xff]),
    ['after/'],
    256,
  ),
  skips('not-array', 'a text where an operation stands', 'folder-add'),
  skips('not-array-map', 'a map where an operation stands', new Pairs(['a', 1])),
  skips('not-array-bytes', 'a byte string where an operation stands', utf8('a')),
  skips('array-empty', 'an empty array', []),
  skips('number-unknown', 'an operation of a number that there is not', [99, 'a']),
  skips('number-negative', 'an operation of the number −1', [-1, 'a']),
  skips('number-text', 'a text for the number of an operation', ['5', fileId(1), '', 'a']),
  skips('number-fraction', 'an operation of the number 5.5', [float64(5.5), fileId(1), '', 'a']),
];
