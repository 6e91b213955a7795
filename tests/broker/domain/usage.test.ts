import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { VaultId } from '$contract/ids.ts';
import { createRecordCodec } from '../../../broker/domain/state/record-codec.ts';
import { createRecords } from '../../../broker/domain/state/records.ts';
import { createUsage } from '../../../broker/domain/vault/usage.ts';
import { createVaultRecords, type VaultRecords } from '../../../broker/domain/vault/vault-record.ts';
import { MemoryVaultCloud, newVaultId } from '../../support/memory-vault-cloud.ts';

const DAY_MS = 24 * 60 * 60_000;
const vault: VaultId = newVaultId();
let records: VaultRecords;
let nowMs: number;
/** What the store really holds, and how often it was listed. */
let storedBytes: number;
let listed: number;

beforeEach(async () => {
  [nowMs, storedBytes, listed] = [1_800_000_000_000, 0, 0];
  records = createVaultRecords(
    createRecords(new MemoryVaultCloud().state, createRecordCodec(randomBytes(32))),
  );
  const head = { seq: 0, hash: 'A'.repeat(43) } as never;
  await records.create(vault, {
    ...{ members: [], head, epoch: 0, appends: [] },
    ...{ usedBytes: 0, countedAtMs: nowMs },
  });
});
function usage(quotaBytes?: number) {
  const measure = () => {
    listed += 1;
    return Promise.resolve(storedBytes);
  };
  return createUsage({ objects: { measure }, records, clock: () => nowMs, quotaBytes });
}
const room = async (sizeBytes: number, quotaBytes?: number) =>
  usage(quotaBytes).requireRoom(vault, (await records.read(vault))!, sizeBytes);
const full = expect.objectContaining({ code: 'store_full' }) as Error;

describe('room in a vault', () => {
  it('is there up to the quota, and without one always; nothing is listed for that', async () => {
    await room(100, 100);
    await room(2 ** 50);
    expect(listed).toBe(0);
  });

  it('is never refused by an estimate: what is there is listed first', async () => {
    await usage(100).add(vault, 90);
    storedBytes = 20;
    nowMs += 60_000;
    await room(80, 100);
    expect([listed, (await records.read(vault))?.usedBytes]).toEqual([1, 20]);
  });

  it('is refused when the listing says so, too, and again without listing for a minute', async () => {
    await usage(100).add(vault, 90);
    storedBytes = 90;
    nowMs += 60_000;
    await expect(room(11, 100)).rejects.toThrow(full);
    await expect(room(11, 100)).rejects.toThrow(full);
    expect(listed).toBe(1);
    nowMs += 60_000;
    storedBytes = 0;
    await room(11, 100);
  });

  it('is counted anew once a day, although there seems to be enough', async () => {
    storedBytes = 95;
    nowMs += DAY_MS;
    await expect(room(6, 100)).rejects.toThrow(full);
    expect(listed).toBe(1);
  });

  it('is given back by a purge, and an estimate ends at nothing', async () => {
    await usage().add(vault, 50);
    await usage().add(vault, -70);
    expect((await records.read(vault))?.usedBytes).toBe(0);
  });
});
