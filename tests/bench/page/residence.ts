import type { VaultId } from '../../../broker/contract/ids.ts';
import { connectBroker, type Broker } from '../../../src/lib/remote/broker.ts';
import type { Database } from '../../../src/lib/store/database.ts';
import { Resting, type Resident } from '../../../src/lib/worker/resting.ts';

/** What this profile's resident has: the bench's worker shares cookies and IndexedDB with the product's. */
export interface Residence {
  readonly broker: Broker;
  readonly vault: VaultId;
  readonly epoch: number;
  readonly resident: Resident;
  readonly database: Database;
}

/** @throws {Error} where nobody has signed in */
export async function residence(): Promise<Residence> {
  const resting = new Resting(() => undefined);
  const resident = await resting.resident();
  if (!resident || resident === 'closed') throw new Error('expected somebody who has signed in here');
  const { vault, epoch } = resident.account;
  return {
    broker: connectBroker(globalThis.location.origin),
    vault: vault as VaultId,
    epoch,
    resident,
    database: await resting.database(),
  };
}
