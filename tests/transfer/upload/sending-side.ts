import { PutUrls } from '../../../src/lib/transfer/upload/put-urls.ts';
import 'fake-indexeddb/auto';
import { randomBytes } from 'node:crypto';
import type { BlobId, VaultId } from '$contract/ids.ts';
import { inboxWrite } from '$contract/vault-inbox.ts';
import { uploadComplete, uploadCreate, uploadList, uploadPartUrls } from '$contract/vault-blobs.ts';
import { BrokerProblem } from '../../../broker/domain/problem.ts';
import { concat, fromB64Url, type Bytes } from '../../../src/lib/bytes.ts';
import { sha256 } from '../../../src/lib/crypto/digest.ts';
import { HEADER_BYTES } from '../../../src/lib/crypto/floe.ts';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import type { Broker } from '../../../src/lib/remote/broker.ts';
import type { Put } from '../../../src/lib/remote/s3.ts';
import { openDatabase, type SealedUpload } from '../../../src/lib/store/database.ts';
import { uploadRecords } from '../../../src/lib/store/upload-records.ts';
import { Semaphore } from '../../../src/lib/concurrency/semaphore.ts';
import { partSizeBytes } from '../../../src/lib/transfer/plan.ts';
import { Connection } from '../../../src/lib/transfer/connection.ts';
import type { PartSupply, SendingDeps } from '../../../src/lib/transfer/upload/part-supply.ts';
import { MemoryVaultCloud, newVaultId, sha256B64 } from '../../support/memory-vault-cloud.ts';
import { newBlobId, newSession, openVault, startVaultSide } from '../../support/vault-side.ts';

/**
 * A broker's own vault side over a store in memory, as far as sending needs it; `heard` names each request and each
 * PUT.
 */
export async function openSendingSide() {
  const cloud = new MemoryVaultCloud();
  const session = newSession();
  const vault = newVaultId();
  const objects: typeof cloud.vaultObjects = {
    ...cloud.vaultObjects,
    presignPart: (_vault, _key, uploadId, { partNumber }) =>
      Promise.resolve(`memory:${uploadId}/${String(partNumber)}`),
  };
  const side = startVaultSide({ state: cloud.state, objects, kms: cloud.kms, purger: cloud.purger });
  await openVault(side, session, vault);
  const heard: string[] = [];

  const answers: Record<string, (request: never) => Promise<unknown>> = {
    [uploadCreate.path]: async (order: Parameters<typeof side.uploads.create>[2]) => ({
      uploadId: await side.uploads.create(session, vault, order),
    }),
    [uploadPartUrls.path]: async (order: Parameters<typeof side.uploads.partUrls>[1]) => ({
      urls: await side.uploads.partUrls(vault, order),
    }),
    [uploadList.path]: async ({ blob, uploadId }: { blob: BlobId; uploadId: string }) => ({
      parts: await side.uploads.list(vault, blob, uploadId),
    }),
    [uploadComplete.path]: async (order: Parameters<typeof side.uploads.complete>[1]) => ({
      digest: await side.uploads.complete(vault, order),
    }),
    [inboxWrite.path]: async ({ records }: { records: { blob: BlobId; record: string }[] }) => {
      const decoded = records.map(({ blob, record: text }) => ({ blob, record: fromB64Url(text) }));
      return { refused: await side.inbox.write(session, vault, decoded) };
    },
  };
  const broker: Broker = {
    async call(route, request, options) {
      options?.signal?.throwIfAborted();
      heard.push(route.path.split('/').slice(-2).join('/'));
      const answer = answers[route.path];
      if (!answer) throw new Error(`${route.path} is not served here`);
      try {
        return await answer(request as never);
      } catch (error) {
        if (!(error instanceof BrokerProblem)) throw error;
        const detail = error.fields ? { fields: [...error.fields] } : {};
        throw new HalfkeyError(error.code, error.code, { cause: error, detail });
      }
    },
  };
  const put = async ({ url, body, signal, onProgress }: Put): Promise<string> => {
    signal.throwIfAborted();
    const [uploadId = '', partNumber = ''] = url.replace('memory:', '').split('/');
    heard.push(`put ${partNumber}`);
    const bytes = new Uint8Array(await body.arrayBuffer());
    onProgress?.(bytes.length);
    return cloud.putPart(uploadId, Number(partNumber), bytes).etag;
  };
  const database = await openDatabase(() => undefined);
  const records = uploadRecords(database);
  const options = { isAllowed: () => true, isPatient: true };
  const connection = { broker: new Connection(options), store: new Connection(options) };
  const grant = () => ({});
  const urls = new PutUrls(broker, grant);
  const gates = { gate: new Semaphore(2), tinyGate: new Semaphore(2) };
  const deps: SendingDeps = { broker, urls, put, records, connection, ...gates, grant };
  const stored = (blob: string) => cloud.objects.get(`v/${vault}/blobs/${blob}`)?.bytes;
  return { cloud, session, vault, side, deps, heard, database, records, stored };
}

/** An upload of three parts, the last one shorter, as it is stored, and what its parts are made of. */
export async function uploadOfThree(vault: VaultId) {
  const plan = { sealedBytes: HEADER_BYTES + 240, partBytes: 100, partCount: 3 };
  const bodies = [1, 2, 3].map((number) => new Uint8Array(randomBytes(partSizeBytes(plan, number))));
  const digests = await Promise.all(bodies.map((body) => sha256(body)));
  const upload: SealedUpload = {
    ...{ blob: newBlobId(), vault, epoch: 1, inboxEpoch: 0, mode: 'device', capturedAtMs: 1 },
    state: 'uploading',
    sealedLabel: new Uint8Array(1),
    ...{ ...plan, partDigests: concat(...digests), inboxRecord: new Uint8Array(1160) },
  };
  const supply = (isRepeatable = true): PartSupply => ({
    isRepeatable,
    known: (number) => digests[number - 1],
    part: (number) =>
      Promise.resolve({ body: new Blob([bodies[number - 1]!]), digest: digests[number - 1]! }),
  });
  return { upload, bodies, digests, supply };
}

/** The checksum of checksums that S3 writes. */
export function compositeOf(digests: readonly Bytes[]): string {
  return `${sha256B64(Buffer.concat(digests))}-${String(digests.length)}`;
}
