import { describe, expect, it } from 'vitest';
import { dollarsOf, longestChain, type Trip } from './chain.ts';

const trip = (startMs: number, endMs: number, kind: Trip['kind'] = 's3-read'): Trip => ({
  ...{ kind, name: `${String(startMs)}–${String(endMs)}`, startMs, endMs },
});
const chainOf = (...trips: Trip[]) => longestChain(trips).map(({ name }) => name);

describe('the longest chain', () => {
  it('is of requests of which no two overlap', () => {
    expect(chainOf()).toEqual([]);
    expect(chainOf(trip(0, 10), trip(10, 20), trip(20, 30))).toEqual(['0–10', '10–20', '20–30']);
    expect(chainOf(trip(0, 10), trip(1, 9), trip(2, 8))).toHaveLength(1);
  });

  it('goes through the short ones beside a long one', () => {
    expect(chainOf(trip(0, 100), trip(0, 10), trip(20, 30), trip(40, 50))).toEqual([
      '0–10',
      '20–30',
      '40–50',
    ]);
  });

  it('has at most the last of what is still under way', () => {
    expect(chainOf(trip(0, 10), trip(12, Infinity), trip(15, Infinity))).toHaveLength(2);
  });
});

it('costs what the list says', () => {
  expect(
    dollarsOf([trip(0, 1, 's3-write'), trip(0, 1, 's3-list'), trip(0, 1), trip(0, 1, 'kms')]),
  ).toBeCloseTo(13.4e-6, 12);
});
