const UNITS = ['kB', 'MB', 'GB', 'TB'] as const;

/** A size for people, in powers of 1000: `0 B`, `999 B`, `1.5 kB`, `12 MB`. Three figures at most. */
export function formatSize(sizeBytes: number): string {
  if (sizeBytes < 1000) return `${String(Math.max(0, Math.round(sizeBytes)))} B`;
  let value = sizeBytes / 1000;
  let unitIndex = 0;
  // 999.5 would be written as 1000: it belongs to the next unit.
  while (value >= 999.5 && unitIndex < UNITS.length - 1) {
    value /= 1000;
    unitIndex += 1;
  }
  const figures = value < 9.95 ? value.toFixed(1) : String(Math.round(value));
  return `${figures} ${UNITS[unitIndex] ?? 'TB'}`;
}

/** Megabytes per second, with one figure after the point below ten. */
export function formatRate(bytesPerSecond: number): string {
  const megabytes = bytesPerSecond / 1e6;
  return `${megabytes < 9.95 ? megabytes.toFixed(1) : String(Math.round(megabytes))} MB/s`;
}

/** A clock that counts down: `4:32`, `0:07`; never below `0:00`. */
export function formatCountdown(leftMs: number): string {
  const seconds = Math.max(0, Math.ceil(leftMs / 1000));
  return `${String(Math.floor(seconds / 60))}:${String(seconds % 60).padStart(2, '0')}`;
}

/** Whole percent, rounded down so that 100 % means all; of nothing, all is done. */
export function percent(doneBytes: number, totalBytes: number): number {
  if (totalBytes <= 0) return 100;
  return Math.min(100, Math.max(0, Math.floor((doneBytes / totalBytes) * 100)));
}

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });

/** The time of day, as this person's country writes it. */
export function formatClock(atMs: number): string {
  return clock.format(new Date(atMs));
}

/** A day with its year. */
export function formatDay(atMs: number): string {
  return day.format(new Date(atMs));
}

/** A day, with its year unless that is this one. */
export function formatDayOfYear(atMs: number, nowMs: number): string {
  const at = new Date(atMs);
  return at.getFullYear() === new Date(nowMs).getFullYear() ? dayOfYear.format(at) : day.format(at);
}
