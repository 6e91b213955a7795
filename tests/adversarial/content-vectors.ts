import { openContent } from '../reader/content.ts';
import { aad, concat, sha256, type Bytes } from '../reader/primitives.ts';
import { piecesOf } from './floe-vectors.ts';
import type { ContentVector } from './kit.ts';
import { base64, bytesOf, flipped, hex, idOf } from './writing/bytes.ts';
import { FloeWriter, sealFloe } from './writing/floe.ts';
import { VAULT } from './writing/log.ts';

const KEY = bytesOf('content key', 32);
const BLOB = idOf('blob', 1);
const EPOCH = 3;
const AAD = aad('content', VAULT, BLOB, EPOCH);
const UNIT = 524_288;
const RULE = '7';

type Version = ContentVector['version'];

/** A blob of so many bytes of plaintext, with its right version. */
function sealed(
  sizeBytes: number,
  plaintext: Uint8Array,
  label: string,
): { object: Bytes; version: Version } {
  const object = sealFloe(KEY, AAD, plaintext, label);
  return { object, version: versionOf(object, sizeBytes) };
}

function versionOf(object: Bytes, sizeBytes: number): Version {
  const digest = base64(sha256(object));
  return {
    blob: BLOB,
    epoch: EPOCH,
    sizeBytes,
    sealedBytes: object.length,
    partBytes: 8 * 1024 ** 2,
    digest,
  };
}

/** Section 7, of parts that end at these places. */
function composite(object: Bytes, ends: readonly number[]): string {
  const parts = ends.map((end, index) => sha256(object.subarray(ends[index - 1] ?? 0, end)));
  return `${base64(sha256(concat(...parts)))}-${String(ends.length)}`;
}

const text = (sizeBytes: number, paddedBytes: number): Bytes => {
  const bytes = new Uint8Array(paddedBytes);
  bytes.set(bytesOf('content', sizeBytes));
  return bytes;
};

const nine = sealed(9, text(9, 10), 'nine');
/** Of three segments: 2 · 524,256 bytes are padded to 1,048,576. */
const large = ((): { object: Bytes; version: Version } => {
  const writer = new FloeWriter(KEY, AAD, 'large');
  const object = concat(
    writer.header,
    writer.zeros(0, 524_256, { isLast: false }),
    writer.zeros(1, 524_256, { isLast: false }),
    writer.zeros(2, 64),
  );
  const ends = [74 + UNIT, 74 + 2 * UNIT, object.length];
  const version = { ...versionOf(object, 1_048_576), partBytes: UNIT, digest: composite(object, ends) };
  return { object, version };
})();

interface Made {
  readonly object: Bytes;
  readonly version: Version;
}

const vector = (
  name: string,
  says: string,
  { object, version }: Made,
  expect: ContentVector['expect'],
): ContentVector => ({
  name,
  rule: RULE,
  says,
  contentKeyHex: hex(KEY),
  version,
  object: piecesOf(object),
  expect,
});
const refuses = (name: string, says: string, refused: string, made: Made): ContentVector =>
  vector(name, says, made, { refused });
function opens(name: string, says: string, made: Made): ContentVector {
  const content = openContent(KEY, { ...made.version, vault: VAULT }, made.object);
  if (content.length !== made.version.sizeBytes) throw new Error(`${name}: ${String(content.length)} bytes`);
  return vector(name, says, made, { sizeBytes: content.length, sha256Hex: hex(sha256(content)) });
}
const other = ({ object, version }: Made, changes: Partial<Version>): Made => ({
  object,
  version: { ...version, ...changes },
});

export const contentVectors = (): ContentVector[] => [
  opens('0', 'no byte, padded to one', sealed(0, text(0, 1), '0')),
  opens('1', 'one byte', sealed(1, text(1, 1), '1')),
  opens('9', '9 bytes, padded to 10', nine),
  opens('257', '257 bytes, padded to 272', sealed(257, text(257, 272), '257')),
  opens(
    '65537',
    '65,537 bytes, padded to 67,584',
    ((): Made => {
      const writer = new FloeWriter(KEY, AAD, '65537');
      const object = concat(writer.header, writer.zeros(0, 67_584));
      return { object, version: versionOf(object, 65_537) };
    })(),
  ),
  opens(
    'padding-not-zero',
    'what is in the padding is not looked at',
    sealed(9, bytesOf('all of it', 10), 'padding'),
  ),
  opens('three-parts', 'three segments in three parts: the first part has the header in addition', large),
  refuses(
    'parts-one',
    'the same with the digest of one part',
    'digest_mismatch',
    other(large, { digest: composite(large.object, [large.object.length]) }),
  ),
  refuses(
    'parts-without-header',
    'a digest of parts of which the first does not have the header in addition',
    'digest_mismatch',
    other(large, { digest: composite(large.object, [UNIT, 2 * UNIT, large.object.length]) }),
  ),
  refuses(
    'not-padded',
    '9 bytes that are not padded, with sizes that fit the blob',
    'format_malformed',
    sealed(9, text(9, 9), 'not padded'),
  ),
  refuses(
    'padded-512',
    '9 bytes that are padded to 512',
    'format_malformed',
    sealed(9, text(9, 512), 'padded 512'),
  ),
  refuses(
    'padded-empty',
    'no byte, not padded',
    'format_malformed',
    sealed(0, new Uint8Array(0), 'padded empty'),
  ),
  refuses(
    'sealed-bytes-more',
    'a sealedBytes that is one more',
    'format_malformed',
    other(nine, { sealedBytes: 117 }),
  ),
  refuses(
    'sealed-bytes-less',
    'a sealedBytes that is one less',
    'format_malformed',
    other(nine, { sealedBytes: 115 }),
  ),
  refuses(
    'size-11',
    'a sizeBytes that is padded to 11 where the blob has 10',
    'format_malformed',
    other(nine, { sizeBytes: 11 }),
  ),
  opens('size-10', 'a sizeBytes of 10: the padding byte is content', other(nine, { sizeBytes: 10 })),
  refuses('part-bytes-0', 'a partBytes of 0', 'format_malformed', other(nine, { partBytes: 0 })),
  refuses(
    'part-bytes-1',
    'a partBytes that is no multiple of 524,288',
    'format_malformed',
    other(nine, { partBytes: UNIT + 1 }),
  ),
  refuses(
    'part-bytes-most',
    'a partBytes above 512 MiB',
    'format_malformed',
    other(nine, { partBytes: 512 * 1024 ** 2 + UNIT }),
  ),
  opens('part-bytes-512', 'a partBytes of 512 MiB', other(nine, { partBytes: 512 * 1024 ** 2 })),
  refuses('cut', 'a blob without its last byte', 'ciphertext_truncated', {
    ...nine,
    object: nine.object.slice(0, -1),
  }),
  refuses('overlong', 'a blob with a byte more', 'ciphertext_overlong', {
    ...nine,
    object: concat(nine.object, Uint8Array.of(0)),
  }),
  refuses(
    'digest',
    'another digest',
    'digest_mismatch',
    other(nine, { digest: base64(sha256(flipped(nine.object, 0))) }),
  ),
  refuses(
    'digest-of-part',
    'the digest of one part',
    'digest_mismatch',
    other(nine, { digest: base64(sha256(nine.object)) + '-1' }),
  ),
  opens(
    'digest-composite-1',
    'a composite digest of one part',
    other(nine, { digest: composite(nine.object, [nine.object.length]) }),
  ),
  refuses(
    'digest-parts',
    'a composite digest with another number of parts',
    'digest_mismatch',
    other(nine, { digest: composite(nine.object, [nine.object.length]).replace('-1', '-2') }),
  ),
  refuses(
    'epoch',
    'a blob that was sealed under another epoch',
    'key_mismatch',
    other(nine, { epoch: EPOCH + 1 }),
  ),
  refuses('blob', 'the blob of another id', 'key_mismatch', other(nine, { blob: idOf('blob', 2) })),
  refuses(
    'content',
    'a changed byte',
    'segment_corrupt',
    ((): Made => {
      const object = flipped(nine.object, -17);
      return { object, version: { ...nine.version, digest: base64(sha256(object)) } };
    })(),
  ),
];
