import { createDecipheriv } from 'node:crypto';
import { beforeAll, expect } from 'vitest';
import { concat, equalBytes, u32be, u64be, utf8, type Bytes } from '../../../src/lib/bytes.ts';
import { sealAad } from '../../../src/lib/crypto/aad.ts';
import {
  createOpener,
  createSealer,
  HEADER_BYTES,
  open,
  seal,
  SEGMENT_PLAINTEXT_BYTES,
} from '../../../src/lib/crypto/floe.ts';
import { paddedSize } from '../../../src/lib/crypto/padding.ts';
import { randomBytes } from '../../../src/lib/crypto/random.ts';
import { patternBytes } from '../../crypto/floe-vectors.ts';
import { Client } from '../support/client.ts';
import { row } from '../support/row.ts';
import { collide, floeSegmentKey } from '../support/salamander.ts';
import { downloadServed, newSubject, type Subject } from '../support/subject.ts';
import { setUpHostileWorld } from '../support/world.ts';

// Group A: content that is sound, but not the content that was asked for.

const SIZES = [1, 96, 5_000, SEGMENT_PLAINTEXT_BYTES, 700_000];
const world = setUpHostileWorld();
let ada: Client;
let subjects: Subject[];

beforeAll(async () => {
  ada = await Client.signUp(world, 'ada');
  subjects = [];
  for (const [index, sizeBytes] of [...SIZES, ...SIZES].entries()) {
    const content = patternBytes(sizeBytes).map((byte) => byte ^ index);
    subjects.push(await newSubject(ada, `file ${String(index)}`, content));
  }
});

row(
  'A5',
  {
    attack: 'cross-file splice',
    tried: 'the ciphertext of every other file of the owner, and of a neighbour, in a file’s place',
  },
  async (t) => {
    for (const [at, mine] of subjects.entries()) {
      for (const [index, other] of subjects.entries()) {
        const isTried = t.full || (at + index) % 3 === 0 || other.sealed.length === mine.sealed.length;
        if (other === mine || !isTried) continue;
        const { bytes, error } = await downloadServed(ada, mine, other.sealed);
        expect(bytes).toHaveLength(0);
        expect(error).toMatch(
          other.sealed.length === mine.sealed.length
            ? /^key_mismatch$/
            : /^(key_mismatch|ciphertext_truncated)$/,
        );
        t.vary(1);
        t.refused(error ?? '');
      }
    }
    const neighbour = await Client.signUp(world, 'neighbour');
    const theirs = await newSubject(neighbour, 'theirs', subjects[1]!.content);
    const { error } = await downloadServed(ada, subjects[1]!, theirs.sealed);
    expect(error).toBe('key_mismatch');
    t.vary(1);
    t.refused('key_mismatch');
  },
);

row(
  'A6',
  {
    attack: 'content rollback',
    tried: 'the bytes of version 1 for version 2; other bytes sealed by somebody who has the content key',
  },
  async (t) => {
    for (const first of subjects.slice(0, SIZES.length)) {
      const newer = first.content.map((byte) => byte ^ 0xff);
      const sent = await ada.addVersion(first.file, newer);
      const now = { file: first.file, sent };
      expect(equalBytes(await ada.read(first.file), newer)).toBe(true);
      const stale = await downloadServed(ada, now, first.sealed);
      expect(stale).toMatchObject({ error: 'key_mismatch', bytes: { length: 0 } });
      // The same key, the same context, a sound ciphertext: only the digest that the journal pins tells it apart.
      const padded = new Uint8Array(paddedSize(newer.length));
      const aad = sealAad('content', sent.vault, sent.blob, sent.epoch);
      const forged = await downloadServed(ada, now, await seal(sent.contentKey, aad, padded));
      expect(forged.error).toBe('digest_mismatch');
      expect(forged.bytes.length).toBeLessThan(newer.length);
      t.vary(2);
      t.refused('key_mismatch');
      t.refused('digest_mismatch');
    }
  },
);

row(
  'A7',
  {
    attack: 'one ciphertext for two keys',
    tried:
      'GCM collisions (invisible salamanders) as a segment of FLOE, behind either key’s header and with one IV in both',
  },
  async (t) => {
    const aad = utf8('salamander');
    for (let count = 0; count < (t.full ? 200 : 10); count++) {
      const [mine, theirs] = [randomBytes(32), randomBytes(32)];
      const { header } = await createSealer(mine, aad);
      const segmentAad = concat(u64be(0), Uint8Array.of(1));
      const nonce = randomBytes(12);
      const keys = [floeSegmentKey(mine, header, aad), floeSegmentKey(theirs, header, aad)] as const;
      const body = collide(keys, nonce, segmentAad, 64);
      // The collision is one: GCM alone gives two plaintexts for it.
      const plaintexts = keys.map((key) => {
        const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
        decipher.setAAD(segmentAad);
        decipher.setAuthTag(body.subarray(-16));
        return Buffer.concat([decipher.update(body.subarray(0, -16)), decipher.final()]);
      });
      expect(plaintexts[0]).not.toEqual(plaintexts[1]);
      const sealed: Bytes = concat(header, u32be(16 + body.length), nonce, body);
      expect(await open(mine, aad, sealed)).toHaveLength(64);
      await t.refuses(open(theirs, aad, sealed), 'key_mismatch');
      // Nor may both headers have one IV: each opens under its own key alone.
      const iv = header.slice(10, 42);
      const twin = (await createSealer(theirs, aad, { random: () => iv })).header;
      const twinSealed: Bytes = concat(twin, sealed.subarray(HEADER_BYTES));
      expect(await open(theirs, aad, twinSealed)).toEqual(new Uint8Array(plaintexts[1]!));
      await t.refuses(open(mine, aad, twinSealed), 'key_mismatch');
      const theirHeader = (await createSealer(theirs, aad)).header;
      await t.refuses(
        open(theirs, aad, concat(theirHeader, sealed.subarray(HEADER_BYTES))),
        'segment_corrupt',
      );
    }
  },
);

row(
  'A10',
  {
    attack: 'a generator that repeats itself',
    tried: 'a cloned state: each of 1 to 8 outputs comes again, for ids, nonces and IVs',
  },
  async (t) => {
    const real = crypto.getRandomValues.bind(crypto);
    for (let outputs = 1; outputs <= 8; outputs++) {
      const fixed = Array.from({ length: outputs }, () => real(new Uint8Array(64)));
      let call = 0;
      crypto.getRandomValues = (target: Uint8Array) => {
        target.set(fixed[call++ % outputs]!.subarray(0, target.length));
        return target;
      };
      try {
        const sealing = (async () => {
          for (let count = 0; count <= outputs; count++)
            await seal(new Uint8Array(32).fill(outputs), utf8('x'), new Uint8Array(9));
        })();
        await t.refuses(sealing, 'browser_lacks');
      } finally {
        crypto.getRandomValues = real;
      }
    }
  },
);

row(
  'A12',
  {
    attack: 'counters beyond 2^20 segments and 2^32 bytes',
    tried: 'segments around each rotation, moved to their like of another',
  },
  async (t) => {
    const key = randomBytes(32);
    const aad = utf8('counter');
    // Segments of 64 bytes, so that an index is all that is large; the arithmetic of indices and keys is the same.
    const parameters = { segmentBytes: 64 };
    const sealer = await createSealer(key, aad, { parameters });
    const opener = await createOpener(key, aad, sealer.header, { parameters });
    const plaintext = patternBytes(32);
    const indices = [
      0,
      1,
      2 ** 20 - 1,
      2 ** 20,
      2 ** 20 + 1,
      2 ** 21,
      2 ** 32 - 1,
      2 ** 32,
      2 ** 32 + 1,
      2 ** 40 - 1,
    ];
    for (const index of indices) {
      const sealed = await sealer.sealSegment(index, plaintext, false);
      expect(await opener.openSegment(index, sealed, false)).toEqual(plaintext);
      for (const other of indices) {
        if (other !== index) await t.refuses(opener.openSegment(other, sealed, false), 'segment_corrupt');
      }
    }
    await expect(sealer.sealSegment(2 ** 40, plaintext, false)).rejects.toThrow(RangeError);
  },
);

row(
  'A14',
  {
    attack: 'previews of documents',
    tried: 'SVG, HTML, PDF, archives and scripts by type; images and texts beyond their caps',
  },
  async (t) => {
    const documents = [
      'image/svg+xml',
      'application/xhtml+xml',
      'application/pdf',
      'application/zip',
      'application/javascript',
      'application/x-shockwave-flash',
      'multipart/related',
      'image/svg+xml;charset=utf-8',
      'IMAGE/PNG',
      'video/mp4',
    ];
    for (const mediaType of documents) {
      const { file } = await ada.upload('document', utf8('<svg onload=alert(1)>'), mediaType);
      ada.browser.sent.length = 0;
      expect(await ada.downloads.preview(file)).toEqual({ kind: 'none' });
      // Not even a key is asked for.
      expect(ada.browser.sent).toEqual([]);
      t.vary(1);
    }
    const { file } = await ada.upload('page.html', utf8('<script>alert(1)</script>'), 'text/html');
    expect(await ada.downloads.preview(file)).toEqual({ kind: 'text', text: '<script>alert(1)</script>' });
    const bomb = await ada.upload('bomb.png', new Uint8Array(1), 'image/png');
    const huge = ada.journal.state.newestVersion(bomb.file)!;
    const { isPreviewable } = await import('../../../src/lib/transfer/download/preview.ts');
    for (const [mediaType, sizeBytes] of [
      ['image/png', 2 ** 25 + 1],
      ['text/plain', 2 ** 20 + 1],
    ] as const) {
      expect(isPreviewable({ ...huge, mediaType, sizeBytes })).toBe(false);
      t.vary(1);
    }
    t.vary(1);
    t.held('documents are never decoded, HTML is text, nothing beyond its cap is fetched');
  },
);
