import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { compositeDigest } from '../../broker/domain/vault/uploads.ts';
import type { VaultObjects } from '../../broker/ports/vaults.ts';
import { MemoryVaultCloud, newVaultId, sha256B64 } from '../support/memory-vault-cloud.ts';
import { envelopeOf, newBlobId, newSession, openVault, startVaultSide } from '../support/vault-side.ts';

type Completion = Awaited<ReturnType<VaultObjects['completeUpload']>>;

async function openUpload(
  options: { quotaBytes?: number; completes?: (real: Completion) => Completion } = {},
) {
  const cloud = new MemoryVaultCloud();
  const session = newSession();
  const vault = newVaultId();
  let nowMs = 1_800_000_000_000;
  const objects: VaultObjects = {
    ...cloud.vaultObjects,
    completeUpload: async (...args) => {
      const real = await cloud.vaultObjects.completeUpload(...args);
      return options.completes ? options.completes(real) : real;
    },
  };
  const broker = startVaultSide(
    { state: cloud.state, objects, kms: cloud.kms, purger: cloud.purger },
    { clock: () => nowMs, settings: { quotaBytes: options.quotaBytes } },
  );
  await openVault(broker, session, vault);
  const record = () => broker.requireMember(session.account, vault);

  async function upload(sizes: readonly number[], blob = newBlobId()) {
    const sizeBytes = sizes.reduce((sum, size) => sum + size, 0);
    const uploadId = await broker.uploads.create(vault, await record(), blob, sizeBytes);
    const parts = sizes.map((size, index) => cloud.putPart(uploadId, index + 1, randomBytes(size)));
    return { blob, uploadId, sizeBytes, parts };
  }
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { cloud, broker, vault, record, upload, pass };
}

describe('completing a multipart upload', () => {
  it('answers the checksum of checksums', async () => {
    const { record, broker, vault, upload } = await openUpload();
    const order = await upload([30, 20, 10]);
    expect(await broker.uploads.complete(vault, await record(), order)).toBe(
      compositeDigest(order.parts.map(({ sha256 }) => sha256)),
    );
  });

  it('computes the composite digest as S3 does', () => {
    // SHA-256 over the SHA-256s of "a" and "b", made with Python's hashlib.
    const digests = ['a', 'b'].map((text) => sha256B64(Buffer.from(text)));
    expect(compositeDigest(digests)).toBe('5aAf7hTg7VxIcU8iGA8lrYNltT+XefedxKPX6Tlj+Uo=-2');
  });

  it('answers a repeated completion as the first', async () => {
    const { broker, vault, upload, record } = await openUpload();
    const order = await upload([30, 20]);
    const digest = await broker.uploads.complete(vault, await record(), order);
    expect(await broker.uploads.complete(vault, await record(), order)).toBe(digest);
    expect((await record()).usedBytes).toBe(50);
  });

  it('refuses a second upload with other bytes under the same blob', async () => {
    const { record, broker, vault, upload } = await openUpload();
    const order = await upload([30]);
    await broker.uploads.complete(vault, await record(), order);
    const second = await upload([30], order.blob);
    await expect(broker.uploads.complete(vault, await record(), second)).rejects.toMatchObject({
      code: 'already_exists',
    });
  });

  it('refuses a length that is not the parts’ together', async () => {
    const { record, broker, vault, upload } = await openUpload();
    const order = await upload([30, 20]);
    await expect(
      broker.uploads.complete(vault, await record(), { ...order, sizeBytes: 51 }),
    ).rejects.toMatchObject({ code: 'upload_mismatch' });
  });

  it.each<[string, (numbers: number[]) => number[]]>([
    ['that begin at 2', (numbers) => numbers.map((number) => number + 1)],
    ['in another order', (numbers) => [...numbers].reverse()],
    ['that come twice', ([first = 1]) => [first, first]],
  ])('refuses parts %s', async (_name, renumber) => {
    const { record, broker, vault, upload } = await openUpload();
    const order = await upload([30, 20]);
    const numbers = renumber(order.parts.map(({ partNumber }) => partNumber));
    const parts = order.parts.map((part, index) => ({ ...part, partNumber: numbers[index] ?? 0 }));
    await expect(broker.uploads.complete(vault, await record(), { ...order, parts })).rejects.toMatchObject({
      code: 'input_malformed',
    });
  });

  it('refuses a part whose checksum is not the one that S3 holds', async () => {
    const { record, broker, vault, upload, cloud } = await openUpload();
    const order = await upload([30, 20]);
    const parts = order.parts.map((part) => ({ ...part, sha256: sha256B64(randomBytes(9)) }));
    await expect(broker.uploads.complete(vault, await record(), { ...order, parts })).rejects.toMatchObject({
      code: 'upload_mismatch',
    });
    expect(cloud.objects.has(`v/${vault}/blobs/${order.blob}`)).toBe(false);
  });

  it.each(['exists', 'lost', 'conflict'] as const)(
    'takes "%s" for success when the very same blob is there: its reply was lost',
    async (kind) => {
      const { record, broker, vault, upload } = await openUpload({ completes: () => ({ kind }) });
      const order = await upload([30, 20]);
      expect(await broker.uploads.complete(vault, await record(), order)).toMatch(/-2$/);
    },
  );

  it('asks for a new upload of the same bytes when S3 knows it no more, or names a conflict', async () => {
    const gone = await openUpload();
    const order = await gone.upload([30]);
    await gone.broker.uploads.abort(gone.vault, order.blob, order.uploadId);
    await expect(gone.broker.uploads.complete(gone.vault, await gone.record(), order)).rejects.toMatchObject({
      code: 'upload_lost',
    });
    await expect(gone.broker.uploads.list(gone.vault, order.blob, order.uploadId)).rejects.toMatchObject({
      code: 'upload_lost',
    });

    const cloud = await openUpload({ completes: () => ({ kind: 'conflict' }) });
    const other = await cloud.upload([30]);
    cloud.cloud.uploads.clear();
    await expect(
      cloud.broker.uploads.complete(cloud.vault, await cloud.record(), other),
    ).rejects.toMatchObject({
      code: 'upload_lost',
    });
  });
});

describe('the quota', () => {
  it.each([
    [99, 'a URL'],
    [100, 'a URL'],
    [101, 'store_full'],
  ])('answers %i of 100 bytes with %s', async (sizeBytes, expected) => {
    const { broker, vault, record } = await openUpload({ quotaBytes: 100 });
    const put = broker.uploads.putUrl(vault, await record(), {
      blob: newBlobId(),
      sizeBytes,
      sha256: sha256B64(Buffer.alloc(1)),
    });
    const outcome = await put.then(
      (url) => (url.includes('blobs/') ? 'a URL' : url),
      (error: unknown) => (error as { code?: unknown }).code,
    );
    expect(outcome).toBe(expected);
  });

  it('counts a multipart upload at its completion, a single PUT with its envelope, and neither twice', async () => {
    const { broker, vault, record, upload, cloud } = await openUpload();
    const order = await upload([30, 20]);
    expect((await record()).usedBytes).toBe(0);
    await broker.uploads.complete(vault, await record(), order);
    const single = newBlobId();
    await cloud.vaultObjects.create(vault, `blobs/${single}`, randomBytes(7));
    const session = newSession();
    const { id: grant } = await broker.grants.issue(session, { kind: 'release' });
    const blobs = [order.blob, single];
    const made = await broker.keys.generate(session, vault, { grant, purpose: 'file', epoch: 0, blobs });
    const envelopes = made.map(({ blob, kmsBlob, proof }) => ({
      blob,
      envelope: envelopeOf(kmsBlob),
      proof,
    }));
    expect(await broker.keys.write(session, vault, { envelopes })).toEqual([]);
    expect((await record()).usedBytes).toBe(57);
  });

  it('asks again at the completion, when other uploads were faster, but never for what is there', async () => {
    const { broker, vault, record, upload } = await openUpload({ quotaBytes: 100 });
    const [one, two] = [await upload([60]), await upload([60])];
    const digest = await broker.uploads.complete(vault, await record(), one);
    await expect(broker.uploads.complete(vault, await record(), two)).rejects.toMatchObject({
      code: 'store_full',
    });
    expect(await broker.uploads.complete(vault, await record(), one)).toBe(digest);
  });

  it('refuses only after counting what is really there, and that not at every request', async () => {
    const { broker, vault, record, upload, cloud, pass } = await openUpload({ quotaBytes: 100 });
    const order = await upload([80]);
    await broker.uploads.complete(vault, await record(), order);
    // Removed behind the record's back, as by a purge whose broker ended early.
    cloud.objects.delete(`v/${vault}/blobs/${order.blob}`);
    await expect(upload([50])).rejects.toMatchObject({ code: 'store_full' });
    pass(60_000);
    await upload([50]);
    expect((await record()).usedBytes).toBe(0);
  });

  it('finds within a day what was put there and never adopted', async () => {
    const { broker, vault, record, cloud, pass } = await openUpload({ quotaBytes: 100 });
    await cloud.vaultObjects.create(vault, `blobs/${newBlobId()}`, randomBytes(100));
    const ask = async () => broker.uploads.create(vault, await record(), newBlobId(), 1);
    await ask();
    pass(24 * 60 * 60 * 1000);
    await expect(ask()).rejects.toMatchObject({ code: 'store_full' });
  });
});
