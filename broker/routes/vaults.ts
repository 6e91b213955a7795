import { createVaultBlobRoutes } from './vault-blobs.ts';
import { createVaultEventRoute } from './vault-events.ts';
import { createVaultInboxRoutes } from './vault-inbox.ts';
import { createVaultKeyRoutes } from './vault-keys.ts';
import { createVaultLogRoutes } from './vault-log.ts';
import type { VaultRouteDeps } from './vault-route-deps.ts';

/** Serves every route of contract/vaults.ts. */
export function createVaultRoutes(deps: VaultRouteDeps): void {
  createVaultKeyRoutes(deps);
  createVaultBlobRoutes(deps);
  createVaultInboxRoutes(deps);
  createVaultLogRoutes(deps);
  createVaultEventRoute(deps);
}
