import type { Figure } from '../figure.ts';
import type { Ground } from '../ground.ts';

/** How much is measured. */
export interface Sizes {
  readonly memoryBytes: number;
  readonly fileBytes: number;
  readonly largeFileBytes: number;
  readonly entries: number;
  /** Accounts that unlock twice each. */
  readonly accounts: number;
  readonly releases: number;
  readonly rounds: number;
}

const MIB = 1024 ** 2;

/** What the targets are about. */
export const FULL: Sizes = {
  memoryBytes: 64 * MIB,
  fileBytes: 512 * MIB,
  largeFileBytes: 4096 * MIB,
  entries: 100_000,
  accounts: 8,
  releases: 1000,
  rounds: 5,
};

/** To see that the bench itself works; its ratios are not the ones that count. */
export const QUICK: Sizes = {
  memoryBytes: 8 * MIB,
  fileBytes: 64 * MIB,
  largeFileBytes: 256 * MIB,
  entries: 5000,
  accounts: 2,
  releases: 200,
  rounds: 2,
};

/** One part of the bench, on ground of its own. */
export interface Contest {
  /** What the ground's broker is held to. */
  readonly brokerCore?: number;
  readonly run: (ground: Ground, sizes: Sizes) => Promise<Figure[]>;
}
