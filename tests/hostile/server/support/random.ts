/** Random numbers that a seed makes again: mulberry32, enough to choose cases by. */
export interface Random {
  /** 0 ≤ n < below. */
  below(limit: number): number;
  /** True so often, of 1. */
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  bytes(sizeBytes: number): Buffer;
}

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const random: Random = {
    below: (limit) => Math.floor(next() * limit),
    chance: (probability) => next() < probability,
    pick(items) {
      const item = items[random.below(items.length)];
      if (item === undefined) throw new RangeError('expected something to pick from');
      return item;
    },
    bytes: (sizeBytes) => Buffer.from(Array.from({ length: sizeBytes }, () => random.below(256))),
  };
  return random;
}
