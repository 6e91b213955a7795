import * as v from 'valibot';
import type { StoredBlob } from '../../contract/vault-inbox.ts';
import { BlobId, type GrantId, type VaultId } from '../../contract/ids.ts';
import { LIMITS } from '../../contract/limits.ts';
import type { ListedObject, Purger, VaultObjects } from '../../ports/vaults.ts';
import { blobKeys } from './blob-keys.ts';
import { mapBounded } from '../bounded.ts';
import type { EventLog } from '../state/event-log.ts';
import type { Grants } from '../auth/grants.ts';
import { BrokerProblem } from '../problem.ts';
import type { Session } from '../account/session.ts';

/** A record beside the blob that it is of. */
interface InboxRecord {
  readonly blob: BlobId;
  /** 1 to LIMITS.maxInboxRecordBytes. */
  readonly record: Uint8Array;
}

/** Captures that have arrived and wait to be adopted: `inbox/<blob>`, sealed and signed by devices, to the broker bytes. */
export interface Inbox {
  /**
   * Create-only, and only beside a blob that S3 holds: so records cannot outnumber what the quota lets in. Those that can be
   * written are, whatever becomes of the others.
   * @throws BrokerProblem `already_exists`, `upload_lost`, each with the places at fault
   */
  write(vault: VaultId, records: readonly InboxRecord[]): Promise<void>;
  /**
   * Up to LIMITS.batch records in the order of their keys, starting after the key `after`, or with the first when it is
   * empty. What is not a record by its name or size is passed over.
   */
  list(
    vault: VaultId,
    after: BlobId | '',
  ): Promise<{ records: (InboxRecord & { stored: StoredBlob | null })[]; more: boolean }>;
  /**
   * Removes all versions of the records. The grant may have no releases left: who has spent them on adopting clears up too.
   * @throws BrokerProblem `grant_missing`, `store_unreachable`
   */
  remove(
    session: Session,
    vault: VaultId,
    order: { grant: GrantId; blobs: readonly BlobId[] },
  ): Promise<void>;
}

export interface InboxDeps {
  readonly objects: Pick<VaultObjects, 'create' | 'describe' | 'list' | 'read'>;
  readonly purger: Purger;
  readonly grants: Pick<Grants, 'require'>;
  readonly events: Pick<EventLog, 'append'>;
  /** Told of each vault whose inbox this process has written. */
  readonly announce: (vault: VaultId) => void;
}

/** Records looked at at a time, each by two requests to S3. */
const PARALLEL = 16;

export function createInbox({ objects, purger, grants, events, announce }: InboxDeps): Inbox {
  async function storedBlob(vault: VaultId, blob: BlobId): Promise<StoredBlob | null> {
    const object = await objects.describe(vault, blobKeys.blob(blob));
    // The broker lets nothing in without a checksum: what has none is nothing that anybody could adopt.
    return object?.sha256 === undefined ? null : { sizeBytes: object.sizeBytes, digest: object.sha256 };
  }

  return {
    async write(vault, records) {
      const outcomes = await mapBounded(records, PARALLEL, async ({ blob, record }) =>
        (await storedBlob(vault, blob)) ? objects.create(vault, blobKeys.inbox(blob), record) : 'lost',
      );
      if (outcomes.includes('created')) announce(vault);
      for (const [outcome, code] of [
        ['exists', 'already_exists'],
        ['lost', 'upload_lost'],
      ] as const) {
        const fields = outcomes.flatMap((found, place) =>
          found === outcome ? [`records.${String(place)}`] : [],
        );
        if (fields.length > 0) throw new BrokerProblem(code, { fields });
      }
    },
    async list(vault, after) {
      for (let from = after === '' ? '' : blobKeys.inbox(after); ;) {
        const page = await objects.list(vault, blobKeys.inboxes, from, LIMITS.batch);
        const found = await mapBounded(page.objects.flatMap(nameRecord), PARALLEL, async (blob) => {
          const [record, stored] = await Promise.all([
            objects.read(vault, blobKeys.inbox(blob)),
            storedBlob(vault, blob),
          ]);
          return record && { blob, record, stored };
        });
        // One that another device has removed meanwhile is none.
        const records = found.filter((entry) => entry !== undefined);
        const last = page.objects.at(-1);
        // An answer without records says that there are no more, so a page of nothing but others is not the answer.
        if (records.length > 0 || !page.more || !last) return { records, more: page.more };
        from = last.key;
      }
    },
    async remove(session, vault, { grant, blobs }) {
      await grants.require(session, grant, 'release');
      const distinct = [...new Set(blobs)];
      await events.append(session.account, {
        kind: 'inbox-removed',
        device: session.device,
        vault,
        blobs: distinct,
      });
      await purger.eraseBelow(distinct.map((blob) => `v/${vault}/${blobKeys.inbox(blob)}`));
    },
  };
}

/** The blob of a listed record; none for what no broker has written. */
function nameRecord({ key, sizeBytes }: ListedObject): BlobId[] {
  const blob = v.safeParse(BlobId, key.slice(blobKeys.inboxes.length));
  const fits = sizeBytes > 0 && sizeBytes <= LIMITS.maxInboxRecordBytes;
  return blob.success && fits ? [blob.output] : [];
}
