import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { createGrants } from '../../../broker/domain/auth/grants.ts';
import { createRecordCodec } from '../../../broker/domain/state/record-codec.ts';
import { createRecords, type Records } from '../../../broker/domain/state/records.ts';
import { stateKeys } from '../../../broker/domain/state/state-keys.ts';
import { createRoom, type Room } from '../../../broker/domain/vault/room.ts';
import { RoomRecord, uploadReservation } from '../../../broker/domain/vault/room-record.ts';
import { MemoryVaultCloud, newVaultId } from '../../support/memory-vault-cloud.ts';
import { newBlobId, newGrantId, newSession } from '../../support/vault-side.ts';

const MIB = 1024 * 1024;
const HOUR_MS = 60 * 60_000;
const vault = newVaultId();
const session = newSession();
let cloud: MemoryVaultCloud;
let records: Records;
let nowMs: number;
/** How often the store was listed. */
let listed: number;
let whileListing: () => Promise<void>;

beforeEach(() => {
  cloud = new MemoryVaultCloud();
  records = createRecords(cloud.state, createRecordCodec(randomBytes(32)));
  [nowMs, listed, whileListing] = [1_800_000_000_000, 0, () => Promise.resolve()];
});
function open(quotaBytes: number | undefined): Room {
  const clock = () => nowMs;
  const grants = createGrants(records, clock, { grantSeconds: 300, grantReleases: 10 });
  const objects = {
    ...cloud.vaultObjects,
    measure: async (...args: Parameters<typeof cloud.vaultObjects.measure>) => {
      listed += 1;
      const bytes = await cloud.vaultObjects.measure(...args);
      await whileListing();
      return bytes;
    },
  };
  return createRoom({ objects, records, grants, clock, quotaBytes });
}
const grant = async () =>
  (
    await createGrants(records, () => nowMs, { grantSeconds: 300, grantReleases: 10 }).issue(session, {
      kind: 'release',
    })
  ).id;
const put = (key: string, bytes: number) =>
  cloud.vaultObjects.create(vault, key, new Uint8Array(bytes).fill(bytes % 251));
const kept = async () => (await records.read(stateKeys.room(vault), RoomRecord))?.content;
const full = expect.objectContaining({ code: 'store_full' }) as Error;
const wantsCode = expect.objectContaining({ code: 'grant_missing' }) as Error;

describe('room in a vault', () => {
  it('is there without a quota, and nothing is asked or kept', async () => {
    await open(undefined).reserve(session, vault, [{ id: 'a', bytes: 2 ** 50 }]);
    expect([listed, cloud.states.size]).toEqual([0, 0]);
  });

  it('is taken up by what is on its way as by what is there', async () => {
    const room = open(100);
    await put('blobs/old', 40);
    const code = await grant();
    await room.reserve(session, vault, [{ id: 'a', bytes: 50 }], code);
    await expect(room.reserve(session, vault, [{ id: 'b', bytes: 11 }], code)).rejects.toThrow(full);
    await room.reserve(session, vault, [{ id: 'b', bytes: 10 }], code);
    expect(listed).toBe(1);
  });

  it('is not exceeded by any number of URLs that are asked for at once, at two brokers', async () => {
    const [one, other] = [open(1000), open(1000)];
    const code = await grant();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 40 }, (_none, n) =>
        (n % 2 ? one : other).reserve(session, vault, [{ id: `blob ${String(n)}`, bytes: 100 }], code),
      ),
    );
    const got = outcomes.filter(({ status }) => status === 'fulfilled').length;
    expect(got).toBeLessThanOrEqual(10);
    expect((await kept())?.reservations.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(1000);
  });

  it('is reserved once for the same object, for the longest that was said of it', async () => {
    const room = open(100);
    const code = await grant();
    for (const bytes of [30, 60, 10]) await room.reserve(session, vault, [{ id: 'a', bytes }], code);
    expect((await kept())?.reservations).toMatchObject([{ id: 'a', bytes: 60 }]);
  });

  it('counts as used once the object is known, and never twice', async () => {
    const room = open(100);
    await room.reserve(session, vault, [{ id: 'a', bytes: 20 }]);
    await put('blobs/a', 20);
    for (let times = 0; times < 2; times += 1) await room.settle(vault, [{ id: 'a', bytes: 20 }]);
    expect(await kept()).toMatchObject({ usedBytes: 20, reservations: [] });
  });

  it('is not given back by time alone: after an hour the objects say what came of it', async () => {
    const room = open(100);
    const code = await grant();
    await room.reserve(session, vault, [{ id: 'landed', bytes: 60 }], code);
    await put('blobs/landed', 60);
    nowMs += 2 * HOUR_MS;
    const later = await grant();
    await expect(room.reserve(session, vault, [{ id: 'b', bytes: 41 }], later)).rejects.toThrow(full);
    await room.reserve(session, vault, [{ id: 'b', bytes: 40 }], later);
    expect(await kept()).toMatchObject({ usedBytes: 60, reservations: [{ id: 'b' }] });
  });

  it('is counted anew when something was erased, and else once a minute at most', async () => {
    const room = open(100);
    await put('blobs/a', 90);
    const ask = () => room.reserve(session, vault, [{ id: 'b', bytes: 20 }]);
    for (let times = 0; times < 3; times += 1) await expect(ask()).rejects.toThrow(full);
    expect(listed).toBe(1);
    cloud.objects.clear();
    await room.freed(vault);
    await ask();
    expect(listed).toBe(2);
  });

  it('is counted with what is settled while the count is under way', async () => {
    const room = open(100);
    const code = await grant();
    await room.reserve(session, vault, [{ id: 'a', bytes: 30 }], code);
    nowMs += 60_000;
    // It lands behind the listing, and is told of before the count is written.
    whileListing = async () => {
      whileListing = () => Promise.resolve();
      await put('blobs/a', 30);
      await room.settle(vault, [{ id: 'a', bytes: 30 }]);
    };
    await expect(room.reserve(session, vault, [{ id: 'b', bytes: 80 }], code)).rejects.toThrow(full);
    expect((await kept())?.usedBytes).toBe(30);
  });
});

describe('a device without a code', () => {
  it('has a quarter of the quota on its way, with one as much as there is; another device has its own', async () => {
    const room = open(100);
    await room.reserve(session, vault, [{ id: 'a', bytes: 25 }]);
    await expect(room.reserve(session, vault, [{ id: 'b', bytes: 1 }])).rejects.toThrow(wantsCode);
    await expect(room.reserve(session, vault, [{ id: 'b', bytes: 1 }], newGrantId())).rejects.toThrow(
      wantsCode,
    );
    await room.reserve(newSession(), vault, [{ id: 'c', bytes: 25 }]);
    await room.reserve(session, vault, [{ id: 'b', bytes: 50 }], await grant());
  });

  it('has it again once a code has taken in what was on its way', async () => {
    const room = open(100);
    await room.reserve(session, vault, [{ id: 'a', bytes: 25 }]);
    await room.settle(vault, [{ id: 'a', bytes: 25 }]);
    await room.reserve(session, vault, [{ id: 'b', bytes: 25 }]);
  });

  it('has a thousand URLs on their way', async () => {
    const room = open(2 ** 40);
    const wanted = Array.from({ length: 1000 }, (_none, n) => ({ id: String(n), bytes: 1 }));
    await room.reserve(session, vault, wanted);
    await expect(room.reserve(session, vault, [{ id: 'one more', bytes: 1 }])).rejects.toThrow(wantsCode);
  });
});

describe('what a device without a code has put there', () => {
  /** As a device does that has a URL, and tells of what has landed. */
  async function land(room: Room, id: string, bytes: number, of = session): Promise<void> {
    await room.reserve(of, vault, [{ id, bytes }]);
    await put(`blobs/${id}`, bytes);
    await room.arrive(vault, [{ id, bytes }]);
  }
  const ask = (room: Room, bytes: number, of = session) =>
    room.reserve(of, vault, [{ id: newBlobId(), bytes }]);

  it('counts towards its quarter until a code has taken it in, and nobody else’s', async () => {
    const room = open(100);
    await land(room, 'a', 25);
    await expect(ask(room, 1)).rejects.toThrow(wantsCode);
    await land(room, 'b', 25, newSession());
    await room.settle(vault, [{ id: 'a', bytes: 25 }]);
    await ask(room, 25);
    expect(await kept()).toMatchObject({ usedBytes: 50 });
  });

  it('counts for every session of the device', async () => {
    const room = open(100);
    await land(room, 'a', 25);
    const { device, deviceKey } = session;
    const again = { ...newSession(), device, ...(deviceKey && { deviceKey }) };
    await expect(ask(room, 1, again)).rejects.toThrow(wantsCode);
  });

  it('is a thousand objects at most, however small', async () => {
    const room = open(2 ** 40);
    const objects = Array.from({ length: 1000 }, (_none, n) => ({ id: String(n), bytes: 1 }));
    await room.reserve(session, vault, objects);
    await room.arrive(vault, objects);
    await expect(ask(room, 1)).rejects.toThrow(wantsCode);
  });

  it('is one, when it is sent once more', async () => {
    const room = open(100);
    await land(room, 'a', 20);
    await room.reserve(session, vault, [{ id: 'a', bytes: 20 }]);
    await ask(room, 5);
    await expect(ask(room, 1)).rejects.toThrow(wantsCode);
  });

  it('counts when nobody has told of it, and what has not come within a day does not', async () => {
    const room = open(100);
    await room.reserve(session, vault, [
      { id: 'landed', bytes: 15 },
      { id: 'never', bytes: 10 },
    ]);
    await put('blobs/landed', 15);
    nowMs += 2 * HOUR_MS;
    await expect(ask(room, 1)).rejects.toThrow(wantsCode);
    nowMs += 24 * HOUR_MS;
    await expect(ask(room, 11)).rejects.toThrow(wantsCode);
    await ask(room, 10);
    expect((await kept())?.waiting).toEqual({ [session.device]: { 'blobs/landed': 15 } });
  });

  it('counts while its PUT takes hours, and a count has found nothing of it, as much as was ever said', async () => {
    const room = open(100);
    await room.reserve(session, vault, [{ id: 'slow', bytes: 20 }]);
    nowMs += 2 * HOUR_MS;
    await expect(ask(room, 6)).rejects.toThrow(wantsCode);
    nowMs += 2 * HOUR_MS;
    await room.reserve(session, vault, [{ id: 'slow', bytes: 1 }]);
    await put('blobs/slow', 20);
    nowMs += 2 * HOUR_MS;
    await expect(ask(room, 6)).rejects.toThrow(wantsCode);
    await ask(room, 5);
  });

  it('is not taken for something slow for longer than a day', async () => {
    const room = open(100);
    const many = Array.from({ length: 1000 }, () => ({ id: newBlobId(), bytes: 0 }));
    await room.reserve(session, vault, many);
    nowMs += 20 * HOUR_MS;
    await expect(ask(room, 1)).rejects.toThrow(wantsCode);
    nowMs += 6 * HOUR_MS;
    await ask(room, 1);
  });

  it('counts as a snapshot’s page for as long as the page is there', async () => {
    const room = open(100);
    const page = `snapshots/3/${newBlobId()}`;
    await room.reserve(session, vault, [{ id: page, bytes: 25 }]);
    await put(page, 25);
    nowMs += 2 * HOUR_MS;
    await expect(ask(room, 1)).rejects.toThrow(wantsCode);
    cloud.objects.clear();
    nowMs += HOUR_MS;
    await ask(room, 25);
  });

  it('counts no more when it was swept, which is looked for once an hour at most', async () => {
    const room = open(100);
    await land(room, 'a', 25);
    cloud.objects.clear();
    listed = 0;
    for (let minutes = 0; minutes < 55; minutes += 5) {
      await expect(ask(room, 1)).rejects.toThrow(wantsCode);
      nowMs += 5 * 60_000;
    }
    expect(listed).toBe(0);
    nowMs += 10 * 60_000;
    await ask(room, 25);
    expect(listed).toBe(1);
  });

  it('counts no more at once when somebody has erased something', async () => {
    const room = open(100);
    await land(room, 'a', 25);
    cloud.objects.clear();
    nowMs += 60_000;
    await room.freed(vault);
    await ask(room, 25);
  });

  it('counts no more when it has an envelope, whoever ended before saying so', async () => {
    const room = open(100);
    const blob = newBlobId();
    await land(room, blob, 25);
    await put(`keys/${blob}/0`, 3);
    nowMs += HOUR_MS;
    await ask(room, 25);
    expect((await kept())?.waiting).toEqual({});
  });

  it('that has landed during a count, behind the listing, goes on counting', async () => {
    const room = open(100);
    await room.reserve(session, vault, [{ id: 'a', bytes: 25 }]);
    nowMs += 2 * HOUR_MS;
    whileListing = async () => {
      whileListing = () => Promise.resolve();
      await put('blobs/a', 25);
      await room.arrive(vault, [{ id: 'a', bytes: 25 }]);
    };
    await expect(ask(room, 1)).rejects.toThrow(wantsCode);
    expect((await kept())?.waiting).toEqual({ [session.device]: { 'blobs/a': 25 } });
  });

  it('is each device’s own, where two have reserved the same object', async () => {
    const room = open(100);
    const thief = newSession();
    await room.reserve(session, vault, [{ id: 'a', bytes: 5 }]);
    await room.reserve(thief, vault, [{ id: 'a', bytes: 25 }]);
    await put('blobs/a', 25);
    await room.arrive(vault, [{ id: 'a', bytes: 25 }]);
    expect(await kept()).toMatchObject({ usedBytes: 25, reservations: [] });
    await expect(ask(room, 1, thief)).rejects.toThrow(wantsCode);
    await ask(room, 20);
  });

  it('is a quarter at most, through two brokers at once', async () => {
    const rooms = [open(1000), open(1000)] as const;
    const landAt = async (room: Room, n: number) => {
      await land(room, String(n), 10);
    };
    await Promise.allSettled(Array.from({ length: 80 }, (_none, n) => landAt(rooms[n % 2 ? 0 : 1], n)));
    const there = await cloud.vaultObjects.measure(vault, '');
    expect(there).toBeLessThanOrEqual(250);
    expect(there).toBeGreaterThan(100);
  });

  it('is lifted by a grant, and nothing is counted for it', async () => {
    const room = open(100);
    await land(room, 'a', 25);
    nowMs += 2 * HOUR_MS;
    listed = 0;
    await room.reserve(session, vault, [{ id: 'b', bytes: 50 }], await grant());
    expect(listed).toBe(0);
  });

  it('that was kept before any of this was, waits for nobody', async () => {
    const room = open(100);
    await records.create(stateKeys.room(vault), { usedBytes: 10, countedAtMs: nowMs, reservations: [] });
    await ask(room, 25);
  });
});

describe('an upload in parts', () => {
  const blob = newBlobId();
  async function begin(room: Room, sizeBytes = 20) {
    const uploadId = await cloud.vaultObjects.createUpload(vault, `blobs/${blob}`);
    const upload = { blob, uploadId, sizeBytes, firstPartBytes: 10, partBytes: 10 };
    const id = uploadReservation(uploadId);
    await room.reserve(session, vault, [{ id, bytes: sizeBytes, upload }]);
    return { uploadId, id };
  }

  it('is reserved whole, and goes on being when its URLs do', async () => {
    const room = open(100);
    const { uploadId } = await begin(room);
    nowMs += HOUR_MS;
    expect(await room.extend(vault, uploadId)).toMatchObject({ bytes: 20 });
    nowMs += HOUR_MS;
    await expect(
      room.reserve(newSession(), vault, [{ id: 'b', bytes: 81 }], await grant()),
    ).rejects.toThrow();
    await expect(room.extend(vault, 'another')).rejects.toMatchObject({ code: 'upload_lost' });
  });

  it('that nobody goes on with counts with the parts that S3 has of it, and may go on later', async () => {
    const room = open(100);
    const { uploadId } = await begin(room);
    cloud.putPart(uploadId, 1, new Uint8Array(10));
    nowMs += 2 * HOUR_MS;
    const code = await grant();
    await room.reserve(session, vault, [{ id: 'b', bytes: 85 }], code);
    expect((await kept())?.reservations).toMatchObject([{ bytes: 10 }, { bytes: 85 }]);
    await expect(room.extend(vault, uploadId)).rejects.toThrow(full);
    await room.release(vault, 'b');
    expect(await room.extend(vault, uploadId)).toBeDefined();
    expect((await kept())?.reservations).toMatchObject([{ bytes: 20 }]);
  });

  it('counts towards its device’s share: ended, in parts that S3 still has, and completed', async () => {
    const room = open(100);
    const { uploadId, id } = await begin(room);
    cloud.putPart(uploadId, 1, new Uint8Array(10));
    nowMs += 2 * HOUR_MS;
    await expect(room.reserve(session, vault, [{ id: 'b', bytes: 16 }])).rejects.toThrow(wantsCode);
    await room.extend(vault, uploadId);
    await put(`blobs/${blob}`, 20);
    cloud.uploads.delete(uploadId);
    await room.arrive(vault, [{ id, bytes: 20 }]);
    await expect(room.reserve(session, vault, [{ id: 'b', bytes: 6 }])).rejects.toThrow(wantsCode);
    await room.settle(vault, [{ id: blob, bytes: 20 }]);
    await room.reserve(session, vault, [{ id: 'b', bytes: 25 }]);
  });

  it.each([
    ['nothing', 0],
    ['one part', 1],
  ])('counts whole while there is %s of it, for it may be gone on with at any time', async (_what, parts) => {
    const room = open(100);
    const { uploadId } = await begin(room);
    for (let part = 1; part <= parts; part += 1) cloud.putPart(uploadId, part, new Uint8Array(1));
    nowMs += 2 * HOUR_MS;
    await expect(room.reserve(session, vault, [{ id: 'b', bytes: 6 }])).rejects.toThrow(wantsCode);
    await room.reserve(newSession(), vault, [{ id: 'c', bytes: 25 }]);
    await room.reserve(session, vault, [{ id: 'b', bytes: 5 }]);
    await room.extend(vault, uploadId);
    await expect(room.reserve(session, vault, [{ id: 'd', bytes: 1 }])).rejects.toThrow(wantsCode);
  });

  it('that was completed, which nobody came to tell, counts once its hour is over', async () => {
    const room = open(100);
    const { uploadId } = await begin(room);
    cloud.uploads.delete(uploadId);
    await put(`blobs/${blob}`, 20);
    nowMs += 2 * HOUR_MS;
    await expect(room.reserve(session, vault, [{ id: 'b', bytes: 6 }])).rejects.toThrow(wantsCode);
  });

  it('of which nothing came takes no room after its hour, and is forgotten after a day', async () => {
    const room = open(100);
    const { uploadId } = await begin(room);
    nowMs += 2 * HOUR_MS;
    const more = async () => room.reserve(session, vault, [{ id: 'b', bytes: 95 }], await grant());
    await more();
    await expect(room.extend(vault, uploadId)).rejects.toThrow(full);
    await room.settle(vault, [{ id: 'b', bytes: 0 }]);
    await room.extend(vault, uploadId);
    expect((await kept())?.reservations).toMatchObject([{ bytes: 20 }]);
    nowMs += 26 * HOUR_MS;
    await more();
    await expect(room.extend(vault, uploadId)).rejects.toMatchObject({ code: 'upload_lost' });
  });

  it('that comes to an end after a count had found nothing of it counts towards its device’s share', async () => {
    const room = open(100);
    const { uploadId, id } = await begin(room);
    nowMs += 2 * HOUR_MS;
    await room.reserve(session, vault, [{ id: 'b', bytes: 95 }], await grant());
    await room.release(vault, 'b');
    cloud.uploads.delete(uploadId);
    await room.arrive(vault, [{ id, bytes: 20 }]);
    await expect(room.reserve(session, vault, [{ id: 'c', bytes: 6 }])).rejects.toThrow(wantsCode);
  });
});

describe('what the broker writes itself', () => {
  it('costs one write of the record for many segments', async () => {
    const room = open(1024 * MIB);
    await room.take(vault, 1000, 'journal');
    let writes = 0;
    const replace = cloud.state.replace.bind(cloud.state);
    cloud.state.replace = (...args) => {
      writes += 1;
      return replace(...args);
    };
    for (let n = 0; n < 200; n += 1) await room.take(vault, 1000, 'journal');
    expect(writes).toBe(0);
    for (let n = 0; n < 200; n += 1) await room.take(vault, 1000, 'journal');
    expect(writes).toBeLessThanOrEqual(2);
  });

  it.each([
    ['records', 'record', 0],
    ['segments and envelopes', 'journal', 12],
    ['identity-signed segments', 'erasing', 16],
  ] as const)('has, for %s, %s: %i MiB beyond the quota', async (_what, write, mib) => {
    const room = open(MIB);
    const code = await grant();
    await room.reserve(session, vault, [{ id: 'all', bytes: MIB }], code);
    let taken = 0;
    for (; taken < 20 * MIB; taken += MIB / 4) {
      const isTaken = await room.take(vault, MIB / 4, write).then(
        () => true,
        () => false,
      );
      if (!isTaken) break;
    }
    expect(taken / MIB).toBe(mib);
  });

  it('takes what frees room when devices have filled theirs', async () => {
    const room = open(MIB);
    await room.reserve(session, vault, [{ id: 'all', bytes: MIB }], await grant());
    for (let n = 0; n < 12; n += 1) await room.take(vault, MIB, 'journal');
    await expect(room.take(vault, 1, 'journal')).rejects.toThrow(full);
    await room.take(vault, 1000, 'erasing');
  });
});
