import * as v from 'valibot';
import { Count, DeviceId } from '../../contract/ids.ts';
import { LIMITS } from '../../contract/limits.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const SEGMENT_MS = 1000 / LIMITS.segmentsPerSecond;

/** What a device has appended of late: kept beside the head, so that counting costs no request of its own. */
export const AppendCount = v.strictObject({
  device: DeviceId,
  /** When the device will have been silent for long enough to begin a whole burst again (GCRA, ITU-T I.371 annex A). */
  evenAtMs: Count,
  /** Since then are counted: */
  sinceMs: Count,
  segments: Count,
  bytes: Count,
});
export type AppendCount = v.InferOutput<typeof AppendCount>;

/** One segment that was written. */
export interface Appended {
  readonly device: DeviceId;
  readonly bytes: number;
}

/** The counts with these segments, and without those of devices that have been silent for a day. */
export function counted(
  counts: readonly AppendCount[],
  appended: readonly Appended[],
  nowMs: number,
): AppendCount[] {
  const live = new Map(
    counts.filter(({ sinceMs }) => nowMs < sinceMs + DAY_MS).map((count) => [count.device, count]),
  );
  for (const { device, bytes } of appended) {
    const before = live.get(device) ?? { device, evenAtMs: nowMs, sinceMs: nowMs, segments: 0, bytes: 0 };
    live.set(device, {
      ...before,
      evenAtMs: Math.max(before.evenAtMs, nowMs) + SEGMENT_MS,
      segments: before.segments + 1,
      bytes: before.bytes + bytes,
    });
  }
  return [...live.values()];
}

/**
 * How long a device has to wait before it may append so many bytes.
 * @param isGranted whether a code was just typed there
 * @returns seconds; 0 when it may
 */
export function secondsToWait(
  counts: readonly AppendCount[],
  { device, bytes }: Appended,
  nowMs: number,
  isGranted: boolean,
): number {
  const count = counts.find((candidate) => candidate.device === device);
  if (!count || nowMs >= count.sinceMs + DAY_MS) return 0;
  const maxBytes = isGranted ? LIMITS.grantedSegmentBytesPerDay : LIMITS.segmentBytesPerDay;
  const isDayFull = count.bytes + bytes > maxBytes || (!isGranted && count.segments >= LIMITS.segmentsPerDay);
  const dayMs = isDayFull ? count.sinceMs + DAY_MS - nowMs : 0;
  const burstMs = isGranted ? 0 : count.evenAtMs - nowMs - (LIMITS.segmentBurst - 1) * SEGMENT_MS;
  return Math.max(0, Math.ceil(Math.max(dayMs, burstMs) / 1000));
}
