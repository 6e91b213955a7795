import { describe, expect, it } from 'vitest';
import { concat, equalBytes, utf8 } from '../../src/lib/bytes.ts';
import { createSealer, open } from '../../src/lib/crypto/floe.ts';
import { PartBuffers } from '../../src/lib/transfer/memory.ts';
import { largestPartBytes, planBlob } from '../../src/lib/transfer/plan.ts';
import { sealPart } from '../../src/lib/transfer/upload/sealing.ts';

const KEY = new Uint8Array(32).fill(7);
const AAD = utf8('context');

function pattern(sizeBytes: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: sizeBytes }, (_, index) => (7 * index + 3) % 251);
}

async function seal(source: Blob, plannedBytes: number): Promise<Uint8Array> {
  const sealer = await createSealer(KEY, AAD);
  return sealPart(source, sealer, planBlob(plannedBytes), 1, new PartBuffers(1000));
}

describe('sealing a file part by part', () => {
  it.each([0, 1, 524_256, 524_257, 9_000_001])(
    'gives one FLOE ciphertext of %d bytes and their padding',
    async (sizeBytes) => {
      const content = pattern(sizeBytes);
      const plan = planBlob(sizeBytes);
      const sealer = await createSealer(KEY, AAD);
      const parts = [];
      // One buffer for all: what it held of the part before must not show.
      const buffers = new PartBuffers(largestPartBytes(plan));
      for (let partNumber = 1; partNumber <= plan.partCount; partNumber++) {
        const bytes = await sealPart(new Blob([content]), sealer, plan, partNumber, buffers);
        parts.push(bytes.slice());
        buffers.giveBack(bytes);
      }
      const opened = await open(KEY, AAD, concat(...parts));
      const expected = concat(content, new Uint8Array(plan.paddedBytes - sizeBytes));
      expect(equalBytes(opened, expected)).toBe(true);
    },
  );

  it('refuses a source whose size is not the planned one', async () => {
    await expect(seal(new Blob([pattern(11)]), 10)).rejects.toMatchObject({ code: 'source_changed' });
  });

  it('calls a source that can no longer be read changed', async () => {
    const gone = new Blob([pattern(10)]);
    gone.slice = () =>
      ({ arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotReadableError')) }) as Blob;
    await expect(seal(gone, 10)).rejects.toMatchObject({ code: 'source_changed' });
  });

  // Chromium gives a file that is gone the size 0: there is nothing of it to be read, and reading it says so all the
  // same.
  it('calls an empty source that cannot be read changed', async () => {
    const gone = new Blob([]);
    gone.arrayBuffer = () => Promise.reject(new DOMException('gone', 'NotFoundError'));
    gone.slice = () => new Blob([]);
    await expect(seal(gone, 0)).rejects.toMatchObject({ code: 'source_changed' });
  });

  it('refuses a source that has something to read, whatever size it says', async () => {
    const lying = new Blob([]);
    lying.arrayBuffer = () => Promise.resolve(pattern(3).buffer);
    lying.slice = () => new Blob([]);
    await expect(seal(lying, 0)).rejects.toMatchObject({ code: 'source_changed' });
  });
});
