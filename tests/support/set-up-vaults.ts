import type { VaultId } from '$contract/ids.ts';
import { setUp } from './fixture.ts';
import { serveVaults } from './vault-broker.ts';
import { startVaultCloud, type VaultCloud, type VaultCloudOptions } from './vault-cloud.ts';
import { newSession, openVault, startVaultSide } from './vault-side.ts';

/** A cloud for the test file that calls this. */
export function setUpVaultCloud(options?: VaultCloudOptions): VaultCloud {
  return setUp(
    () => startVaultCloud(options),
    (world) => world.close(),
  );
}

/** A broker's vault side on such a cloud, and somebody who is signed in there. */
export function setUpVaults(options?: VaultCloudOptions) {
  const world = setUpVaultCloud(options);
  const session = newSession();
  // What the cloud has connected it closes itself.
  const ports = setUp(
    () => world.connect(),
    () => undefined,
  );
  const side = setUp(
    () => {
      const { state, vaultObjects: objects, vaultKms: kms, purger } = ports;
      return startVaultSide({ state, objects, kms, purger });
    },
    (started) => {
      started.close();
    },
  );
  const app = setUp(
    () => serveVaults(side, [session]),
    () => undefined,
  );
  return {
    world,
    ports,
    side,
    app,
    session,
    newVault: async (owner = session): Promise<VaultId> => {
      const vault = await world.newVault(ports);
      await openVault(side, owner, vault);
      return vault;
    },
  };
}
