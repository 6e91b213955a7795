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

/** Time left, as rough as it is certain: steps of 5 s below a minute, then minutes, then hours. */
export function formatTimeLeft(seconds: number): string {
  if (seconds < 3) return 'a moment left';
  if (seconds < 57.5) return `${String(Math.max(5, Math.round(seconds / 5) * 5))} s left`;
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 60) return `${String(minutes)} min left`;
  const quarters = Math.round(seconds / 900);
  const hours = Math.floor(quarters / 4);
  const rest = (quarters % 4) * 15;
  return rest === 0 ? `${String(hours)} h left` : `${String(hours)} h ${String(rest)} min left`;
}

/** A wait for people: `1 second`, `45 seconds`, `2 minutes`, `1 hour`. Rounded up, so that nobody comes too early. */
export function formatWait(seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds));
  if (whole < 90) return counted(whole, 'second');
  const minutes = Math.ceil(whole / 60);
  if (minutes !== 60 && minutes < 90) return counted(minutes, 'minute');
  return counted(Math.ceil(minutes / 60), 'hour');
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

const DAY_MS = 86_400_000;
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

/** When something was added: the time of day if today, else the day, with its year unless it is this one. */
export function formatAdded(atMs: number, nowMs: number): string {
  const at = new Date(atMs);
  const now = new Date(nowMs);
  if (at.toDateString() === now.toDateString()) return `Today, ${clock.format(at)}`;
  if (at.toDateString() === new Date(nowMs - DAY_MS).toDateString()) return `Yesterday, ${clock.format(at)}`;
  return at.getFullYear() === now.getFullYear() ? dayOfYear.format(at) : day.format(at);
}

/** `1 file`, `2 files`, `100,000 files`. @param plural of a noun that does not just take an s: `try`, `tries` */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? noun : plural}`;
}

const ORDINAL_ENDINGS: Partial<Record<Intl.LDMLPluralRule, string>> = { one: 'st', two: 'nd', few: 'rd' };
const ordinals = new Intl.PluralRules('en', { type: 'ordinal' });

/** `1st`, `2nd`, `3rd`, `4th`, `11th`. */
export function ordinal(place: number): string {
  return `${place.toLocaleString('en')}${ORDINAL_ENDINGS[ordinals.select(place)] ?? 'th'}`;
}
