/** One side of a comparison: so many bytes in so many milliseconds. */
export interface Rate {
  readonly name: string;
  readonly bytes: number;
  readonly ms: number;
}

/** Who takes part: only `run` is timed. What `prepare` gives is what the other two are handed. */
export interface Side {
  readonly name: string;
  readonly prepare?: () => Promise<unknown>;
  readonly run: (prepared: never) => Promise<unknown>;
  readonly clear?: (prepared: never) => Promise<unknown>;
}

/**
 * Runs each once to warm up and then `rounds` times in turn, so that a slow moment hits all. What counts is the fastest
 * of each: whatever else the machine does only ever makes it slower.
 */
export async function race(bytes: number, rounds: number, sides: readonly Side[]): Promise<Rate[]> {
  const times = sides.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    for (const [index, side] of sides.entries()) {
      const prepared = (await side.prepare?.()) as never;
      const start = performance.now();
      await side.run(prepared);
      const ms = performance.now() - start;
      await side.clear?.(prepared);
      if (round >= 0) times[index]?.push(ms);
    }
  }
  return sides.map(({ name }, index) => ({ name, bytes, ms: Math.min(...(times[index] ?? [])) }));
}
