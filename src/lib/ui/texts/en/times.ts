import { formatClock, formatDayOfYear } from '../../format.ts';
import { counted } from './counting.ts';

const DAY_MS = 86_400_000;

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

/** When something was added: the time of day if today or yesterday, else the day, with its year unless it is this one. */
export function formatAdded(atMs: number, nowMs: number): string {
  const isOn = (dayMs: number) => new Date(atMs).toDateString() === new Date(dayMs).toDateString();
  if (isOn(nowMs)) return `Today, ${formatClock(atMs)}`;
  if (isOn(nowMs - DAY_MS)) return `Yesterday, ${formatClock(atMs)}`;
  return formatDayOfYear(atMs, nowMs);
}
