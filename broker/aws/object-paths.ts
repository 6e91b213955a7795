import type { VaultId } from '../contract/ids.ts';

/** The object's whole key. Relative keys are built from parsed ids alone, so no part of one is a client's choice. */
export const objectKey = (vault: VaultId, key: string): string => `v/${vault}/${key}`;
