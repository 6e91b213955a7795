import { expect } from 'vitest';
import { concat, equalBytes, toHex, type Bytes } from '../../../src/lib/bytes.ts';
import { sealAad } from '../../../src/lib/crypto/aad.ts';
import { HEADER_BYTES, open, SEGMENT_BYTES } from '../../../src/lib/crypto/floe.ts';
import { randomBytes } from '../../../src/lib/crypto/random.ts';
import type { StoredPart, StoredUpload } from '../../../src/lib/store/database.ts';
import type { UploadRecords } from '../../../src/lib/store/upload-records.ts';
import { planBlob } from '../../../src/lib/transfer/plan.ts';
import { Streaming } from '../../../src/lib/transfer/upload/streaming.ts';
import { idOf, VAULT } from '../../journal/world.ts';
import { row } from '../support/row.ts';

// Group A: a file that is read again for the rest of its parts, after a crash, and is not what it was.

const SIZE_BYTES = 20_000_000;
const PLAN = planBlob(SIZE_BYTES);
const BLOB = idOf('blob', 9);
const NONCE = [4, 16] as const;

/** What the device keeps of an upload that is sent from memory, and what S3 has of it. */
class Interrupted {
  readonly contentKey = randomBytes(32);
  readonly sent = new Map<number, Bytes>();
  /** Of each segment that was ever sealed, in hex. */
  readonly nonces: string[] = [];
  readonly #kept: StoredPart[] = [];
  #header: Bytes | undefined;

  /** A run of the app: compares what was sent, and sends so many of the parts that are missing. */
  async run(source: Blob, partCount: number): Promise<void> {
    const records = {
      parts: () => Promise.resolve(this.#kept),
      savePart: (_: string, part: StoredPart) => Promise.resolve(void this.#kept.push(part)),
    } as unknown as UploadRecords;
    const header = this.#header && { header: this.#header };
    const upload = { vault: VAULT, blob: BLOB, epoch: 0, ...header } as StoredUpload;
    const { signal } = new AbortController();
    const deps = { records, source, plan: PLAN, contentKey: this.contentKey, signal };
    const begun = await Streaming.begin(upload, deps);
    this.#header = begun.header;
    await begun.parts.compare();
    let made = 0;
    for (let partNumber = 1; partNumber <= PLAN.partCount && made < partCount; partNumber++) {
      if (begun.parts.known(partNumber)) continue;
      const { body } = await begun.parts.part(partNumber);
      const bytes = new Uint8Array(await body.arrayBuffer());
      for (let at = partNumber === 1 ? HEADER_BYTES : 0; at < bytes.length; at += SEGMENT_BYTES) {
        this.nonces.push(toHex(bytes.subarray(at + NONCE[0], at + NONCE[1])));
      }
      this.sent.set(partNumber, bytes);
      made += 1;
    }
  }

  /** What anyone who downloads the blob would get. */
  async content(): Promise<Bytes> {
    const parts = [...this.sent].sort(([a], [b]) => a - b).map(([, bytes]) => bytes);
    const padded = await open(this.contentKey, sealAad('content', VAULT, BLOB, 0), concat(...parts));
    return padded.subarray(0, SIZE_BYTES);
  }
}

row(
  'A9',
  {
    attack: 'the source changed between two attempts',
    tried:
      'an upload cut after each part; then one byte changed at each edge of each part (in short at half of them)',
  },
  async (t) => {
    const original = new Uint8Array(SIZE_BYTES).map((_, index) => index * 7 + (index >> 9));
    const partPlaintext = 16 * (SEGMENT_BYTES - 32);
    for (let sentParts = 1; sentParts < PLAN.partCount; sentParts++) {
      const sentBytes = sentParts * partPlaintext;
      const edges = [0, partPlaintext - 1, partPlaintext, sentBytes - 1, sentBytes, SIZE_BYTES - 1];
      for (const at of new Set(edges.filter((_, index) => t.full || index % 2 === sentParts % 2))) {
        const changed = original.slice();
        changed[at] = (changed[at] ?? 0) ^ 1;
        const upload = new Interrupted();
        await upload.run(new Blob([original]), sentParts);
        if (at < sentBytes) {
          await t.refuses(upload.run(new Blob([changed]), PLAN.partCount), 'source_changed');
          expect(upload.sent.size).toBe(sentParts);
        } else {
          // Nothing of what changed was sent: what comes of it is wholly the new state.
          await upload.run(new Blob([changed]), PLAN.partCount);
          expect(equalBytes(await upload.content(), changed)).toBe(true);
          t.vary(1);
        }
        expect(new Set(upload.nonces).size).toBe(upload.nonces.length);
      }
      const grown = new Interrupted();
      await grown.run(new Blob([original]), sentParts);
      await t.refuses(grown.run(new Blob([original, 'x']), PLAN.partCount), 'source_changed');
    }
    t.held('never a mixture, and no nonce twice under one key');
  },
);
