import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BlobId, VaultId } from '$contract/ids.ts';
import type { Session } from '../../../broker/domain/account/session.ts';
import { keptProof } from '../../../broker/domain/auth/proof.ts';
import { MemoryVaultCloud, newVaultId, sha256B64 } from '../../support/memory-vault-cloud.ts';
import { newRecord } from '../../support/vault-inbox.ts';
import { newBlobId, newSession, startVaultSide, type TestVaultSide } from '../../support/vault-side.ts';

const NOW_MS = 1_800_000_000_000;
const SINCE_MS = NOW_MS - 60 * 60_000;
const [BEFORE_MS, AFTER_MS] = [SINCE_MS - 1, SINCE_MS];
const PROOF = randomBytes(32).toString('base64url');
const QUOTA = 40_000;

let cloud: MemoryVaultCloud;
let side: TestVaultSide;
let vault: VaultId;
/** Who signs the others out. */
let owner: Session;
let lost: ReturnType<typeof newSession>;
let third: ReturnType<typeof newSession>;
/** Devices that the account has. */
let enrolled: string[];

function start(quotaBytes: number | undefined): TestVaultSide {
  const { state, vaultObjects: objects, kms, purger } = cloud;
  const recall = () => {
    const proof = keptProof(PROOF, NOW_MS);
    return Promise.resolve({
      devices: enrolled.map((id) => ({ id })),
      sessions: [{ id: owner.sessionId, proof }],
    } as never);
  };
  const settings = { quotaBytes };
  return startVaultSide(
    { state, objects, kms, purger },
    { accounts: { recall }, clock: () => NOW_MS, settings },
  );
}

beforeEach(() => {
  cloud = new MemoryVaultCloud();
  vault = newVaultId();
  [owner, lost, third] = [newSession(), newSession(), newSession()];
  enrolled = [owner.device ?? ''];
  side = start(QUOTA);
});

/** A blob of so many bytes, as one is put there. */
async function put(
  of: Session,
  about: { atMs?: number; blob?: BlobId; bytes?: number } = {},
): Promise<BlobId> {
  const { atMs = AFTER_MS, blob = newBlobId(), bytes = 100 } = about;
  const content = randomBytes(bytes);
  const sha256 = sha256B64(content);
  await side.uploads.putUrls(of, vault, { blobs: [{ blob, sizeBytes: bytes, sha256 }] });
  cloud.objects.set(`v/${vault}/blobs/${blob}`, { bytes: content, sha256, modifiedMs: atMs });
  return blob;
}
/** Nothing has come of it yet. */
const reserve = (of: Session, sizeBytes: number, blob = newBlobId()) =>
  side.uploads.putUrls(of, vault, { blobs: [{ blob, sizeBytes, sha256: sha256B64(randomBytes(3)) }] });
async function tell(of: Session, blob: BlobId, atMs = AFTER_MS): Promise<void> {
  const record = Buffer.from(newRecord(of, vault, blob), 'base64url');
  expect(await side.inbox.write(of, vault, [{ blob, record }])).toEqual([]);
  const key = `v/${vault}/inbox/${of.device ?? ''}/${blob}`;
  const { bytes, sha256 } = cloud.objects.get(key)!;
  cloud.objects.set(key, { bytes, sha256, modifiedMs: atMs });
}
const discard = (sinceMs = SINCE_MS, by = owner, proof = PROOF) =>
  side.discarding.discard(by, vault, { proof, device: lost.device, sinceMs });
const isThere = (blob: BlobId) => cloud.objects.has(`v/${vault}/blobs/${blob}`);
const isTold = (of: Session, blob: BlobId) =>
  cloud.objects.has(`v/${vault}/inbox/${of.device ?? ''}/${blob}`);

describe('what a lost device has left in the inbox', () => {
  it('goes, records and blobs, from the moment on that is named, and what was before stays', async () => {
    const [told, untold, before] = [
      await put(lost),
      await put(lost),
      await put(lost, { atMs: BEFORE_MS }),
    ] as const;
    await tell(lost, told);
    await tell(lost, before, BEFORE_MS);
    expect(await discard()).toEqual([]);
    expect([told, untold, before].map(isThere)).toEqual([false, false, true]);
    expect([told, before].map((blob) => isTold(lost, blob))).toEqual([false, true]);
    const { events } = await side.events.read(owner.account, 0);
    expect(events).toMatchObject([{ kind: 'inbox-removed', device: owner.device, blobs: [told, untold] }]);
  });

  it('goes as a record alone where it was told of later than it came', async () => {
    const blob = await put(lost, { atMs: BEFORE_MS });
    await tell(lost, blob);
    await discard();
    expect([isTold(lost, blob), isThere(blob)]).toEqual([false, true]);
  });

  it('makes room at once', async () => {
    for (let n = 0; n < 5; n += 1) await tell(lost, await put(lost, { bytes: 2000 }));
    await expect(put(lost)).rejects.toMatchObject({ code: 'grant_missing' });
    for (let n = 0; n < 2; n += 1) await reserve(newSession(), 10_000);
    await expect(reserve(third, 9000)).rejects.toMatchObject({ code: 'store_full' });
    await discard();
    await reserve(third, 9000);
  });

  it('stays where it has an envelope, or another device names or reserved the same blob', async () => {
    const [adopted, named, reserved] = [await put(lost), await put(lost), await put(lost)] as const;
    await cloud.vaultObjects.create(vault, `keys/${adopted}/0`, randomBytes(3));
    await tell(third, named);
    await reserve(third, 100, reserved);
    await discard();
    expect([adopted, named, reserved].map(isThere)).toEqual([true, true, true]);
    expect(isTold(third, named)).toBe(true);
  });

  it('loses its records alone where it names another device’s blob', async () => {
    const blob = await put(third);
    await tell(lost, blob);
    await discard();
    expect([isTold(lost, blob), isThere(blob)]).toEqual([false, true]);
  });

  it('loses its records alone where no quota is set: its blobs are swept', async () => {
    side = start(undefined);
    const blob = await put(lost);
    await tell(lost, blob);
    await discard();
    expect([isTold(lost, blob), isThere(blob)]).toEqual([false, true]);
  });

  it('is named where the store keeps it, and the same again is fine', async () => {
    const blob = await put(lost);
    cloud.held.add(`v/${vault}/blobs/${blob}`);
    expect(await discard()).toEqual([{ blob, code: 'store_refused' }]);
    cloud.held.clear();
    expect(await discard()).toEqual([]);
    expect(isThere(blob)).toBe(false);
  });

  it.each([
    ['without a proof', () => discard(SINCE_MS, owner, 'A'.repeat(43)), 'proof_missing'],
    ['with another session’s', () => discard(SINCE_MS, third), 'proof_missing'],
    [
      'of a device that is signed in',
      () => {
        enrolled.push(lost.device);
        return discard();
      },
      'input_malformed',
    ],
  ])('stays %s, and nothing is logged', async (_name, attempt, code) => {
    const blob = await put(lost);
    await tell(lost, blob);
    await expect(attempt()).rejects.toMatchObject({ code });
    expect([isTold(lost, blob), isThere(blob)]).toEqual([true, true]);
    expect(await side.events.head(owner.account)).toBeUndefined();
  });
});
