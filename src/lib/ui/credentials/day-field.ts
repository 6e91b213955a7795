/** A day here, as a date field writes it: `2026-03-09`. @param atMs ms since 1970 */
export function isoDay(atMs: number): string {
  const day = new Date(atMs);
  const [month, date] = [day.getMonth() + 1, day.getDate()].map((part) => String(part).padStart(2, '0'));
  return `${String(day.getFullYear()).padStart(4, '0')}-${month ?? ''}-${date ?? ''}`;
}

/** When that day begins here, ms since 1970; undefined for what is not a day. */
export function startOfDay(day: string): number | undefined {
  const [, year, month, date] = /^(\d{4,6})-(\d{2})-(\d{2})$/.exec(day) ?? [];
  if (year === undefined) return undefined;
  const startMs = new Date(Number(year), Number(month) - 1, Number(date)).getTime();
  return Number.isNaN(startMs) ? undefined : startMs;
}
