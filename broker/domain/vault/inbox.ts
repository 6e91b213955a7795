import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { INBOX_RECORD, readInboxRecord } from '../../contract/inbox-record.ts';
import { BlobId, DeviceId, type GrantId, type VaultId } from '../../contract/ids.ts';
import { LIMITS } from '../../contract/limits.ts';
import type { InboxName, StoredBlob } from '../../contract/vault-inbox.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ListedObject, Purger, VaultObjects } from '../../ports/vaults.ts';
import type { Session } from '../account/session.ts';
import type { Grants } from '../auth/grants.ts';
import { mapBounded } from '../bounded.ts';
import { isSignedBy } from '../ed25519.ts';
import { createQueue } from '../queue.ts';
import type { EventLog } from '../state/event-log.ts';
import { lengthPrefixed } from '../state/length-prefixed.ts';
import { blobKeys } from './blob-keys.ts';
import { isNearlySwept } from './orphan-age.ts';
import type { Room } from './room.ts';

/** A record beside the blob that it is of. */
interface NewRecord {
  readonly blob: BlobId;
  /** 1 to LIMITS.maxInboxRecordBytes. */
  readonly record: Uint8Array;
}

type WriteRefusal = 'input_malformed' | 'already_exists' | 'upload_lost' | 'inbox_full';

interface FoundRecord extends InboxName {
  readonly record: Uint8Array;
  readonly stored: StoredBlob | null;
  /** The blob was deleted for good. */
  readonly purged: boolean;
}

/** Captures that have arrived and wait to be adopted: `inbox/<device>/<blob>`, sealed and signed by that device. */
export interface Inbox {
  /**
   * Create-only, only what the session's own device has signed, and only beside a blob that S3 holds: so records cannot
   * outnumber what the quota lets in.
   * @returns those that were refused, each by itself; the others are written
   */
  write(
    session: Session,
    vault: VaultId,
    records: readonly NewRecord[],
  ): Promise<{ blob: BlobId; code: WriteRefusal }[]>;
  /**
   * Up to LIMITS.inboxNames names in the order of their keys, by one listing, starting after the name `after`, or with
   * the first when it is empty. What isn’t a record by its name or size is passed over.
   */
  list(
    vault: VaultId,
    after: string,
  ): Promise<{ names: (InboxName & { tag: string; atMs: number })[]; more: boolean }>;
  /** Those that are there. */
  read(vault: VaultId, names: readonly InboxName[]): Promise<FoundRecord[]>;
  /**
   * Removes all versions of the records. The grant may have no releases left: a device that has spent them on
   * adopting clears up too.
   * @returns those that the store keeps
   * @throws BrokerProblem `grant_missing`, `store_unreachable`
   */
  remove(
    session: Session,
    vault: VaultId,
    order: { grant: GrantId; names: readonly InboxName[] },
  ): Promise<(InboxName & { code: 'store_refused' })[]>;
}

export interface InboxDeps {
  readonly objects: Pick<VaultObjects, 'create' | 'describe' | 'list' | 'read'>;
  readonly purger: Purger;
  readonly grants: Pick<Grants, 'require'>;
  readonly events: Pick<EventLog, 'append'>;
  readonly room: Pick<Room, 'take' | 'arrive'>;
  readonly clock: Clock;
  /** Told of each vault whose inbox this process has written. */
  readonly announce: (vault: VaultId) => void;
}

/** Records looked at at a time, each by two requests to S3 or three. */
const PARALLEL = 16;

export function createInbox(deps: InboxDeps): Inbox {
  const { objects, purger, grants, events, room, clock, announce } = deps;
  const queue = createQueue();

  async function writeOne(
    vault: VaultId,
    device: DeviceId,
    { blob, record }: NewRecord,
    isListed: boolean,
  ): Promise<WriteRefusal | { blobBytes: number }> {
    const object = await objects.describe(vault, blobKeys.blob(blob));
    // The broker lets nothing in without a checksum: what has none is nothing that anybody could adopt.
    if (object?.sha256 === undefined || isNearlySwept(object.modifiedMs, clock())) return 'upload_lost';
    // Sent again and again it must not pass for more than is there.
    if (!isListed) await room.take(vault, record.length, 'record');
    const outcome = await objects.create(vault, blobKeys.inbox(device, blob), record);
    return outcome === 'exists' ? 'already_exists' : { blobBytes: object.sizeBytes };
  }

  /** One request of a device after the other, so that none counts what another is about to write. */
  async function writeAll(
    session: Session & { device: DeviceId },
    vault: VaultId,
    records: readonly NewRecord[],
  ): Promise<(WriteRefusal | { blobBytes: number })[]> {
    const { device, deviceKey } = session;
    const listed = await objects.list(vault, blobKeys.inboxOf(device), '', LIMITS.waitingRecords);
    const waiting = new Set(listed.objects.map(({ key }) => key));
    return mapBounded(records, PARALLEL, async (record) => {
      if (!deviceKey || !isSignedRecord(vault, device, record, deviceKey)) return 'input_malformed';
      const key = blobKeys.inbox(device, record.blob);
      const isListed = waiting.has(key);
      if (!isListed && waiting.size >= LIMITS.waitingRecords) return 'inbox_full';
      waiting.add(key);
      const outcome = await writeOne(vault, device, record, isListed);
      if (outcome === 'upload_lost') waiting.delete(key);
      return outcome;
    });
  }

  async function readOne(vault: VaultId, name: InboxName): Promise<FoundRecord | undefined> {
    const record = await objects.read(vault, blobKeys.inbox(name.device, name.blob));
    if (!record) return undefined;
    const object = await objects.describe(vault, blobKeys.blob(name.blob));
    if (object?.sha256 !== undefined) {
      const stored = { sizeBytes: object.sizeBytes, digest: object.sha256 };
      return { ...name, record, stored, purged: false };
    }
    const note = blobKeys.purged(name.blob);
    const { objects: notes } = await objects.list(vault, note, '', 1);
    return { ...name, record, stored: null, purged: notes.some(({ key }) => key === note) };
  }

  return {
    async write(session, vault, records) {
      const { device } = session;
      if (device === undefined) return records.map(({ blob }) => ({ blob, code: 'input_malformed' }));
      const outcomes = await queue(`${vault}/${device}`, () =>
        writeAll({ ...session, device }, vault, records),
      );
      const written = records.flatMap(({ blob }, place) => {
        const outcome = outcomes[place];
        return typeof outcome === 'object' ? [{ id: blob, bytes: outcome.blobBytes }] : [];
      });
      if (written.length > 0) announce(vault);
      await room.arrive(vault, written);
      return records.flatMap(({ blob }, place) => {
        const code = outcomes[place];
        return typeof code === 'string' ? [{ blob, code }] : [];
      });
    },
    async list(vault, after) {
      for (let from = after === '' ? '' : blobKeys.inboxes + after; ;) {
        const page = await objects.list(vault, blobKeys.inboxes, from, LIMITS.inboxNames);
        const names = page.objects.flatMap((object) => {
          const name = nameRecord(object);
          return name ? [{ ...name, tag: object.etag, atMs: object.modifiedMs }] : [];
        });
        const last = page.objects.at(-1);
        // An answer without names says that there are no more, so a page of nothing but others is not the answer.
        if (names.length > 0 || !page.more || !last) return { names, more: page.more };
        from = last.key;
      }
    },
    async read(vault, names) {
      const found = await mapBounded(names, PARALLEL, (name) => readOne(vault, name));
      // One that another device has removed meanwhile is none.
      return found.filter((record) => record !== undefined);
    },
    async remove(session, vault, { grant, names }) {
      await grants.require(session, grant, 'release');
      const keyOf = ({ device, blob }: InboxName) => `v/${vault}/${blobKeys.inbox(device, blob)}`;
      const { account, device } = session;
      const blobs = [...new Set(names.map(({ blob }) => blob))];
      await events.append(account, { kind: 'inbox-removed', device, vault, blobs });
      const kept = new Set(await purger.eraseBelow([...new Set(names.map(keyOf))]));
      return names
        .filter((name) => kept.has(keyOf(name)))
        .map((name) => ({ ...name, code: 'store_refused' }));
    },
  };
}

/** Whose record of which blob a listed object is; undefined for what no broker has written. */
function nameRecord({ key, sizeBytes }: Pick<ListedObject, 'key' | 'sizeBytes'>): InboxName | undefined {
  const [device, blob, ...rest] = key.slice(blobKeys.inboxes.length).split('/');
  const [deviceId, blobId] = [v.safeParse(DeviceId, device), v.safeParse(BlobId, blob)];
  const fits = sizeBytes === INBOX_RECORD.sizeBytes && rest.length === 0;
  if (!fits || !deviceId.success || !blobId.success) return undefined;
  return { device: deviceId.output, blob: blobId.output };
}

/** Every name below `inbox/`, page by page. */
export async function* recordNames(
  objects: Pick<VaultObjects, 'list'>,
  vault: VaultId,
): AsyncGenerator<InboxName & { readonly atMs: number }> {
  for (let after = '', more = true; more;) {
    const page = await objects.list(vault, blobKeys.inboxes, after, LIMITS.inboxNames);
    for (const object of page.objects) {
      const name = nameRecord(object);
      if (name) yield { ...name, atMs: object.modifiedMs };
    }
    after = page.objects.at(-1)?.key ?? '';
    more = page.more && after !== '';
  }
}

/** Whether a record of this blob waits, whichever device has put it there. */
export async function hasRecord(
  objects: Pick<VaultObjects, 'list'>,
  vault: VaultId,
  blob: BlobId,
): Promise<boolean> {
  for await (const name of recordNames(objects, vault)) if (name.blob === blob) return true;
  return false;
}

/** What is signed is in docs/FORMAT.md, Inbox. @param publicKey the device's, base64url */
function isSignedRecord(
  vault: VaultId,
  device: DeviceId,
  { blob, record }: NewRecord,
  publicKey: string,
): boolean {
  const parsed = readInboxRecord(record);
  if (!parsed || Buffer.from(parsed.device).toString('base64url') !== device) return false;
  const sealedHash = createHash('sha256').update(parsed.sealed).digest();
  const message = lengthPrefixed('halfkey/inbox/1', vault, blob, parsed.head, sealedHash);
  return isSignedBy(publicKey, message, parsed.signature);
}
