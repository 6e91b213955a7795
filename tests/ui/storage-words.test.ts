import { describe, expect, it } from 'vitest';
import { keptWords, lossWords } from '../../src/lib/ui/storage-words.ts';

describe('what an eviction would lose', () => {
  it('is nothing where nothing waits', () => {
    expect(lossWords({ waiting: { count: 0, sizeBytes: 0 } })).toMatch(/^Nothing here is only here/);
  });

  it('is what waits, counted and measured', () => {
    expect(lossWords({ waiting: { count: 1, sizeBytes: 1500 } })).toBe(
      '1 file (1.5 kB) waits to be uploaded. If the browser cleared this device, it would be lost.',
    );
    expect(lossWords({ waiting: { count: 3, sizeBytes: 9_400_000 } })).toBe(
      '3 files (9.4 MB) wait to be uploaded. If the browser cleared this device, they would be lost.',
    );
  });
});

describe('what is kept', () => {
  it('is said only where there is something, and that the server has it too', () => {
    expect(keptWords({ kept: { count: 0, sizeBytes: 0 } })).toBeUndefined();
    expect(keptWords({ kept: { count: 2, sizeBytes: 12_800_000 } })).toBe(
      '2 files kept on this device, 13 MB. On the server too.',
    );
  });
});
