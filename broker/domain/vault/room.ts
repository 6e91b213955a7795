import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { BlobId, Count, DeviceId, type GrantId, type VaultId } from '../../contract/ids.ts';
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

/** Bytes that may be on their way into the store, because a URL for them was signed or a broker writes them itself. */
const Reservation = v.strictObject({
  id: v.string(),
  /** Whose; absent for what the broker writes. */
  device: v.optional(DeviceId),
  bytes: Count,
  /** Nothing lands under it from then on. */
  untilMs: Count,
  /** Of a multipart upload: S3 keeps its parts until it is completed or ended. */
  upload: v.optional(
    v.strictObject({
      blob: BlobId,
      uploadId: v.string(),
      sizeBytes: Count,
      firstPartBytes: Count,
      partBytes: Count,
    }),
  ),
});
type Reservation = v.InferOutput<typeof Reservation>;

/**
 * `m/<vault>.room`, where a quota is set: `usedBytes` and all of `reservations` are together never less than what the
 * store holds.
 */
export const RoomRecord = v.strictObject({
  /** Everything below `v/<vault>/` when it was last counted, and what has been settled since. */
  usedBytes: Count,
  /** When it was last counted by listing; 0 for never, or when something was erased since. */
  countedAtMs: Count,
  /** A count that is under way: what is settled meanwhile it may have passed by already. */
  counting: v.optional(v.strictObject({ id: v.string(), settledBytes: Count })),
  reservations: v.array(Reservation),
});
export type RoomRecord = v.InferOutput<typeof RoomRecord>;

/** What a device wants to put into the store. */
interface Wanted {
  /** The same again is the same bytes, or at most so many. */
  readonly id: string;
  readonly bytes: number;
  readonly upload?: Reservation['upload'];
}

/** What the broker writes itself. `erasing` is what frees or protects: identity-signed segments. */
type BrokerWrite = 'record' | 'journal' | 'erasing';

/**
 * How much a vault may hold. Where a quota is set, nothing gets a URL, and the broker writes nothing, that was not
 * reserved before by a conditional write; a reservation ends when its object is known (`settle`), or an hour after its
 * last URL, and then counts until the objects were counted anew. So what is stored never exceeds the quota, however
 * many brokers and URLs there are.
 */
export interface Room {
  /**
   * @param grant lifts the limits of a device that has typed no code
   * @throws BrokerProblem `store_full`; `grant_missing` when the device would have more than a quarter of the quota, or
   *   too many URLs, on their way
   */
  reserve(session: Session, vault: VaultId, wanted: readonly Wanted[], grant?: GrantId): Promise<void>;
  /**
   * What an upload was reserved with, for an hour more; undefined: no quota.
   * @throws BrokerProblem `upload_lost` when it was not
   */
  extend(vault: VaultId, uploadId: string): Promise<Wanted | undefined>;
  /** The objects are there: what they were reserved as counts as used. Unknown ids are none. */
  settle(vault: VaultId, settled: readonly { id: string; bytes: number }[]): Promise<void>;
  /** Nothing came of it, and nothing can come any more. */
  release(vault: VaultId, id: string): Promise<void>;
  /** Before the broker writes so many bytes. @throws BrokerProblem `store_full` */
  take(vault: VaultId, bytes: number, write: BrokerWrite): Promise<void>;
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
/** Of the quota, for the URLs of a device without a grant. */
const DEVICE_SHARE = 4;
/** URLs whose object was not told of, of a device without a grant. */
const DEVICE_RESERVATIONS = 1000;
/** A full vault that is asked again and again is not listed each time. */
const RECOUNT_PAUSE_MS = 60_000;

/** There may be room: what is kept says too much. */
class NeedsCount extends Error {}

/** Of a multipart upload: S3's ids are long. */
export const uploadReservation = (uploadId: string): string => `upload ${uploadId}`;

export interface RoomDeps {
  readonly objects: Pick<VaultObjects, 'measure' | 'listParts'>;
  readonly records: Records;
  readonly grants: Pick<Grants, 'require'>;
  readonly clock: Clock;
  /** undefined: no limit, and nothing is kept. */
  readonly quotaBytes: number | undefined;
}

const NONE: RoomRecord = { usedBytes: 0, countedAtMs: 0, reservations: [] };

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
    records.update(stateKeys.room(vault), RoomRecord, (stored) => next(stored ?? NONE));

  /** @throws BrokerProblem `store_full`; NeedsCount when a count may help */
  function requireRoom(room: RoomRecord, bytes: number, limit: number): void {
    const reserved = room.reservations.reduce((sum, each) => sum + each.bytes, 0);
    if (room.countedAtMs > 0 && room.usedBytes + reserved + bytes <= limit) return;
    if (clock() - room.countedAtMs < RECOUNT_PAUSE_MS) throw new BrokerProblem('store_full');
    throw new NeedsCount('expected room by what is kept');
  }

  /** Does it, if need be after a count. */
  async function counted(vault: VaultId, next: (room: RoomRecord) => RoomRecord | undefined): Promise<void> {
    try {
      await change(vault, next);
    } catch (reason) {
      if (!(reason instanceof NeedsCount)) throw reason;
      await count(vault);
      await change(vault, next).catch((still: unknown) => {
        throw still instanceof NeedsCount ? new BrokerProblem('store_full') : still;
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
    const before = await change(vault, (room) => ({ ...room, counting: { id, settledBytes: 0 } }));
    const [measured, lasting] = await Promise.all([
      objects.measure(vault, ''),
      partsOf(
        vault,
        (before ?? NONE).reservations.filter(({ untilMs }) => untilMs <= startedMs),
      ),
    ]);
    await change(vault, (room) => {
      // Another broker counts as well: the one that began last is right for both.
      if (room.counting?.id !== id) return undefined;
      return {
        usedBytes: measured + room.counting.settledBytes,
        countedAtMs: startedMs,
        reservations: room.reservations.flatMap((each) =>
          each.untilMs > startedMs ? [each] : (lasting.get(each.id) ?? []),
        ),
      };
    });
  }

  /** Those of ended uploads of which S3 still has parts, with what these come to. */
  async function partsOf(
    vault: VaultId,
    ended: readonly Reservation[],
  ): Promise<ReadonlyMap<string, Reservation>> {
    const lasting = new Map<string, Reservation>();
    for (const each of ended) {
      if (!each.upload) continue;
      const parts = await objects.listParts(vault, blobKeys.blob(each.upload.blob), each.upload.uploadId);
      const bytes = parts?.reduce((sum, part) => sum + part.sizeBytes, 0) ?? 0;
      if (bytes > 0) lasting.set(each.id, { ...each, bytes });
    }
    return lasting;
  }

  function requireShare(room: RoomRecord, device: DeviceId | undefined, wanted: readonly Wanted[]): void {
    const ids = new Set(wanted.map(({ id }) => id));
    const own = room.reservations.filter(
      (each) => each.device === device && each.untilMs > clock() && !ids.has(each.id),
    );
    const bytes = [...own, ...wanted].reduce((sum, each) => sum + each.bytes, 0);
    if (bytes > quota / DEVICE_SHARE || own.length + wanted.length > DEVICE_RESERVATIONS) {
      throw new BrokerProblem('grant_missing');
    }
  }

  function reserved(room: RoomRecord, device: DeviceId | undefined, wanted: readonly Wanted[]): RoomRecord {
    const known = new Map(room.reservations.map((each) => [each.id, each]));
    let more = 0;
    for (const { id, bytes, upload } of wanted) {
      const before = known.get(id)?.bytes ?? 0;
      more += Math.max(0, bytes - before);
      const owner = device && { device };
      known.set(id, {
        id,
        ...owner,
        bytes: Math.max(bytes, before),
        untilMs: untilMs(),
        ...(upload && { upload }),
      });
    }
    if (more > 0) requireRoom(room, more, quota);
    return { ...room, reservations: [...known.values()] };
  }

  function settled(room: RoomRecord, ids: ReadonlyMap<string, number>): RoomRecord | undefined {
    const found = room.reservations.filter(({ id }) => ids.has(id));
    if (found.length === 0) return undefined;
    const bytes = found.reduce((sum, { id }) => sum + (ids.get(id) ?? 0), 0);
    const { counting } = room;
    return {
      ...room,
      usedBytes: room.usedBytes + bytes,
      ...(counting && { counting: { ...counting, settledBytes: counting.settledBytes + bytes } }),
      reservations: room.reservations.filter(({ id }) => !ids.has(id)),
    };
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
          if (!hasGrant) requireShare(room, device, wanted);
          return reserved(room, device, wanted);
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
        if (before.bytes >= sizeBytes && before.untilMs - HOUR_MS > clock()) return undefined;
        if (before.bytes < sizeBytes) requireRoom(room, sizeBytes - before.bytes, quota);
        const extended = { ...before, bytes: sizeBytes, untilMs: untilMs() };
        return { ...room, reservations: room.reservations.map((each) => (each.id === id ? extended : each)) };
      });
      return found;
    },
    async settle(vault, objectsKnown) {
      if (objectsKnown.length === 0) return;
      const ids = new Map(objectsKnown.map(({ id, bytes }) => [id, bytes]));
      await change(vault, (room) => settled(room, ids));
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
    async freed(vault) {
      await change(vault, (room) => (room === NONE ? undefined : { ...room, countedAtMs: 0 }));
    },
  };
}

const done = (): Promise<void> => Promise.resolve();

/** Without a quota. */
const UNLIMITED: Room = {
  reserve: done,
  extend: () => Promise.resolve(undefined),
  settle: done,
  release: done,
  take: done,
  freed: done,
};
