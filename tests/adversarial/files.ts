import { KINDS, type Kit } from './kit.ts';

// By Vite, so that they can be read where there are no files.
const files: Readonly<Record<string, unknown>> = import.meta.glob('../vectors/adversarial-v1/*.json', {
  eager: true,
  import: 'default',
});

/** The kit as it is in tests/vectors/adversarial-v1. */
export const KIT = Object.fromEntries(
  KINDS.map((kind) => [kind, files[`../vectors/adversarial-v1/${kind}.json`]]),
) as unknown as Kit;
