import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  HEADER_BYTES,
  SEGMENT_BYTES,
  SEGMENT_PLAINTEXT_BYTES,
  sealedSize,
} from '../../src/lib/crypto/floe.ts';
import { paddedSize } from '../../src/lib/crypto/padding.ts';
import { planBlob, planPart, planStored, type BlobPlan } from '../../src/lib/transfer/plan.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

function allParts(plan: BlobPlan) {
  return Array.from({ length: plan.partCount }, (_, index) => planPart(plan, index + 1));
}

describe('the plan of a blob', () => {
  it.each([
    { sizeBytes: 0, partCount: 1 },
    { sizeBytes: 1, partCount: 1 },
    { sizeBytes: SEGMENT_PLAINTEXT_BYTES, partCount: 1 },
    { sizeBytes: 8 * MIB, partCount: 2 },
    { sizeBytes: 300 * MIB, partCount: 39 },
    { sizeBytes: 5 * GIB, partCount: 641 },
  ])('puts $sizeBytes bytes into $partCount parts', ({ sizeBytes, partCount }) => {
    expect(planBlob(sizeBytes).partCount).toBe(partCount);
  });

  it('keeps within 10,000 parts by larger parts, and refuses beyond 1 TiB', () => {
    const plan = planBlob(500 * GIB);
    expect(plan.partCount).toBeLessThanOrEqual(10_000);
    expect(plan.partBytes).toBe(64 * MIB);
    expect(() => planBlob(1025 * GIB)).toThrow(expect.objectContaining({ code: 'file_too_large' }));
  });

  it('covers plaintext and ciphertext without gap or overlap, in parts that S3 takes, for any size', () => {
    const anySize = fc.oneof(
      fc.integer({ min: 0, max: 64 * MIB }),
      fc.maxSafeNat().map((n) => n % (20 * GIB)),
    );
    const check = (sizeBytes: number) => {
      const plan = planBlob(sizeBytes);
      let [offsetBytes, plaintextOffsetBytes, segments] = [0, 0, 0];
      const parts = [...allParts(plan)];
      for (const part of parts) {
        expect(part).toMatchObject({ offsetBytes, plaintextOffsetBytes, firstSegmentIndex: segments });
        const header = part.partNumber === 1 ? HEADER_BYTES : 0;
        expect(part.sizeBytes).toBe(header + part.plaintextBytes + part.segmentCount * 32);
        offsetBytes += part.sizeBytes;
        plaintextOffsetBytes += part.plaintextBytes;
        segments += part.segmentCount;
      }
      const [, ...behindFirst] = parts.slice(0, -1).map(({ sizeBytes: size }) => size);
      expect(behindFirst).toEqual(behindFirst.map(() => plan.partBytes));
      expect(parts[0]?.sizeBytes).toBe(parts.length > 1 ? HEADER_BYTES + plan.partBytes : plan.sealedBytes);
      expect([offsetBytes, plaintextOffsetBytes, segments]).toEqual([
        plan.sealedBytes,
        plan.paddedBytes,
        plan.segmentCount,
      ]);
      expect(plan.sealedBytes).toBe(sealedSize(paddedSize(sizeBytes)));
      expect(planStored(plan)).toEqual(plan);
    };
    fc.assert(fc.property(anySize, check), { seed: 7, numRuns: 30 });
  });

  it.each([0, -1, 1.5, 3])('refuses part %d of two', (partNumber) => {
    expect(() => planPart(planBlob(8 * MIB), partNumber)).toThrow(RangeError);
  });

  it.each([
    { change: 'a byte less', version: { sealedBytes: -1 } },
    { change: 'parts that are no whole segments', version: { partBytes: 1 } },
  ])('refuses a stored version whose sizes do not fit: $change', ({ version }) => {
    const plan = planBlob(9 * MIB);
    const pinned = {
      sizeBytes: plan.sizeBytes,
      sealedBytes: plan.sealedBytes + ('sealedBytes' in version ? version.sealedBytes : 0),
      partBytes: plan.partBytes + ('partBytes' in version ? version.partBytes : 0),
    };
    expect(() => planStored(pinned)).toThrow(expect.objectContaining({ code: 'format_malformed' }));
    expect(plan.partBytes % SEGMENT_BYTES).toBe(0);
  });
});
