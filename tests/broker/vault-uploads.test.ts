import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { compositeDigest } from '../../broker/domain/vault/uploads.ts';
import type { VaultObjects } from '../../broker/ports/vaults.ts';
import { MemoryVaultCloud, newVaultId, sha256B64 } from '../support/memory-vault-cloud.ts';
import { newBlobId, newSession, openVault, startVaultSide } from '../support/vault-side.ts';

type Completion = Awaited<ReturnType<VaultObjects['completeUpload']>>;

async function openUpload(options: { completes?: (real: Completion) => Completion } = {}) {
  const cloud = new MemoryVaultCloud();
  const session = newSession();
  const vault = newVaultId();
  const objects: VaultObjects = {
    ...cloud.vaultObjects,
    completeUpload: async (...args) => {
      const real = await cloud.vaultObjects.completeUpload(...args);
      return options.completes ? options.completes(real) : real;
    },
  };
  const broker = startVaultSide({ state: cloud.state, objects, kms: cloud.kms, purger: cloud.purger });
  await openVault(broker, session, vault);

  async function upload(sizes: readonly number[], blob = newBlobId()) {
    const [firstPartBytes = 1, partBytes = 1] = sizes;
    const plan = { firstPartBytes, partBytes };
    const sizeBytes = sizes.reduce((sum, size) => sum + size, 0);
    const uploadId = await broker.uploads.create(session, vault, { blob, sizeBytes, ...plan });
    const parts = sizes.map((size, index) => cloud.putPart(uploadId, index + 1, randomBytes(size)));
    return { blob, uploadId, sizeBytes, parts };
  }
  return { cloud, broker, vault, upload };
}

describe('completing a multipart upload', () => {
  it('answers the checksum of checksums', async () => {
    const { broker, vault, upload } = await openUpload();
    const order = await upload([30, 20, 10]);
    expect(await broker.uploads.complete(vault, order)).toBe(
      compositeDigest(order.parts.map(({ sha256 }) => sha256)),
    );
  });

  it('computes the composite digest as S3 does', () => {
    // SHA-256 over the SHA-256s of "a" and "b", made with Python's hashlib.
    const digests = ['a', 'b'].map((text) => sha256B64(Buffer.from(text)));
    expect(compositeDigest(digests)).toBe('5aAf7hTg7VxIcU8iGA8lrYNltT+XefedxKPX6Tlj+Uo=-2');
  });

  it('answers a repeated completion as the first', async () => {
    const { broker, vault, upload } = await openUpload();
    const order = await upload([30, 20]);
    const digest = await broker.uploads.complete(vault, order);
    expect(await broker.uploads.complete(vault, order)).toBe(digest);
  });

  it('refuses a second upload with other bytes under the same blob', async () => {
    const { broker, vault, upload } = await openUpload();
    const order = await upload([30]);
    await broker.uploads.complete(vault, order);
    const second = await upload([30], order.blob);
    await expect(broker.uploads.complete(vault, second)).rejects.toMatchObject({
      code: 'already_exists',
    });
  });

  it('refuses a length that is not the parts’ together', async () => {
    const { broker, vault, upload } = await openUpload();
    const order = await upload([30, 20]);
    await expect(broker.uploads.complete(vault, { ...order, sizeBytes: 51 })).rejects.toMatchObject({
      code: 'upload_mismatch',
    });
  });

  it.each<[string, (numbers: number[]) => number[]]>([
    ['that begin at 2', (numbers) => numbers.map((number) => number + 1)],
    ['in another order', (numbers) => [...numbers].reverse()],
    ['that come twice', ([first = 1]) => [first, first]],
  ])('refuses parts %s', async (_name, renumber) => {
    const { broker, vault, upload } = await openUpload();
    const order = await upload([30, 20]);
    const numbers = renumber(order.parts.map(({ partNumber }) => partNumber));
    const parts = order.parts.map((part, index) => ({ ...part, partNumber: numbers[index] ?? 0 }));
    await expect(broker.uploads.complete(vault, { ...order, parts })).rejects.toMatchObject({
      code: 'input_malformed',
    });
  });

  it('refuses a part whose checksum is not the one that S3 holds', async () => {
    const { broker, vault, upload, cloud } = await openUpload();
    const order = await upload([30, 20]);
    const parts = order.parts.map((part) => ({ ...part, sha256: sha256B64(randomBytes(9)) }));
    await expect(broker.uploads.complete(vault, { ...order, parts })).rejects.toMatchObject({
      code: 'upload_mismatch',
    });
    expect(cloud.objects.has(`v/${vault}/blobs/${order.blob}`)).toBe(false);
  });

  it.each(['exists', 'lost', 'conflict'] as const)(
    'takes "%s" for success when the very same blob is there: its reply was lost',
    async (kind) => {
      const { broker, vault, upload } = await openUpload({ completes: () => ({ kind }) });
      const order = await upload([30, 20]);
      expect(await broker.uploads.complete(vault, order)).toMatch(/-2$/);
    },
  );

  it('asks for a new upload of the same bytes when S3 knows it no more, or names a conflict', async () => {
    const gone = await openUpload();
    const order = await gone.upload([30]);
    await gone.broker.uploads.abort(gone.vault, order.blob, order.uploadId);
    await expect(gone.broker.uploads.complete(gone.vault, order)).rejects.toMatchObject({
      code: 'upload_lost',
    });
    await expect(gone.broker.uploads.list(gone.vault, order.blob, order.uploadId)).rejects.toMatchObject({
      code: 'upload_lost',
    });

    const cloud = await openUpload({ completes: () => ({ kind: 'conflict' }) });
    const other = await cloud.upload([30]);
    cloud.cloud.uploads.clear();
    await expect(cloud.broker.uploads.complete(cloud.vault, other)).rejects.toMatchObject({
      code: 'upload_lost',
    });
  });
});
