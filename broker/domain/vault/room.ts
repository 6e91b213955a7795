import { randomBytes } from 'node:crypto';
import type { BlobId, DeviceId, GrantId, VaultId } from '../../contract/ids.ts';
import { LIMITS } from '../../contract/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { VaultObjects } from '../../ports/vaults.ts';
import type { Session } from '../account/session.ts';
import type { Grants } from '../auth/grants.ts';
import { BrokerProblem } from '../problem.ts';
import { createQueue } from '../queue.ts';
import type { Records } from '../state/records.ts';
import { stateKeys } from '../state/state-keys.ts';
import { blobKeys } from './blob-keys.ts';
import {
  arrived,
  blobsOfNobodyElse,
  bytesOnTheWay,
  NO_ROOM,
  recounted,
  type Reservation,
  reservedBytes,
  RoomRecord,
  settled,
  shareOf,
  soughtBy,
  type Survey,
  uploadReservation,
  type Wanted,
  withReservations,
} from './room-record.ts';

/** What is there of what was reserved. */
interface KnownObject {
  /** As it was reserved. */
  readonly id: string;
  readonly bytes: number;
}

/** What the broker writes itself. `erasing` is what frees or protects: identity-signed segments. */
type BrokerWrite = 'record' | 'journal' | 'erasing';

/**
 * How much a vault may hold. Where a quota is set, nothing gets a URL, and the broker writes nothing, that was not
 * reserved before by a conditional write; a reservation ends when its object is known (`settle`), or an hour after its
 * last URL, and then counts until the objects were counted anew. So what is stored never exceeds the quota, however
 * many brokers and URLs there are. And what a device has put there counts towards its own share of it until a code has
 * taken it in, or it is gone: so nobody without a code fills a vault for the others, whatever they write beside it.
 */
export interface Room {
  /**
   * @param grant lifts the limits of a device that has typed no code
   * @throws BrokerProblem `store_full`; `grant_missing` when the device would have more than a quarter of the quota, or
   *   too many objects, on their way or waiting for a code
   */
  reserve(session: Session, vault: VaultId, wanted: readonly Wanted[], grant?: GrantId): Promise<void>;
  /**
   * What an upload was reserved with, for an hour more; undefined: no quota.
   * @throws BrokerProblem `upload_lost` when it was not
   */
  extend(vault: VaultId, uploadId: string): Promise<Wanted | undefined>;
  /** The objects are there, and wait for a code: what they were reserved as counts as used. Unknown ids are none. */
  arrive(vault: VaultId, objects: readonly KnownObject[]): Promise<void>;
  /** The objects are there, and a code has taken them in: as `arrive`, and they are of no device's share any more. */
  settle(vault: VaultId, objects: readonly KnownObject[]): Promise<void>;
  /** Nothing came of it, and nothing can come any more. */
  release(vault: VaultId, id: string): Promise<void>;
  /** Before the broker writes so many bytes. @throws BrokerProblem `store_full` */
  take(vault: VaultId, bytes: number, write: BrokerWrite): Promise<void>;
  /** Blobs that are in this device's share and in no other's; none where no quota is set. */
  sharedByNobody(vault: VaultId, device: DeviceId): Promise<BlobId[]>;
  /** Something was erased: the next who finds no room has it counted anew. */
  freed(vault: VaultId): Promise<void>;
}

const HOUR_MS = 60 * 60 * 1000;
const MIB = 1024 * 1024;
/**
 * Beyond the quota: what frees room or protects must go on at a full one. The last of it takes identity-signed segments
 * alone.
 */
const EXTRA_BYTES = { record: 0, journal: 12 * MIB, erasing: 16 * MIB } as const satisfies Record<
  BrokerWrite,
  number
>;
/** Reserved at a time for what the broker writes, so that not each segment costs a request. */
const BLOCK_BYTES = 256 * 1024;
/** No block is more than this part of the quota. */
const BLOCK_SHARE = 256;
/** A block is not used up to its very end: a write takes its time. */
const BLOCK_MARGIN_MS = 5 * 60_000;
/** Of the quota, for what a device has on its way, and waiting, without a grant. */
const DEVICE_SHARE = 4;
/** Objects on their way, and waiting, of a device without a grant. */
const DEVICE_OBJECTS = 1000;
/** A full vault that is asked again and again is not listed each time. */
const RECOUNT_PAUSE_MS = 60_000;
/** Of what waits something may have been swept since: brokers sweep once an hour. */
const WAITING_RECOUNT_MS = HOUR_MS;

/** There may be room: what is kept says too much. */
class NeedsCount extends Error {
  /** What it is if a count does not help. */
  readonly code: 'store_full' | 'grant_missing';

  constructor(code: NeedsCount['code']) {
    super('expected room by what is kept');
    this.code = code;
  }
}

export interface RoomDeps {
  readonly objects: Pick<VaultObjects, 'measure' | 'listParts'>;
  readonly records: Records;
  readonly grants: Pick<Grants, 'require'>;
  readonly clock: Clock;
  /** undefined: no limit, and nothing is kept. */
  readonly quotaBytes: number | undefined;
}

export function createRoom(deps: RoomDeps): Room {
  const { clock, quotaBytes } = deps;
  if (quotaBytes === undefined) return UNLIMITED;
  const { objects, records, grants } = deps;
  const quota = quotaBytes;
  const queue = createQueue();
  /** Under way. */
  const counts = new Map<VaultId, Promise<void>>();
  /** What this broker may still write without asking. */
  const blocks = new Map<string, { id: string; bytes: number; left: number; untilMs: number }>();

  /** An hour after a URL that is signed now has ended. */
  const untilMs = (): number => clock() + LIMITS.urlSeconds * 1000 + HOUR_MS;

  const change = (vault: VaultId, next: (room: RoomRecord) => RoomRecord | undefined) =>
    records.update(stateKeys.room(vault), RoomRecord, (stored) => next(stored ?? NO_ROOM));

  /** @throws BrokerProblem `store_full`; NeedsCount when a count may help */
  function requireRoom(room: RoomRecord, bytes: number, limit: number): void {
    if (room.countedAtMs > 0 && room.usedBytes + bytesOnTheWay(room) + bytes <= limit) return;
    if (clock() - room.countedAtMs < RECOUNT_PAUSE_MS) throw new BrokerProblem('store_full');
    throw new NeedsCount('store_full');
  }

  /** Does it, if need be after a count. */
  async function counted(vault: VaultId, next: (room: RoomRecord) => RoomRecord | undefined): Promise<void> {
    try {
      await change(vault, next);
    } catch (reason) {
      if (!(reason instanceof NeedsCount)) throw reason;
      await count(vault);
      await change(vault, next).catch((still: unknown) => {
        throw still instanceof NeedsCount ? new BrokerProblem(still.code) : still;
      });
    }
  }

  /** Anyone who asks while one is under way waits for that one. */
  function count(vault: VaultId): Promise<void> {
    const counting = counts.get(vault) ?? countAnew(vault).finally(() => counts.delete(vault));
    counts.set(vault, counting);
    return counting;
  }

  async function countAnew(vault: VaultId): Promise<void> {
    const id = randomBytes(8).toString('base64url');
    const startedMs = clock();
    const changed = await change(vault, (room) => ({ ...room, counting: { id, settledBytes: 0 } }));
    const before = changed ?? NO_ROOM;
    const sought = soughtBy(before, startedMs);
    const [[measuredBytes, objectsFound], parts] = await Promise.all([
      surveyed(vault, sought),
      partsOf(
        vault,
        before.reservations.filter(({ untilMs }) => untilMs <= startedMs),
      ),
    ]);
    await change(vault, (room) => {
      // Another broker counts as well: the one that began last is right for both.
      if (room.counting?.id !== id) return undefined;
      return recounted(room, before, startedMs, measuredBytes, { ...objectsFound, parts });
    });
  }

  /** All bytes of the vault, and which of the objects sought are there. */
  async function surveyed(
    vault: VaultId,
    sought: ReadonlySet<string>,
  ): Promise<[number, Pick<Survey, 'found' | 'adopted'>]> {
    const found = new Map<string, number>();
    const adopted = new Set<string>();
    const bytes = await objects.measure(vault, '', ({ key, sizeBytes }) => {
      if (sought.has(key)) found.set(key, sizeBytes);
      const blob = blobKeys.enveloped(key);
      if (blob !== undefined && sought.has(blobKeys.blob(blob))) adopted.add(blobKeys.blob(blob));
    });
    return [bytes, { found, adopted }];
  }

  /** Bytes that S3 has of ended uploads, those that it still knows, by id. */
  async function partsOf(
    vault: VaultId,
    ended: readonly Reservation[],
  ): Promise<ReadonlyMap<string, number>> {
    const bytes = new Map<string, number>();
    for (const { id, upload } of ended) {
      if (!upload) continue;
      const parts = await objects.listParts(vault, blobKeys.blob(upload.blob), upload.uploadId);
      if (parts)
        bytes.set(
          id,
          parts.reduce((sum, part) => sum + part.sizeBytes, 0),
        );
    }
    return bytes;
  }

  /** @throws BrokerProblem `grant_missing`; NeedsCount when a count may help, and `mayCount` */
  function requireShare(room: RoomRecord, device: DeviceId | undefined, mayCount: boolean): void {
    const share = shareOf(room, device);
    const bytes = [...share.values()].reduce((sum, each) => sum + each, 0);
    if (bytes <= quota / DEVICE_SHARE && share.size <= DEVICE_OBJECTS) return;
    if (mayCount && mayHaveGone(room, device)) throw new NeedsCount('grant_missing');
    throw new BrokerProblem('grant_missing');
  }

  /** Of what a device has waiting, or on its way, something may be no more, or may never have come. */
  function mayHaveGone(room: RoomRecord, device: DeviceId | undefined): boolean {
    const agoMs = clock() - room.countedAtMs;
    if (agoMs < RECOUNT_PAUSE_MS) return false;
    const ended = room.reservations.filter((each) => each.device === device && each.untilMs <= clock());
    if (ended.some(({ untilMs }) => untilMs > room.countedAtMs)) return true;
    const waits = ended.length > 0 || (device !== undefined && room.waiting[device] !== undefined);
    return waits && agoMs >= WAITING_RECOUNT_MS;
  }

  /** Settles the block before, as if all of it had been written, and reserves the next. */
  async function nextBlock(vault: VaultId, key: string, bytes: number, write: BrokerWrite): Promise<void> {
    const old = blocks.get(key);
    blocks.delete(key);
    const limit = quota + EXTRA_BYTES[write];
    const generous = Math.max(bytes, Math.min(BLOCK_BYTES, Math.floor(quota / BLOCK_SHARE)));
    const block = { id: `broker ${randomBytes(8).toString('base64url')}`, untilMs: clock() + HOUR_MS };
    const reserve = async (size: number): Promise<void> => {
      await counted(vault, (room) => {
        const next = (old && settled(room, new Map([[old.id, old.bytes - old.left]]))) ?? room;
        requireRoom(next, size, limit);
        return { ...next, reservations: [...next.reservations, { ...block, bytes: size }] };
      });
      blocks.set(key, { ...block, bytes: size, left: size });
    };
    try {
      await reserve(generous);
    } catch (error) {
      const isFull = error instanceof BrokerProblem && error.code === 'store_full';
      if (!isFull || generous === bytes) throw error;
      await reserve(bytes);
    }
  }

  return {
    async reserve(session, vault, wanted, grant) {
      const { device } = session;
      const attempt = (hasGrant: boolean) =>
        counted(vault, (room) => {
          // Where a grant is said to be there, looking for it costs less than a count.
          const next = withReservations(room, device, wanted, untilMs());
          if (!hasGrant) requireShare(next, device, grant === undefined);
          const more = bytesOnTheWay(next) - bytesOnTheWay(room);
          if (more > 0) requireRoom(room, more, quota);
          return next;
        });
      try {
        await attempt(false);
      } catch (error) {
        const wantsGrant = error instanceof BrokerProblem && error.code === 'grant_missing';
        if (!wantsGrant || grant === undefined) throw error;
        await grants.require(session, grant, 'release');
        await attempt(true);
      }
    },
    async extend(vault, uploadId) {
      const id = uploadReservation(uploadId);
      let found: Wanted | undefined;
      await counted(vault, (room) => {
        const before = room.reservations.find((each) => each.id === id);
        if (!before?.upload) throw new BrokerProblem('upload_lost');
        found = before;
        const { sizeBytes } = before.upload;
        // A URL lives five minutes: one that is signed now ends an hour before this does, or a little less.
        const missingBytes = sizeBytes - reservedBytes(before);
        if (missingBytes <= 0 && before.untilMs - HOUR_MS > clock()) return undefined;
        if (missingBytes > 0) requireRoom(room, missingBytes, quota);
        const { id: _id, late: _late, ...rest } = before;
        const extended: Reservation = { id, ...rest, bytes: sizeBytes, untilMs: untilMs() };
        return { ...room, reservations: room.reservations.map((each) => (each.id === id ? extended : each)) };
      });
      return found;
    },
    async arrive(vault, known) {
      if (known.length > 0) await change(vault, (room) => arrived(room, bytesById(known)));
    },
    async settle(vault, known) {
      if (known.length > 0) await change(vault, (room) => settled(room, bytesById(known)));
    },
    async release(vault, id) {
      await change(vault, (room) => {
        if (!room.reservations.some((each) => each.id === id)) return undefined;
        return { ...room, reservations: room.reservations.filter((each) => each.id !== id) };
      });
    },
    take(vault, bytes, write) {
      const key = `${vault} ${write}`;
      return queue(key, async () => {
        const block = blocks.get(key);
        const isGood = block && block.untilMs - BLOCK_MARGIN_MS > clock() && block.left >= bytes;
        if (!isGood) await nextBlock(vault, key, bytes, write);
        const good = blocks.get(key);
        if (good) good.left -= bytes;
      });
    },
    async sharedByNobody(vault, device) {
      const stored = await records.read(stateKeys.room(vault), RoomRecord);
      return blobsOfNobodyElse(stored?.content ?? NO_ROOM, device);
    },
    async freed(vault) {
      await change(vault, (room) => (room === NO_ROOM ? undefined : { ...room, countedAtMs: 0 }));
    },
  };
}

const bytesById = (known: readonly KnownObject[]): ReadonlyMap<string, number> =>
  new Map(known.map(({ id, bytes }) => [id, bytes]));

const done = (): Promise<void> => Promise.resolve();

/** Without a quota. */
const UNLIMITED: Room = {
  reserve: done,
  extend: () => Promise.resolve(undefined),
  arrive: done,
  settle: done,
  release: done,
  take: done,
  sharedByNobody: () => Promise.resolve([]),
  freed: done,
};
