import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { formatCountdown, formatRate, formatSize, percent } from '../../src/lib/ui/format.ts';
import { counted } from '../../src/lib/ui/texts/en/counting.ts';
import { formatAdded, formatTimeLeft, formatWait } from '../../src/lib/ui/texts/en/times.ts';

describe('sizes', () => {
  it.each([
    [0, '0 B'],
    [1, '1 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [9_949, '9.9 kB'],
    [9_950, '10 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [300_000_000, '300 MB'],
    [5_000_000_000, '5.0 GB'],
    [1024 ** 4, '1.1 TB'],
    [2e18, '2000000 TB'],
  ])('writes %d bytes as %s', (sizeBytes, text) => {
    expect(formatSize(sizeBytes)).toBe(text);
  });

  it('never writes more than three figures below a petabyte', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999e12 }), (sizeBytes) => {
        const figures = formatSize(sizeBytes).replaceAll(/\D/g, '');
        expect(figures.length).toBeLessThanOrEqual(3);
      }),
      { seed: 20261121 },
    );
  });
});

describe('rates', () => {
  it.each([
    [0, '0.0 MB/s'],
    [9_940_000, '9.9 MB/s'],
    [9_960_000, '10 MB/s'],
    [206_000_000, '206 MB/s'],
  ])('writes %d bytes per second as %s', (rate, text) => {
    expect(formatRate(rate)).toBe(text);
  });
});

describe('time left', () => {
  it.each([
    [0, 'a moment left'],
    [2.9, 'a moment left'],
    [3, '5 s left'],
    [12, '10 s left'],
    [57.4, '55 s left'],
    [57.5, '1 min left'],
    [89, '1 min left'],
    [90, '2 min left'],
    [59 * 60, '59 min left'],
    [3600, '1 h left'],
    [2 * 3600 + 20 * 60, '2 h 15 min left'],
  ])('writes %d seconds as %s', (seconds, text) => {
    expect(formatTimeLeft(seconds)).toBe(text);
  });
});

describe('waits', () => {
  it.each([
    [0, '1 second'],
    [1, '1 second'],
    [1.2, '2 seconds'],
    [89, '89 seconds'],
    [90, '2 minutes'],
    [3600, '1 hour'],
    [3601, '61 minutes'],
    [86_400, '24 hours'],
  ])('writes %d seconds as %s', (seconds, text) => {
    expect(formatWait(seconds)).toBe(text);
  });

  it('never tells people to come back too early', () => {
    const secondsOf = { second: 1, minute: 60, hour: 3600 };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200_000 }), (seconds) => {
        const [count = '', unit = ''] = formatWait(seconds).split(' ');
        const told = Number(count) * secondsOf[unit.replace(/s$/, '') as keyof typeof secondsOf];
        expect(told).toBeGreaterThanOrEqual(seconds);
      }),
      { seed: 20261121 },
    );
  });
});

describe('the clock of a grant', () => {
  it.each([
    [-1, '0:00'],
    [0, '0:00'],
    [1, '0:01'],
    [7_000, '0:07'],
    [60_000, '1:00'],
    [272_000, '4:32'],
    [300_000, '5:00'],
  ])('writes %d ms as %s', (leftMs, text) => {
    expect(formatCountdown(leftMs)).toBe(text);
  });
});

describe('shares', () => {
  it.each([
    [0, 0, 100],
    [0, 10, 0],
    [999, 1000, 99],
    [1000, 1000, 100],
    [1100, 1000, 100],
  ])('of %d in %d are %d percent', (done, total, share) => {
    expect(percent(done, total)).toBe(share);
  });
});

describe('days', () => {
  const now = new Date(2026, 10, 21, 15, 0).getTime();

  it('names today and yesterday, and the year only when it is another', () => {
    expect(formatAdded(new Date(2026, 10, 21, 0, 1).getTime(), now)).toMatch(/^Today, /);
    expect(formatAdded(new Date(2026, 10, 20, 23, 59).getTime(), now)).toMatch(/^Yesterday, /);
    expect(formatAdded(new Date(2026, 2, 3).getTime(), now)).not.toContain('2026');
    expect(formatAdded(new Date(2025, 2, 3).getTime(), now)).toContain('2025');
  });
});

it('counts one, many, and none', () => {
  expect([0, 1, 2, 100_000].map((count) => counted(count, 'file'))).toEqual([
    '0 files',
    '1 file',
    '2 files',
    '100,000 files',
  ]);
});
