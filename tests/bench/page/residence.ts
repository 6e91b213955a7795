import type { VaultId } from '../../../broker/contract/ids.ts';
import { connectBroker, type Broker } from '../../../src/lib/remote/broker.ts';
import { SessionProver } from '../../../src/lib/remote/session-proof.ts';
import type { Database } from '../../../src/lib/store/database.ts';
import { readSessionKey } from '../../../src/lib/store/session-key.ts';
import { DeviceStore, type LocalAccount } from '../../../src/lib/session/device-store.ts';

/**
 * The account that is signed in on this profile: the bench's worker shares cookies and IndexedDB with the product's.
 */
export interface Residence {
  readonly broker: Broker;
  readonly vault: VaultId;
  readonly epoch: number;
  readonly localAccount: LocalAccount;
  readonly database: Database;
}

/** @throws {Error} where nobody has signed in */
export async function residence(): Promise<Residence> {
  const deviceStore = new DeviceStore(() => undefined);
  const localAccount = await deviceStore.localAccount();
  if (!localAccount || localAccount === 'closed') throw new Error('expected somebody who has signed in here');
  const { vault, epoch } = localAccount.account;
  const database = await deviceStore.database();
  return {
    broker: connectBroker(globalThis.location.origin, new SessionProver(() => readSessionKey(database))),
    vault: vault as VaultId,
    epoch,
    localAccount,
    database,
  };
}
