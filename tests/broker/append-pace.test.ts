import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { DeviceId } from '$contract/ids.ts';
import { LIMITS } from '$contract/limits.ts';
import { type AppendCount, counted, secondsToWait } from '../../broker/domain/vault/append-pace.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const device = v.parse(DeviceId, 'ZGV2aWNlAAAAAAAAAAAAAQ');
const other = v.parse(DeviceId, 'ZGV2aWNlAAAAAAAAAAAAAg');
const BYTES = 700;

/** Appends as often as it is let, moving on as it is told to wait. @returns how many until the time is over */
function appendUntil(
  endMs: number,
  bytes = BYTES,
  isGranted = false,
): { written: number; counts: AppendCount[] } {
  let counts: AppendCount[] = [];
  let written = 0;
  for (let nowMs = 0; nowMs < endMs;) {
    const waitSeconds = secondsToWait(counts, { device, bytes }, nowMs, isGranted);
    nowMs += waitSeconds * 1000;
    if (waitSeconds > 0) continue;
    counts = counted(counts, [{ device, bytes }], nowMs);
    written += 1;
    if (isGranted) nowMs += 1;
  }
  return { written, counts };
}

describe('how fast a device may append', () => {
  it('is thirty at once, and then one a second', () => {
    let counts: AppendCount[] = [];
    for (let written = 0; written < LIMITS.segmentBurst; written++) {
      expect(secondsToWait(counts, { device, bytes: BYTES }, 0, false)).toBe(0);
      counts = counted(counts, [{ device, bytes: BYTES }], 0);
    }
    expect(secondsToWait(counts, { device, bytes: BYTES }, 0, false)).toBe(1);
    expect(secondsToWait(counts, { device, bytes: BYTES }, 1000, false)).toBe(0);
    expect(secondsToWait(counts, { device: other, bytes: BYTES }, 0, false)).toBe(0);
    expect(secondsToWait(counts, { device, bytes: BYTES }, 0, true)).toBe(0);
  });

  it('is a thousand in a day, and 4 MiB', () => {
    expect(appendUntil(DAY_MS).written).toBe(LIMITS.segmentsPerDay);
    expect(appendUntil(DAY_MS, 1024 * 1024).written).toBe(4);
    expect(appendUntil(2 * DAY_MS - 1000, 1024 * 1024).written).toBe(8);
  });

  it('is 64 MiB in a day with a grant, in any number', () => {
    expect(appendUntil(2000).written).toBe(LIMITS.segmentBurst + 1);
    expect(appendUntil(2000, BYTES, true).written).toBe(2000);
    expect(appendUntil(DAY_MS, 1024 * 1024, true).written).toBe(64);
  });

  it('is forgotten a day after it began to be counted', () => {
    const { counts } = appendUntil(DAY_MS - 1);
    expect(counted(counts, [{ device: other, bytes: BYTES }], 2 * DAY_MS)).toHaveLength(1);
  });
});
