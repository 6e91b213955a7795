import { beforeAll, expect } from 'vitest';
import { concat, equalBytes, type Bytes } from '../../../src/lib/bytes.ts';
import { HEADER_BYTES, SEGMENT_BYTES, SEGMENT_PLAINTEXT_BYTES } from '../../../src/lib/crypto/floe.ts';
import { patternBytes } from '../../crypto/floe-vectors.ts';
import { Client } from '../support/client.ts';
import { row, type Trial } from '../support/row.ts';
import {
  downloadServed,
  flipped,
  newSubject,
  randomOf,
  readServed,
  segmentsOf,
  type Subject,
} from '../support/subject.ts';
import { setUpHostileWorld } from '../support/world.ts';

// Group A: a store that serves damaged bytes, along the whole way from S3 to what a download is given.

const world = setUpHostileWorld();
let ada: Client;
/** Five segments, the last one short. */
let large: Subject;
let small: Subject;

beforeAll(async () => {
  ada = await Client.signUp(world, 'ada');
  large = await newSubject(ada, 'large.bin', patternBytes(4 * SEGMENT_PLAINTEXT_BYTES + 65_536));
  small = await newSubject(ada, 'small.bin', patternBytes(96));
  expect(segmentsOf(large.sealed)).toHaveLength(5);
});

/** One variant: refused, and what was given out before is a beginning of the content, of whole segments. */
async function refusedAs(
  t: Trial,
  subject: Subject,
  served: Bytes,
  codes: RegExp,
  soundSegments = 0,
  read = readServed,
): Promise<void> {
  const { bytes, error } = await read(ada, subject, served);
  expect(error).toMatch(codes);
  expect(bytes.length).toBeLessThanOrEqual(soundSegments * SEGMENT_PLAINTEXT_BYTES);
  expect(equalBytes(bytes, subject.content.subarray(0, bytes.length))).toBe(true);
  t.vary(1);
  t.refused(error ?? '');
}

row(
  'A1',
  { attack: 'segment reorder or swap', tried: 'every pair of a five-segment object, swapped in S3' },
  async (t) => {
    for (let i = 0; i < 5; i++) {
      for (let j = i + 1; j < 5; j++) {
        const segments = segmentsOf(large.sealed);
        [segments[i], segments[j]] = [segments[j]!, segments[i]!];
        const served = concat(large.sealed.subarray(0, HEADER_BYTES), ...segments);
        await refusedAs(t, large, served, /^(segment_corrupt|ciphertext_)/, i, downloadServed);
      }
    }
  },
);

row(
  'A2',
  {
    attack: 'truncation',
    tried: 'cut at every segment boundary and a byte before and behind; a small one at each byte',
  },
  async (t) => {
    const ends = [
      0,
      1,
      HEADER_BYTES - 1,
      ...[0, 1, 2, 3, 4].map((count) => HEADER_BYTES + count * SEGMENT_BYTES),
    ];
    const cuts = [...ends.flatMap((end) => [end - 1, end, end + 1]), large.sealed.length - 1].filter(
      (cut) => cut >= 0,
    );
    for (const cut of cuts) {
      const served = large.sealed.subarray(0, cut);
      await refusedAs(t, large, served, /^ciphertext_truncated$/, 0, downloadServed);
    }
    for (let cut = 0; cut < small.sealed.length; cut += t.full ? 1 : 5) {
      await refusedAs(t, small, small.sealed.subarray(0, cut), /^ciphertext_truncated$/);
    }
  },
);

row(
  'A3',
  {
    attack: 'bytes after the end',
    tried: 'one byte, 16, a valid first, inner or last segment, a whole second ciphertext',
  },
  async (t) => {
    const segments = segmentsOf(large.sealed);
    const tails = [
      new Uint8Array(1),
      new Uint8Array(16),
      segments[0]!,
      segments[2]!,
      segments[4]!,
      large.sealed,
    ];
    for (const tail of tails) {
      const served = concat(large.sealed, tail);
      // A store that sends more than was asked for; asked for a range it sends the very bytes that are pinned.
      const { bytes, error } = await downloadServed(ada, large, served, (body) => ({
        kind: 'answer',
        reply: { status: 206, headers: {}, body: Buffer.from(body) },
      }));
      expect(error).toBe('ciphertext_overlong');
      expect(bytes).toHaveLength(0);
      t.vary(1);
      t.refused('ciphertext_overlong');
    }
    const { bytes } = await downloadServed(ada, large, concat(large.sealed, new Uint8Array(100)));
    expect(equalBytes(bytes, large.content)).toBe(true);
    t.vary(1);
    t.held('what lies behind the pinned length is never asked for');
  },
);

row(
  'A4',
  {
    attack: 'bits flipped',
    tried: 'each bit of a small object, random bits of a large one, random bytes written over it',
  },
  async (t) => {
    const step = t.full ? 1 : 7;
    for (let bit = 0; bit < 8 * small.sealed.length; bit += step) {
      const code =
        bit < 80
          ? /^format_malformed$/
          : bit < 8 * HEADER_BYTES
            ? /^key_mismatch$/
            : /^(segment_corrupt|ciphertext_)/;
      await refusedAs(t, small, flipped(small.sealed, bit), code);
    }
    const random = randomOf(4);
    for (let count = 0; count < (t.full ? 1500 : 12); count++) {
      const bit = Math.floor(random() * 8 * large.sealed.length);
      const segmentIndex = Math.max(0, Math.floor((bit / 8 - HEADER_BYTES) / SEGMENT_BYTES));
      await refusedAs(t, large, flipped(large.sealed, bit), /./, segmentIndex);
    }
    for (let count = 0; count < (t.full ? 1000 : 30); count++) {
      const served = small.sealed.slice();
      const at = Math.floor(random() * served.length);
      for (let offset = at; offset < Math.min(served.length, at + 1 + random() * 40); offset++) {
        served[offset] = (served[offset] ?? 0) ^ (1 + Math.floor(random() * 255));
      }
      await refusedAs(t, small, served, /./);
    }
  },
);

row(
  'A8',
  { attack: 'other algorithm or parameters', tried: 'each of the 255 other values of the suite’s bytes' },
  async (t) => {
    for (const offset of t.full ? [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] : [0]) {
      for (let difference = 1; difference < 256; difference++) {
        const served = small.sealed.slice();
        served[offset] = (served[offset] ?? 0) ^ difference;
        await refusedAs(t, small, served, /^format_malformed$/);
      }
    }
  },
);
