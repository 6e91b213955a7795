import * as v from 'valibot';
import { BlobId, Count, DeviceId } from '../../contract/ids.ts';
import { blobKeys } from './blob-keys.ts';

/** Bytes that may be on their way into the store, because a URL for them was signed or a broker writes them itself. */
const Reservation = v.strictObject({
  id: v.string(),
  /** Whose; absent for what the broker writes. */
  device: v.optional(DeviceId),
  bytes: Count,
  /** Nothing that is begun from then on lands under it. */
  untilMs: Count,
  /** A count has found nothing of it: it takes no room. Whatever comes of it yet is known to be this device's. */
  late: v.optional(v.literal(true)),
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
export type Reservation = v.InferOutput<typeof Reservation>;

/**
 * `m/<vault>.room`, where a quota is set: `usedBytes` and all of `reservations` are together never less than what the
 * store holds.
 */
export const RoomRecord = v.strictObject({
  /** Everything below `v/<vault>/` when it was last counted, and what has landed since. */
  usedBytes: Count,
  /** When it was last counted by listing; 0 for never, or when something was erased since. */
  countedAtMs: Count,
  /** A count that is under way: what lands meanwhile it may have passed by already. */
  counting: v.optional(v.strictObject({ id: v.string(), settledBytes: Count })),
  reservations: v.array(Reservation),
  /**
   * What has landed, and no code has taken in yet: bytes by object, by the device that has put it there. They are part
   * of `usedBytes`, and of that device's share, whoever is signed in there, and after it was signed out for good.
   */
  waiting: v.optional(v.record(DeviceId, v.record(v.string(), Count)), {}),
});
export type RoomRecord = v.InferOutput<typeof RoomRecord>;

/** Of which nothing is known. */
export const NO_ROOM: RoomRecord = { usedBytes: 0, countedAtMs: 0, reservations: [], waiting: {} };

/** A PUT that was begun in time may take so long: who sends a byte now and then is not cut off by S3. */
const LATE_MS = 24 * 60 * 60 * 1000;

/** What may still come of it. */
export const reservedBytes = ({ bytes, late }: Pick<Reservation, 'bytes' | 'late'>): number =>
  late ? 0 : bytes;

export const bytesOnTheWay = ({ reservations }: RoomRecord): number =>
  reservations.reduce((sum, each) => sum + reservedBytes(each), 0);

/** Of a multipart upload: S3's ids are long. */
export const uploadReservation = (uploadId: string): string => `upload ${uploadId}`;

/** A device's own: two that reserve the same object are both charged for it, and neither takes the other's over. */
const ownName = ({ id, device }: Pick<Reservation, 'id' | 'device'>): string => `${device ?? ''} ${id}`;

/** Where it lands. What is reserved is a blob by its id, a snapshot's page by its key, or an upload. */
function objectOf({ id, upload }: Pick<Reservation, 'id' | 'upload'>): string {
  if (upload) return blobKeys.blob(upload.blob);
  return id.includes('/') ? id : blobKeys.blob(id as BlobId);
}

/** What a device wants to put into the store. */
export interface Wanted {
  /** The same again is the same bytes, or at most so many. */
  readonly id: string;
  readonly bytes: number;
  readonly upload?: Reservation['upload'];
}

/** Of the same object again the most that was ever said counts: it may be under way still. */
export function withReservations(
  room: RoomRecord,
  device: DeviceId | undefined,
  wanted: readonly Wanted[],
  untilMs: number,
): RoomRecord {
  const known = new Map(room.reservations.map((each) => [ownName(each), each]));
  for (const { id, bytes, upload } of wanted) {
    const owner = device && { device };
    const name = ownName({ id, ...owner });
    const most = Math.max(bytes, known.get(name)?.bytes ?? 0);
    known.set(name, { id, ...owner, bytes: most, untilMs, ...(upload && { upload }) });
  }
  return { ...room, reservations: [...known.values()] };
}

/**
 * What a device has in the store and on its way there that no code has taken in, bytes by name. A blob that has landed
 * and is sent once more is one; parts of two uploads of a blob are two. What is late counts as it was announced, and so
 * does an upload that nobody goes on with: a PUT that takes hours, and one more URL, bring the rest of it.
 */
export function shareOf(room: RoomRecord, device: DeviceId | undefined): ReadonlyMap<string, number> {
  const share = new Map(Object.entries((device && room.waiting[device]) ?? {}));
  for (const each of room.reservations) {
    if (each.device !== device) continue;
    const name = each.upload ? each.id : objectOf(each);
    share.set(name, Math.max(each.upload?.sizeBytes ?? each.bytes, share.get(name) ?? 0));
  }
  return share;
}

/** Blobs that a device may have put there, and no other: no code has taken them in, as far as is known. */
export function blobsOfNobodyElse(room: RoomRecord, device: DeviceId): BlobId[] {
  const own = new Set<string>();
  const others = new Set<string>();
  for (const [of, objects] of ofDevices(room.waiting)) {
    for (const object of Object.keys(objects)) (of === device ? own : others).add(object);
  }
  for (const each of room.reservations) (each.device === device ? own : others).add(objectOf(each));
  return [...own]
    .filter((object) => !others.has(object) && object.startsWith(blobKeys.blobs))
    .map((object) => object.slice(blobKeys.blobs.length) as BlobId);
}

/** The objects are there: what was reserved for them counts as used, and towards a share no more. */
export function settled(room: RoomRecord, bytesById: ReadonlyMap<string, number>): RoomRecord | undefined {
  const adopted = new Set([...bytesById.keys()].map((id) => objectOf({ id })));
  const waiting = keptOf(room.waiting, (_device, object) => !adopted.has(object));
  const next = landed(room, bytesById);
  if (!next && sizeOf(waiting) === sizeOf(room.waiting)) return undefined;
  return { ...(next ?? room), waiting };
}

/** The objects are there: what was reserved for them counts as used, and goes on counting towards its device's share. */
export function arrived(room: RoomRecord, bytesById: ReadonlyMap<string, number>): RoomRecord | undefined {
  const next = landed(room, bytesById);
  const there = room.reservations.flatMap((each) => {
    const bytes = bytesById.get(each.id);
    return bytes === undefined ? [] : [{ ...each, bytes: landedBytes(each, bytes) }];
  });
  return next && { ...next, waiting: withWaiting(room.waiting, there) };
}

function landed(room: RoomRecord, bytesById: ReadonlyMap<string, number>): RoomRecord | undefined {
  const found = new Set(room.reservations.map(({ id }) => id).filter((id) => bytesById.has(id)));
  if (found.size === 0) return undefined;
  const bytes = [...found].reduce((sum, id) => sum + (bytesById.get(id) ?? 0), 0);
  const { counting } = room;
  return {
    ...room,
    usedBytes: room.usedBytes + bytes,
    ...(counting && { counting: { ...counting, settledBytes: counting.settledBytes + bytes } }),
    reservations: room.reservations.filter(({ id }) => !found.has(id)),
  };
}

/** Who has announced less than has landed has not put it there: somebody else reserved the same object. */
const landedBytes = ({ bytes, upload }: Reservation, found: number): number =>
  upload ? found : Math.min(bytes, found);

/** What a count has found of what it looked for. */
export interface Survey {
  /** Sizes of objects, by key. */
  readonly found: ReadonlyMap<string, number>;
  /** Objects that have an envelope: a code has taken them in, even if who did so has not come to say it. */
  readonly adopted: ReadonlySet<string>;
  /** Of ended uploads, by id, those that S3 still knows, with what their parts come to. */
  readonly parts: ReadonlyMap<string, number>;
}

/** What a count looks for: the objects that wait, and those that may have landed after their URLs had ended. */
export function soughtBy(room: RoomRecord, startedMs: number): ReadonlySet<string> {
  const waiting = Object.values(room.waiting).flatMap((objects) => Object.keys(objects));
  const overdue = room.reservations.filter(({ device, untilMs }) => device && untilMs <= startedMs);
  return new Set([...waiting, ...overdue.map(objectOf)]);
}

/**
 * After a count.
 * @param before as it was when the count began: what came to wait since is there, whether the count has seen it or not
 */
export function recounted(
  room: RoomRecord,
  before: RoomRecord,
  startedMs: number,
  measuredBytes: number,
  { found, adopted, parts }: Survey,
): RoomRecord {
  const isThere = (object: string): boolean => found.has(object) && !adopted.has(object);
  const overdue = room.reservations.filter(({ untilMs }) => untilMs <= startedMs);
  const late = overdue.flatMap((each) => {
    const object = objectOf(each);
    return isThere(object) ? [{ ...each, bytes: landedBytes(each, found.get(object) ?? 0) }] : [];
  });
  const known = keptOf(
    room.waiting,
    (device, object) => before.waiting[device]?.[object] === undefined || isThere(object),
  );
  return {
    usedBytes: measuredBytes + (room.counting?.settledBytes ?? 0),
    countedAtMs: startedMs,
    reservations: room.reservations.flatMap((each) => {
      if (each.untilMs > startedMs) return [each];
      const bytes = parts.get(each.id);
      if (bytes !== undefined && bytes > 0) return [onTime({ ...each, bytes })];
      const mayCome = each.device && (each.upload ? bytes === 0 : !found.has(objectOf(each)));
      return mayCome && each.untilMs + LATE_MS > startedMs ? [{ ...each, late: true as const }] : [];
    }),
    waiting: withWaiting(known, late),
  };
}

function onTime({ late: _late, ...reservation }: Reservation): Reservation {
  return reservation;
}

type Waiting = RoomRecord['waiting'];

const ofDevices = (waiting: Waiting) => Object.entries(waiting) as [DeviceId, Record<string, number>][];

const sizeOf = (waiting: Waiting): number =>
  Object.values(waiting).reduce((sum, objects) => sum + Object.keys(objects).length, 0);

function withWaiting(waiting: Waiting, there: readonly Reservation[]): Waiting {
  const next: Waiting = {};
  for (const [device, objects] of ofDevices(waiting)) next[device] = { ...objects };
  for (const each of there) {
    if (!each.device) continue;
    const own = (next[each.device] ??= {});
    const object = objectOf(each);
    own[object] = Math.max(each.bytes, own[object] ?? 0);
  }
  return next;
}

function keptOf(waiting: Waiting, isKept: (device: DeviceId, object: string) => boolean): Waiting {
  const next: Waiting = {};
  for (const [device, objects] of ofDevices(waiting)) {
    const kept = Object.entries(objects).filter(([object]) => isKept(device, object));
    if (kept.length > 0) next[device] = Object.fromEntries(kept);
  }
  return next;
}
