import { vi } from 'vitest';

/** A busy machine takes its time: this is not a duration that a test is about. */
export const SOON = { interval: 1, timeout: 20_000 } as const;

/** Resolves once it is so. */
export async function until(isSo: () => unknown): Promise<void> {
  await vi.waitUntil(isSo, SOON);
}
