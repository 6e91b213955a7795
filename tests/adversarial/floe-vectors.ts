import { openFloe } from '../reader/floe.ts';
import { aad, concat, sha256, u32be, utf8, type Bytes } from '../reader/primitives.ts';
import type { FloeVector, Pieces } from './kit.ts';
import { bytesOf, flipped, hex } from './writing/bytes.ts';
import { FloeWriter, PARAMETERS, sealFloe, type SegmentFaults } from './writing/floe.ts';

const KEY = bytesOf('floe key', 32);
const AAD = aad('content', 'vault', 'blob', 0);
const RULE = '6';
const WHOLE = 524_256;
/** Zeros that are worth a number. */
const MANY = 200;

/** Hex, with a number where many zeros stand. */
export function piecesOf(bytes: Uint8Array): Pieces {
  const pieces: (string | number)[] = [];
  let start = 0;
  for (let at = 0; at < bytes.length;) {
    let end = at;
    while (bytes[end] === 0) end += 1;
    if (end - at >= MANY) {
      if (at > start) pieces.push(hex(bytes.subarray(start, at)));
      pieces.push(end - at);
      start = end;
    }
    at = end + 1;
  }
  if (start < bytes.length) pieces.push(hex(bytes.subarray(start)));
  return pieces;
}

const refuses = (
  name: string,
  says: string,
  refused: string,
  ciphertext: Uint8Array,
  rule = RULE,
): FloeVector => ({
  name,
  rule,
  says,
  keyHex: hex(KEY),
  aadHex: hex(AAD),
  ciphertext: piecesOf(ciphertext),
  expect: { refused },
});

/** What the independent reader finds must be so many bytes. */
function opens(name: string, says: string, sizeBytes: number, ciphertext: Uint8Array): FloeVector {
  const opened = openFloe(KEY, AAD, ciphertext);
  if (opened.length !== sizeBytes) throw new Error(`${name}: ${String(opened.length)} bytes`);
  const expect = { sizeBytes, sha256Hex: hex(sha256(opened)) };
  return {
    name,
    rule: RULE,
    says,
    keyHex: hex(KEY),
    aadHex: hex(AAD),
    ciphertext: piecesOf(ciphertext),
    expect,
  };
}

const small = sealFloe(KEY, AAD, utf8('nine bytes'), 'small');
const with10 = (parameters: Bytes): Bytes => {
  const writer = new FloeWriter(KEY, AAD, 'parameters', parameters);
  return concat(writer.header, writer.segment(0, utf8('a')));
};
/** A ciphertext of one segment that is written otherwise. */
const one = (label: string, faults: SegmentFaults): Bytes => {
  const writer = new FloeWriter(KEY, AAD, label);
  return concat(writer.header, writer.segment(0, utf8('a segment'), faults));
};
/** One of two or more segments, all zeros but for their ends. */
const large = (label: string, build: (writer: FloeWriter) => readonly Uint8Array[]): Bytes => {
  const writer = new FloeWriter(KEY, AAD, label);
  return concat(writer.header, ...build(writer));
};
const inner: SegmentFaults = { isLast: false };

export const floeVectors = (): FloeVector[] => [
  opens('small', 'one segment', 10, small),
  opens('empty', 'nothing at all', 0, sealFloe(KEY, AAD, new Uint8Array(0), 'empty')),
  opens(
    'two-segments',
    'an inner segment and a last one',
    WHOLE + 100,
    large('two', (w) => [w.zeros(0, WHOLE, inner), w.zeros(1, 100)]),
  ),
  opens(
    'empty-last',
    'an empty last segment after another one: no writer makes it, a reader takes it',
    WHOLE,
    large('empty last', (w) => [w.zeros(0, WHOLE, inner), w.zeros(1, 0)]),
  ),
  opens(
    'whole-last',
    'a last segment that is whole',
    WHOLE,
    large('whole', (w) => [w.zeros(0, WHOLE)]),
  ),
  refuses('nothing', 'no byte', 'ciphertext_truncated', new Uint8Array(0)),
  refuses('header-cut', 'a header of 73 bytes', 'ciphertext_truncated', small.subarray(0, 73)),
  refuses(
    'header-cut-parameters',
    'other parameters in a header of 73 bytes: the length is looked at first',
    'ciphertext_truncated',
    flipped(small, 0).subarray(0, 73),
  ),
  refuses('header-alone', 'a header without a segment', 'ciphertext_truncated', small.subarray(0, 74)),
  refuses(
    'header-alone-tag',
    'a header of another key without a segment: its tag is looked at before what follows it',
    'key_mismatch',
    flipped(small, 73).subarray(0, 74),
  ),
  refuses(
    'parameters-aead',
    'another AEAD in the parameters, with a header tag that fits them',
    'format_malformed',
    with10(concat(Uint8Array.of(1, 0), PARAMETERS.subarray(2))),
  ),
  refuses(
    'parameters-hash',
    'another hash in the parameters',
    'format_malformed',
    with10(concat(Uint8Array.of(0, 1), PARAMETERS.subarray(2))),
  ),
  refuses(
    'parameters-segment',
    'segments of 4096 bytes, with all tags right',
    'format_malformed',
    with10(concat(new Uint8Array(2), u32be(4096), u32be(32))),
  ),
  refuses(
    'parameters-iv',
    'an IV of 16 bytes in the parameters',
    'format_malformed',
    with10(concat(new Uint8Array(2), u32be(524_288), u32be(16))),
  ),
  refuses(
    'parameters-and-tag',
    'other parameters and a wrong header tag: the parameters are looked at first',
    'format_malformed',
    flipped(flipped(small, 1), 60),
  ),
  refuses('iv', 'another IV', 'key_mismatch', flipped(small, 10)),
  refuses('header-tag', 'another first byte of the header tag', 'key_mismatch', flipped(small, 42)),
  refuses('header-tag-end', 'another last byte of the header tag', 'key_mismatch', flipped(small, 73)),
  refuses('key', 'another key', 'key_mismatch', sealFloe(flipped(KEY, 0), AAD, utf8('a'), 'key')),
  refuses(
    'aad',
    'another AAD',
    'key_mismatch',
    sealFloe(KEY, aad('content', 'vault', 'blob', 1), utf8('a'), 'aad'),
  ),
  refuses('aad-empty', 'no AAD', 'key_mismatch', sealFloe(KEY, new Uint8Array(0), utf8('a'), 'no aad')),
  refuses('segment-31', 'a last segment of 31 bytes', 'ciphertext_truncated', small.subarray(0, 74 + 31)),
  refuses('ciphertext', 'a changed byte of ciphertext', 'segment_corrupt', flipped(small, 74 + 16)),
  refuses('tag', 'a changed byte of the tag', 'segment_corrupt', flipped(small, -1)),
  refuses('nonce', 'another nonce', 'segment_corrupt', flipped(small, 74 + 4)),
  refuses(
    'mark-inner',
    'a last segment that begins as an inner one',
    'ciphertext_truncated',
    one('mark', { mark: 0xffffffff }),
  ),
  refuses('mark-0', 'a last segment that says it has 0 bytes', 'segment_corrupt', one('mark 0', { mark: 0 })),
  refuses(
    'mark-31',
    'a last segment that says it has 31 bytes',
    'segment_corrupt',
    one('mark 31', { mark: 31 }),
  ),
  refuses(
    'mark-less',
    'a last segment that says it has a byte less',
    'ciphertext_overlong',
    one('less', { mark: 40 }),
  ),
  refuses(
    'mark-more',
    'a last segment that says it has a byte more',
    'ciphertext_truncated',
    one('more', { mark: 42 }),
  ),
  refuses(
    'mark-large',
    'a last segment that says it has more bytes than any',
    'segment_corrupt',
    one('large', { mark: 524_289 }),
  ),
  refuses('cut', 'the last byte is missing', 'ciphertext_truncated', small.subarray(0, -1)),
  refuses(
    'overlong',
    'a byte after the last segment',
    'ciphertext_overlong',
    concat(small, Uint8Array.of(0)),
  ),
  refuses(
    'not-last',
    'a last segment whose tag says that it is an inner one',
    'segment_corrupt',
    one('not last', { aadIsLast: false }),
  ),
  refuses(
    'another-index',
    'segment 0 with the tag of segment 1',
    'segment_corrupt',
    one('index', { aadIndex: 1 }),
  ),
  refuses(
    'cut-segment',
    'the last segment is missing, and the inner one stands last',
    'ciphertext_truncated',
    large('two', (w) => [w.zeros(0, WHOLE, inner)]),
  ),
  refuses(
    'inner-is-last',
    'an inner segment whose tag says that it is the last one',
    'segment_corrupt',
    large('inner last', (w) => [w.zeros(0, WHOLE, { isLast: false, aadIsLast: true }), w.zeros(1, 0)]),
  ),
  refuses(
    'inner-marked-last',
    'an inner segment that begins with its length',
    'ciphertext_overlong',
    large('inner marked', (w) => [w.zeros(0, WHOLE, { isLast: false, mark: 524_288 }), w.zeros(1, 0)]),
  ),
  refuses(
    'inner-mark',
    'an inner segment that begins with a length that no segment has',
    'segment_corrupt',
    large('inner mark', (w) => [w.zeros(0, WHOLE, { isLast: false, mark: 0xfffffffe }), w.zeros(1, 0)]),
  ),
  refuses(
    'whole-and-more',
    'a byte after a last segment that is whole',
    'ciphertext_overlong',
    large('whole', (w) => [w.zeros(0, WHOLE), Uint8Array.of(0)]),
  ),
  refuses(
    'swapped',
    'two inner segments in each other’s place',
    'segment_corrupt',
    large('swapped', (w) => [w.zeros(1, WHOLE, inner), w.zeros(0, WHOLE, inner), w.zeros(2, 0)]),
  ),
  refuses(
    'twice',
    'an inner segment twice',
    'segment_corrupt',
    large('twice', (w) => [w.zeros(0, WHOLE, inner), w.zeros(0, WHOLE, inner), w.zeros(1, 0)]),
  ),
  refuses(
    'second-corrupt',
    'a first segment that is right before a last one that is not: nothing of either is given out',
    'segment_corrupt',
    large('second', (w) => [w.zeros(0, WHOLE, inner), flipped(w.zeros(1, 40), -1)]),
  ),
];
