import type { Grant } from '../../contract/accounts.ts';
import type { BlobId, Factor, GrantId, VaultId } from '../../contract/ids.ts';
import type { Purger, VaultObjects } from '../../ports/vaults.ts';
import { blobKeys } from './blob-keys.ts';
import { recordNames } from './inbox.ts';
import { mapBounded } from '../bounded.ts';
import type { EventLog } from '../state/event-log.ts';
import type { Grants } from '../auth/grants.ts';
import type { SecondFactor } from '../auth/second-factor.ts';
import type { Session } from '../account/session.ts';
import type { Room } from './room.ts';

/** Deleting for good, after a code of its own. */
export interface Purge {
  /** @throws BrokerProblem as SecondFactor.accept */
  grant(session: Session, vault: VaultId, factor: Factor): Promise<Grant>;
  /**
   * Removes all versions: first it is noted for good that the blobs are purged, after which no broker releases a half
   * of them, whatever is put back; then go the envelopes, then what they were for. One that ended half-way is repeated
   * with the same blobs; each try is charged for them.
   * @returns blobs of which the store keeps something
   * @throws BrokerProblem `grant_missing`, `grant_spent`, `store_unreachable`
   */
  purge(
    session: Session,
    vault: VaultId,
    order: { grant: GrantId; blobs: readonly BlobId[] },
  ): Promise<{ blob: BlobId; code: 'store_refused' }[]>;
}

export interface PurgeDeps {
  readonly secondFactor: Pick<SecondFactor, 'accept'>;
  readonly grants: Grants;
  readonly events: Pick<EventLog, 'append'>;
  readonly objects: VaultObjects;
  readonly purger: Purger;
  readonly room: Pick<Room, 'freed'>;
}

const PARALLEL = 16;

export function createPurge(deps: PurgeDeps): Purge {
  const { secondFactor, grants, events, objects, purger, room } = deps;

  /** Keys of the records that wait for these blobs, whichever device has put them there. */
  async function recordsOf(vault: VaultId, blobs: readonly BlobId[]): Promise<string[]> {
    const wanted = new Set<BlobId>(blobs);
    const keys: string[] = [];
    for await (const { device, blob } of recordNames(objects, vault)) {
      if (wanted.has(blob)) keys.push(`v/${vault}/${blobKeys.inbox(device, blob)}`);
    }
    return keys;
  }

  return {
    async grant(session, vault, factor) {
      await secondFactor.accept(session, factor);
      await events.append(session.account, { kind: 'granted', device: session.device, vault });
      return grants.issue(session, { kind: 'purge' });
    },
    async purge(session, vault, { grant, blobs }) {
      const distinct = [...new Set(blobs)];
      await grants.spend(session, grant, 'purge', distinct.length);
      await events.append(session.account, {
        kind: 'purged',
        device: session.device,
        vault,
        blobs: distinct,
      });
      await mapBounded(distinct, PARALLEL, (blob) =>
        objects.create(vault, blobKeys.purged(blob), new Uint8Array(0)),
      );
      const base = `v/${vault}/`;
      const below = (key: (blob: BlobId) => string) => distinct.map((blob) => base + key(blob));
      const kept = [
        ...(await purger.eraseBelow(below(blobKeys.envelopes))),
        ...(await purger.eraseBelow([...(await recordsOf(vault, distinct)), ...below(blobKeys.blob)])),
      ];
      await room.freed(vault);
      return distinct
        .filter((blob) => kept.some((key) => key.includes(blob)))
        .map((blob) => ({ blob, code: 'store_refused' }));
    },
  };
}
