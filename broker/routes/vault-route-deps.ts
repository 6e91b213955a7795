import type { VaultSide } from '../domain/vault/vaults.ts';
import type { Frame } from './frame.ts';

/** What the routes of the vaults are made of. */
export interface VaultRouteDeps {
  readonly frame: Frame;
  readonly side: VaultSide;
}
