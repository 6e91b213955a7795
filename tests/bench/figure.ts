import type { Rate } from './page/race.ts';

/** One line of the result: what was measured, beside what, and whether it is what it should be. */
export interface Figure {
  readonly what: string;
  /** Of one side's input, as people say it. */
  readonly size: string;
  readonly ours: string;
  /** Empty where the figure is compared with its target alone. */
  readonly beside: string;
  readonly result: string;
  readonly target: string;
  /** Undefined where nothing was promised. */
  readonly ok: boolean | undefined;
}

/** Two rates and their ratio, which is to be `atLeast`; without that, it is told and not judged. */
export function ratio(what: string, ours: Rate, beside: Rate, atLeast?: number): Figure {
  const value = speed(ours) / speed(beside);
  return {
    what,
    size: sizeText(ours.bytes),
    ours: rateText(ours),
    beside: `${rateText(beside)} ${beside.name}`,
    result: value.toFixed(2),
    target: atLeast === undefined ? '' : `≥ ${String(atLeast)}`,
    ok: atLeast === undefined ? undefined : value >= atLeast,
  };
}

/** A number that is to stay below, or at, a limit. */
export function limit(
  what: string,
  size: string,
  measured: { value: number; unit: string; note?: string },
  target: { below: number } | { atMost: number },
): Figure {
  const { value, unit, note = '' } = measured;
  const [sign, bound, ok] =
    'below' in target
      ? ['<', target.below, value < target.below]
      : ['≤', target.atMost, value <= target.atMost];
  const text = value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
  return {
    what,
    size,
    ours: `${text} ${unit}`,
    beside: note,
    result: text,
    target: `${sign} ${String(bound)} ${unit}`,
    ok,
  };
}

/** 10^6 bytes per second. */
export function speed({ bytes, ms }: Rate): number {
  return bytes / ms / 1000;
}

/** Binary units where the size is one, else decimal. */
export function sizeText(bytes: number): string {
  const [gib, mib] = [1024 ** 3, 1024 ** 2];
  if (bytes % gib === 0) return `${String(bytes / gib)} GiB`;
  if (bytes % mib === 0) return `${String(bytes / mib)} MiB`;
  return bytes >= 1e9 ? `${String(bytes / 1e9)} GB` : `${String(bytes / 1e6)} MB`;
}

function rateText(rate: Rate): string {
  return `${speed(rate).toFixed(0)} MB/s`;
}

/** The lines as a table that Markdown takes and people read. */
export function table(figures: readonly Figure[]): string {
  const head = ['figure', 'size', 'Halfkey', 'beside', 'result', 'target', ''];
  const rows = figures.map(({ what, size, ours, beside, result, target, ok }) => [
    what,
    size,
    ours,
    beside,
    result,
    target,
    ok === undefined ? '' : ok ? 'ok' : 'short',
  ]);
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}
