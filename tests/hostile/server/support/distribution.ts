/**
 * Kolmogorov–Smirnov, two samples: the greatest distance of their distributions, and how likely chance alone makes it.
 */
export function kolmogorovSmirnov(
  first: readonly number[],
  second: readonly number[],
): { readonly distance: number; readonly probability: number } {
  const [a, b] = [ascending(first), ascending(second)];
  let [i, j, distance] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const at = Math.min(a[i] ?? 0, b[j] ?? 0);
    while (i < a.length && (a[i] ?? 0) <= at) i += 1;
    while (j < b.length && (b[j] ?? 0) <= at) j += 1;
    distance = Math.max(distance, Math.abs(i / a.length - j / b.length));
  }
  const effective = Math.sqrt((a.length * b.length) / (a.length + b.length));
  return { distance, probability: tail((effective + 0.12 + 0.11 / effective) * distance) };
}

/** Kolmogorov's Q(λ), by its series; it converges within a few terms but near 0, where the probability is 1. */
function tail(lambda: number): number {
  if (lambda < 0.2) return 1;
  let sum = 0;
  for (let k = 1; k <= 100; k += 1) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * lambda * lambda);
  return Math.min(1, Math.max(0, sum));
}

const ascending = (sample: readonly number[]): number[] => [...sample].sort((x, y) => x - y);
