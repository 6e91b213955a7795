import type { BlobId, DeviceId, VaultId } from '../../contract/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Purger, VaultObjects } from '../../ports/vaults.ts';
import type { Accounts } from '../account/accounts.ts';
import type { Session } from '../account/session.ts';
import { requireProof } from '../auth/proof.ts';
import { mapBounded } from '../bounded.ts';
import { BrokerProblem } from '../problem.ts';
import type { EventLog } from '../state/event-log.ts';
import { blobKeys } from './blob-keys.ts';
import { recordNames } from './inbox.ts';
import type { Room } from './room.ts';

/** Whose, and since when; `proof` is what passphrase and code were answered with. */
interface DiscardOrder {
  readonly proof: string;
  readonly device: DeviceId;
  /** By S3's clock. */
  readonly sinceMs: number;
}

/** What a device that was in other hands has left in the inbox. */
export interface Discarding {
  /**
   * Erases what it put there since then: its records, and the blobs that are in its share alone, that have no envelope,
   * and that no other device has a record of. What else it has put there is swept a week after it was written.
   * @returns blobs of which the store keeps something
   * @throws BrokerProblem `proof_missing`; `input_malformed` for a device that is signed in; `store_unreachable`
   */
  discard(
    session: Session,
    vault: VaultId,
    order: DiscardOrder,
  ): Promise<{ blob: BlobId; code: 'store_refused' }[]>;
}

export interface DiscardingDeps {
  readonly accounts: Pick<Accounts, 'recall'>;
  readonly objects: Pick<VaultObjects, 'describe' | 'list'>;
  readonly purger: Purger;
  readonly events: Pick<EventLog, 'append'>;
  readonly room: Pick<Room, 'sharedByNobody' | 'freed'>;
  readonly clock: Clock;
}

const PARALLEL = 16;
/** Blobs that one event names. */
const TOLD_AT_ONCE = 100;

export function createDiscarding(deps: DiscardingDeps): Discarding {
  const { accounts, objects, purger, events, room, clock } = deps;

  async function requireOwner(session: Session, { proof, device }: DiscardOrder): Promise<void> {
    const account = await accounts.recall(session.account);
    if (!account) throw new BrokerProblem('session_missing');
    requireProof(account, { session, proof }, clock());
    const isSignedIn = account.devices.some(({ id }) => id === device);
    if (isSignedIn) throw new BrokerProblem('input_malformed', { fields: ['device'] });
  }

  /** Its records since then, and what others have a record of. */
  async function recordsSince(vault: VaultId, { device, sinceMs }: DiscardOrder) {
    const own: BlobId[] = [];
    const ofOthers = new Set<BlobId>();
    for await (const record of recordNames(objects, vault)) {
      if (record.device !== device) ofOthers.add(record.blob);
      else if (record.atMs >= sinceMs) own.push(record.blob);
    }
    return { own, ofOthers };
  }

  async function isErasable(vault: VaultId, blob: BlobId, sinceMs: number): Promise<boolean> {
    const object = await objects.describe(vault, blobKeys.blob(blob));
    if (!object || object.modifiedMs < sinceMs) return false;
    const { objects: envelopes } = await objects.list(vault, blobKeys.envelopes(blob), '', 1);
    return envelopes.length === 0;
  }

  return {
    async discard(session, vault, order) {
      await requireOwner(session, order);
      const { device, sinceMs } = order;
      const { own, ofOthers } = await recordsSince(vault, order);
      const share = (await room.sharedByNobody(vault, device)).filter((blob) => !ofOthers.has(blob));
      const erasable = await mapBounded(share, PARALLEL, (blob) => isErasable(vault, blob, sinceMs));
      const blobs = share.filter((_blob, place) => erasable[place]);
      const named = [...new Set([...own, ...blobs])];
      for (let from = 0; from < named.length; from += TOLD_AT_ONCE) {
        await events.append(session.account, {
          kind: 'inbox-removed',
          device: session.device,
          vault,
          blobs: named.slice(from, from + TOLD_AT_ONCE),
        });
      }
      const keys = [
        ...own.map((blob) => blobKeys.inbox(device, blob)),
        ...blobs.map((blob) => blobKeys.blob(blob)),
      ];
      const kept = keys.length > 0 ? await purger.eraseBelow(keys.map((key) => `v/${vault}/${key}`)) : [];
      if (blobs.length > 0) await room.freed(vault);
      return named
        .filter((blob) => kept.some((key) => key.endsWith(blob)))
        .map((blob) => ({ blob, code: 'store_refused' }));
    },
  };
}
