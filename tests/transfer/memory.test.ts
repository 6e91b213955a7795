import { describe, expect, it } from 'vitest';
import { release } from '../../src/lib/bytes.ts';
import { PartBuffers, reportGarbage } from '../../src/lib/transfer/memory.ts';

describe('memory that is worked on in megabytes', () => {
  it('is gone once it is released, for every view of it', () => {
    const whole = new Uint8Array(1_000_000).fill(1);
    const view = whole.subarray(10, 20);
    release(view);
    expect([whole.length, view.length, whole.buffer.byteLength]).toEqual([0, 0, 0]);
  });

  it('is taken again after it was given back, and not before', () => {
    const buffers = new PartBuffers(100);
    const first = buffers.take(100);
    const second = buffers.take(100);
    expect(second.buffer).not.toBe(first.buffer);
    buffers.giveBack(first);
    const third = buffers.take(7);
    expect(third.buffer).toBe(first.buffer);
    expect(third.length).toBe(7);
  });

  it('is refused beyond the capacity', () => {
    expect(() => new PartBuffers(100).take(101)).toThrow(RangeError);
  });

  it.each([0, 1, 8 * 1024 * 1024])('is reported as garbage in any size, %d bytes say', (sizeBytes) => {
    for (let count = 0; count < 100; count++)
      expect(() => {
        reportGarbage(sizeBytes);
      }).not.toThrow();
  });
});
