import { createHash, randomBytes, randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { VaultId } from '$contract/ids.ts';
import { BrokerProblem } from '../../broker/domain/problem.ts';
import { compositeDigest } from '../../broker/domain/vault/uploads.ts';
import type { EncryptionContext, VaultKms } from '../../broker/ports/kms.ts';
import type { StateStore } from '../../broker/ports/state.ts';
import type { Purger, UploadedPart, VaultObjects } from '../../broker/ports/vaults.ts';

/** A vault id as Cognito makes them. */
export const newVaultId = (): VaultId => v.parse(VaultId, `us-east-1:${randomUUID()}`);

export const sha256B64 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');

const etagOf = (bytes: Uint8Array): string => `"${createHash('md5').update(bytes).digest('hex')}"`;

interface MemoryObject {
  readonly bytes: Uint8Array;
  readonly sha256: string;
  /** When it was written; just now, when absent. */
  readonly modifiedMs?: number;
}

/** Parts by number. */
type MemoryUpload = Map<number, { bytes: Uint8Array; part: UploadedPart }>;

/**
 * The ports of the vault side in memory: for tests of what the domain does between two of its steps, where each step's
 * outcome is the test's to choose. What S3 and KMS do themselves is tested against the local cloud.
 */
export class MemoryVaultCloud {
  readonly objects = new Map<string, MemoryObject>();
  /** What the store refuses to delete. */
  readonly held = new Set<string>();
  readonly uploads = new Map<string, MemoryUpload>();
  readonly states = new Map<string, Uint8Array>();
  /** Every call that reached KMS, in order. */
  readonly kmsCalls: { readonly vault: VaultId; readonly context: EncryptionContext }[] = [];
  readonly #wrapped = new Map<string, { kmsHalf: Uint8Array; bound: string }>();

  readonly state: StateStore = {
    read: (key) => {
      const bytes = this.states.get(key);
      return Promise.resolve(bytes && { bytes, etag: etagOf(bytes) });
    },
    create: (key, bytes) => {
      const there = this.states.get(key);
      if (!there) this.states.set(key, bytes);
      return Promise.resolve(!there || Buffer.compare(there, bytes) === 0 ? 'created' : 'exists');
    },
    replace: (key, bytes, etag) => {
      const there = this.states.get(key);
      if (!there || etagOf(there) !== etag) return Promise.resolve('changed');
      this.states.set(key, bytes);
      return Promise.resolve('replaced');
    },
    erase: (key) => {
      this.states.delete(key);
      return Promise.resolve();
    },
    // Nothing older is kept.
    eraseHistory: () => Promise.resolve(),
  };

  readonly vaultObjects: VaultObjects = {
    read: (vault, key) => Promise.resolve(this.objects.get(`v/${vault}/${key}`)?.bytes),
    create: (vault, key, bytes) => {
      const there = this.objects.get(`v/${vault}/${key}`);
      if (!there) this.objects.set(`v/${vault}/${key}`, { bytes, sha256: sha256B64(bytes) });
      return Promise.resolve(!there || Buffer.compare(there.bytes, bytes) === 0 ? 'created' : 'exists');
    },
    describe: (vault, key) => {
      const object = this.objects.get(`v/${vault}/${key}`);
      if (!object) return Promise.resolve(undefined);
      const { bytes, sha256, modifiedMs = Number.MAX_SAFE_INTEGER } = object;
      return Promise.resolve({ sizeBytes: bytes.length, sha256, modifiedMs });
    },
    measure: (vault, prefix, note) => {
      const base = `v/${vault}/`;
      let sizeBytes = 0;
      for (const [key, { bytes }] of [...this.objects].sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (!key.startsWith(base + prefix)) continue;
        sizeBytes += bytes.length;
        note?.({ key: key.slice(base.length), sizeBytes: bytes.length });
      }
      return Promise.resolve(sizeBytes);
    },
    list: (vault, prefix, after, atMost) => {
      const base = `v/${vault}/`;
      const keys = [...this.objects.keys()]
        .filter((key) => key.startsWith(base + prefix) && key > base + after)
        .sort();
      const objects = keys.slice(0, atMost).map((key) => {
        const { bytes, modifiedMs = Number.MAX_SAFE_INTEGER } = this.objects.get(key) ?? {
          bytes: new Uint8Array(0),
        };
        return { key: key.slice(base.length), sizeBytes: bytes.length, etag: etagOf(bytes), modifiedMs };
      });
      return Promise.resolve({ objects, more: keys.length > atMost });
    },
    warm: () => Promise.resolve(),
    presignPut: (vault, key) => Promise.resolve(`http://memory.test/v/${vault}/${key}?put`),
    presignGet: (vault, key) => Promise.resolve(`http://memory.test/v/${vault}/${key}?get`),
    presignPart: (vault, key) => Promise.resolve(`http://memory.test/v/${vault}/${key}?part`),
    createUpload: () => {
      const uploadId = randomUUID();
      this.uploads.set(uploadId, new Map());
      return Promise.resolve(uploadId);
    },
    listParts: (_vault, _key, uploadId) => {
      const upload = this.uploads.get(uploadId);
      return Promise.resolve(upload && [...upload.values()].map(({ part }) => part));
    },
    completeUpload: (vault, key, uploadId, parts, sizeBytes) =>
      Promise.resolve(this.#complete(`v/${vault}/${key}`, uploadId, parts, sizeBytes)),
    abortUpload: (_vault, _key, uploadId) => {
      this.uploads.delete(uploadId);
      return Promise.resolve();
    },
  };

  readonly purger: Purger = {
    eraseBelow: (prefixes) => {
      for (const key of [...this.objects.keys()]) {
        const isBelow = prefixes.some((prefix) => key.startsWith(prefix));
        if (isBelow && !this.held.has(key)) this.objects.delete(key);
      }
      return Promise.resolve([...this.held].filter((key) => this.objects.has(key)));
    },
  };

  readonly kms: VaultKms = {
    generateDataKey: (vault, context) => {
      this.kmsCalls.push({ vault, context });
      const kmsHalf = randomBytes(32);
      const kmsBlob = randomBytes(64);
      this.#wrapped.set(kmsBlob.toString('hex'), { kmsHalf, bound: JSON.stringify([vault, context]) });
      return Promise.resolve({ kmsHalf, kmsBlob });
    },
    decrypt: (vault, kmsBlob, context) => {
      this.kmsCalls.push({ vault, context });
      const wrapped = this.#wrapped.get(Buffer.from(kmsBlob).toString('hex'));
      return wrapped?.bound === JSON.stringify([vault, context])
        ? Promise.resolve(wrapped.kmsHalf)
        : Promise.reject(new BrokerProblem('record_corrupt'));
    },
  };

  #complete(
    key: string,
    uploadId: string,
    parts: Parameters<VaultObjects['completeUpload']>[3],
    sizeBytes: number,
  ): Awaited<ReturnType<VaultObjects['completeUpload']>> {
    const upload = this.uploads.get(uploadId);
    if (!upload) return { kind: 'lost' };
    if (this.objects.has(key)) return { kind: 'exists' };
    const there = parts.map(({ partNumber }) => upload.get(partNumber));
    if (there.some((found, index) => found?.part.sha256 !== parts[index]?.sha256))
      return { kind: 'mismatch' };
    const digest = compositeDigest(parts.map(({ sha256 }) => sha256));
    const bytes = Buffer.concat(there.map((found) => found?.bytes ?? Buffer.alloc(0)));
    if (bytes.length !== sizeBytes) return { kind: 'mismatch' };
    this.objects.set(key, { bytes, sha256: digest });
    this.uploads.delete(uploadId);
    return { kind: 'completed', digest };
  }

  /** What a PUT to a part's URL does. */
  putPart(uploadId: string, partNumber: number, bytes: Uint8Array): UploadedPart {
    const upload = this.uploads.get(uploadId);
    if (!upload) throw new Error('expected an upload that was created');
    const sha256 = sha256B64(bytes);
    const part: UploadedPart = { partNumber, sizeBytes: bytes.length, etag: etagOf(bytes), sha256 };
    upload.set(partNumber, { bytes, part });
    return part;
  }
}
