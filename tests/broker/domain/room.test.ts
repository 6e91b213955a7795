import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { createGrants } from '../../../broker/domain/auth/grants.ts';
import { createRecordCodec } from '../../../broker/domain/state/record-codec.ts';
import { createRecords, type Records } from '../../../broker/domain/state/records.ts';
import { stateKeys } from '../../../broker/domain/state/state-keys.ts';
import { createRoom, type Room, RoomRecord, uploadReservation } from '../../../broker/domain/vault/room.ts';
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

  it('has it again once what was on its way is known', async () => {
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

  it('of which nothing came is forgotten after its hour', async () => {
    const room = open(100);
    const { uploadId } = await begin(room);
    nowMs += 2 * HOUR_MS;
    await room.reserve(session, vault, [{ id: 'b', bytes: 95 }], await grant());
    await expect(room.extend(vault, uploadId)).rejects.toMatchObject({ code: 'upload_lost' });
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
