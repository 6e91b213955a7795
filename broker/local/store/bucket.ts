import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Refusal } from '../refusal.ts';
import { BodyFiles, type BodyFile, type NamedBody } from './body-files.ts';
import { BucketIndex } from './bucket-index.ts';
import { readSettings, type BucketSettings, writeSettings } from './bucket-settings.ts';
import { checkWriteCondition, type WriteCondition } from './write-condition.ts';
import { KeyedLock } from './keyed-lock.ts';
import { RecordLog } from './record-log.ts';
import type { Extent } from './record-format.ts';
import {
  makeVersionId,
  type BucketRecord,
  type Checksum,
  type ChecksumAlgorithm,
  type Part,
  type Upload,
  type Version,
  type VersionFacts,
} from './version.ts';

/** An object that is about to be stored. Its body is in memory or in files that nothing refers to yet. */
export interface Draft {
  readonly key: string;
  readonly etag: string;
  readonly sizeBytes: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly checksum: Checksum | undefined;
  readonly inline: Uint8Array | undefined;
  readonly files: readonly BodyFile[] | undefined;
}

/** What a deletion did. */
export interface Removal {
  /** The version removed, or the delete marker made; undefined without versioning. */
  readonly versionId: string | undefined;
  /** True when a delete marker was made, or one was removed. */
  readonly deleteMarker: boolean;
}

const COMPACTION_BYTES = 16 * 1024 * 1024;

/**
 * One bucket: a log of what happened, a folder of bodies, and the index of both in memory. An answer is given only
 * after the record of it is on the disk.
 */
export class Bucket {
  readonly name: string;
  readonly index: BucketIndex;
  readonly files: BodyFiles;
  /**
   * Bodies that the log names and that were not there, or not whole, when it was opened: a copy that was not made in
   * the right order.
   */
  readonly lacking: readonly NamedBody[];
  readonly #folder: string;
  readonly #log: RecordLog;
  readonly #keyLock = new KeyedLock();
  readonly #uploadLock = new KeyedLock();
  #settings: BucketSettings;

  private constructor(folder: string, name: string, settings: BucketSettings, store: OpenStore) {
    this.name = name;
    this.#folder = folder;
    this.#settings = settings;
    this.index = store.index;
    this.files = store.files;
    this.lacking = store.lacking;
    this.#log = store.log;
  }

  /** Opens a bucket that has its settings file, and removes what a crash left behind. */
  static async open(folder: string, name: string): Promise<Bucket> {
    const settings = await readSettings(folder);
    const index = new BucketIndex();
    const files = await BodyFiles.open(join(folder, 'bodies'));
    const log = await RecordLog.open(join(folder, 'log'), (meta, extent) => {
      index.apply(meta as BucketRecord, extent);
    });
    index.loaded();
    const lacking = await files.sweep(index.bodies());
    return new Bucket(folder, name, settings, { index, files, log, lacking });
  }

  get settings(): BucketSettings {
    return this.#settings;
  }

  /** Replaces some of the settings; on the disk when it resolves. */
  async configure(change: Partial<BucketSettings>): Promise<void> {
    await this.#uploadLock.run('settings', async () => {
      const next = { ...this.#settings, ...change };
      await writeSettings(this.#folder, next);
      this.#settings = next;
    });
  }

  /** Refuses at once what the commit would refuse anyway, before a body is read. */
  checkCondition(key: string, condition: WriteCondition): void {
    checkWriteCondition(condition, this.index.current(key));
  }

  /**
   * Stores an object, if the condition holds at that moment.
   * @throws {Refusal} by the condition; then the draft's files are gone
   */
  async put(draft: Draft, condition: WriteCondition, nowMs: number): Promise<VersionFacts> {
    try {
      return await this.#keyLock.run(draft.key, () => this.#commit(draft, condition, nowMs, undefined));
    } catch (error) {
      await this.files.remove(draft.files ?? []);
      throw error;
    }
  }

  /** Deletes a version for good, or, without a version id, does what the bucket's versioning says. */
  async remove(key: string, versionId: string | undefined, nowMs: number): Promise<Removal> {
    return this.#keyLock.run(key, async () => {
      if (versionId !== undefined) {
        const version = this.index.find(key, versionId);
        if (version) await this.#append({ kind: 'drop', key, versionId }, undefined);
        return { versionId, deleteMarker: version?.facts.deleteMarker ?? false };
      }
      if (this.#settings.versioning === undefined) {
        if (this.index.find(key, 'null'))
          await this.#append({ kind: 'drop', key, versionId: 'null' }, undefined);
        return { versionId: undefined, deleteMarker: false };
      }
      const marker = this.#newVersion({ key, etag: '', sizeBytes: 0, headers: {} }, nowMs, true);
      await this.#append({ kind: 'put', version: marker }, undefined);
      return { versionId: marker.versionId, deleteMarker: true };
    });
  }

  /** @returns the new upload's id */
  async createUpload(
    key: string,
    headers: Readonly<Record<string, string>>,
    checksumAlgorithm: ChecksumAlgorithm | undefined,
    nowMs: number,
  ): Promise<string> {
    const uploadId = randomBytes(48).toString('base64url');
    const upload = {
      uploadId,
      key,
      initiatedMs: nowMs,
      headers,
      ...(checksumAlgorithm && { checksumAlgorithm }),
    };
    await this.#append({ kind: 'upload', upload }, undefined);
    return uploadId;
  }

  /** @throws {Refusal} 404 `NoSuchUpload` when there is none of this id for this key */
  upload(uploadId: string, key: string): Upload {
    const upload = this.index.upload(uploadId);
    if (upload?.facts.key !== key)
      throw new Refusal(404, 'NoSuchUpload', 'the upload does not exist, or has ended');
    return upload;
  }

  /** Stores a part in the place of one of the same number. */
  async putPart(uploadId: string, key: string, part: Part): Promise<void> {
    try {
      await this.#uploadLock.run(uploadId, async () => {
        this.upload(uploadId, key);
        await this.#append({ kind: 'part', uploadId, part }, undefined);
      });
    } catch (error) {
      await this.files.remove([part.file]);
      throw error;
    }
  }

  /** Makes an object of an upload's parts, without copying them; `assemble` chooses and checks them. */
  async completeUpload(
    uploadId: string,
    key: string,
    assemble: (upload: Upload) => Draft,
    condition: WriteCondition,
    nowMs: number,
  ): Promise<VersionFacts> {
    return this.#uploadLock.run(uploadId, async () => {
      const draft = assemble(this.upload(uploadId, key));
      return this.#keyLock.run(key, () => this.#commit(draft, condition, nowMs, uploadId));
    });
  }

  async abortUpload(uploadId: string, key: string): Promise<void> {
    await this.#uploadLock.run(uploadId, async () => {
      this.upload(uploadId, key);
      await this.#append({ kind: 'abort', uploadId }, undefined);
    });
  }

  /** A version's bytes, where they are in the log; undefined for those in files, and for none. */
  readSmall({ extent }: Version): Buffer | undefined {
    return extent && this.#log.read(extent);
  }

  /**
   * Yields bytes `start` to `end` (exclusive) of a version, whose bytes are in files; it stays readable to the end even
   * if it is deleted.
   */
  async *read({ facts }: Version, start: number, end: number): AsyncGenerator<Buffer> {
    const files = facts.files ?? [];
    const release = this.files.pin(files);
    try {
      yield* this.files.read(files, start, end);
    } finally {
      await release();
    }
  }

  async close(): Promise<void> {
    await this.#log.close();
  }

  async #commit(
    draft: Draft,
    condition: WriteCondition,
    nowMs: number,
    uploadId: string | undefined,
  ): Promise<VersionFacts> {
    this.checkCondition(draft.key, condition);
    const version = this.#newVersion(draft, nowMs, false);
    await this.#append({ kind: 'put', version, ...(uploadId !== undefined && { uploadId }) }, draft.inline);
    return version;
  }

  #newVersion(
    draft: Pick<Draft, 'key' | 'etag' | 'sizeBytes' | 'headers'> & Partial<Pick<Draft, 'checksum' | 'files'>>,
    nowMs: number,
    deleteMarker: boolean,
  ): VersionFacts {
    const { key, etag, sizeBytes, headers, checksum, files } = draft;
    const sequence = this.index.nextSequence(nowMs);
    return {
      key,
      versionId: this.#settings.versioning === 'Enabled' ? makeVersionId(sequence) : 'null',
      sequence,
      modifiedMs: nowMs,
      deleteMarker,
      etag,
      sizeBytes,
      headers,
      ...(checksum && { checksum }),
      ...(files && { files }),
    };
  }

  async #append(record: BucketRecord, body: Uint8Array | undefined): Promise<void> {
    let unused: readonly BodyFile[] = [];
    await this.#log.append(record, body, (extent: Extent | undefined) => {
      unused = this.index.apply(record, extent);
    });
    // The record is what counts: a file that cannot be removed now is swept at the next start.
    await this.files.remove(unused).catch(() => undefined);
    if (this.index.deadBytes > COMPACTION_BYTES && this.index.deadBytes > this.#log.sizeBytes / 2)
      this.#log.compact(() => {
        this.index.compacted();
        return this.index.live();
      });
  }
}

interface OpenStore {
  readonly index: BucketIndex;
  readonly files: BodyFiles;
  readonly log: RecordLog;
  readonly lacking: readonly NamedBody[];
}
