import type { BodyFile, NamedBody } from './body-files.ts';
import { KeyList } from './key-list.ts';
import type { Extent } from './record-format.ts';
import type { LiveRecord } from './record-log.ts';
import type { BucketRecord, Part, Upload, Version } from './version.ts';

/** Bytes that a record without a body takes in the log, roughly; for the decision to compact only. */
const TYPICAL_RECORD_BYTES = 400;

/**
 * All that a bucket holds, in memory: the fold of its log. Bodies stay on the disk. About 1 kB for each version, so
 * that 10^5 objects are 100 MB at most.
 */
export class BucketIndex {
  /** Keys that have at least one version, delete markers included. */
  readonly keys = new KeyList();
  readonly #versions = new Map<string, Version[]>();
  readonly #uploads = new Map<string, Upload>();
  #sequence = 0;
  #deadBytes = 0;
  #loading = true;

  /** Bytes of the log that nothing refers to any more, roughly. */
  get deadBytes(): number {
    return this.#deadBytes;
  }

  /** Ends the loading of the log: from now on the list of keys is kept sorted. */
  loaded(): void {
    this.keys.load(this.#versions.keys());
    this.#loading = false;
  }

  /** Starts to count again, after a compaction. */
  compacted(): void {
    this.#deadBytes = 0;
  }

  /** A number above all that were ever given, across restarts too (milliseconds × 1024). */
  nextSequence(nowMs: number): number {
    return Math.max(this.#sequence + 1, nowMs * 1024);
  }

  /** A key's versions, newest first. */
  versionsOf(key: string): readonly Version[] {
    return this.#versions.get(key) ?? [];
  }

  /** The newest version, a delete marker too. */
  current(key: string): Version | undefined {
    return this.#versions.get(key)?.[0];
  }

  find(key: string, versionId: string): Version | undefined {
    return this.#versions.get(key)?.find(({ facts }) => facts.versionId === versionId);
  }

  upload(uploadId: string): Upload | undefined {
    return this.#uploads.get(uploadId);
  }

  /** Uploads under way, in no order. */
  uploads(): Upload[] {
    return [...this.#uploads.values()];
  }

  /**
   * Takes in one record.
   * @returns the body files that nothing refers to any more
   */
  apply(record: BucketRecord, extent: Extent | undefined): readonly BodyFile[] {
    switch (record.kind) {
      case 'put': {
        const { version: facts, uploadId } = record;
        const replaced = facts.versionId === 'null' ? this.#drop(facts.key, 'null') : [];
        this.#insert({ facts, extent });
        return [...replaced, ...(uploadId === undefined ? [] : this.#endUpload(uploadId, facts.files))];
      }
      case 'drop':
        this.#deadBytes += TYPICAL_RECORD_BYTES;
        return this.#drop(record.key, record.versionId);
      case 'upload':
        this.#uploads.set(record.upload.uploadId, { facts: record.upload, parts: new Map() });
        return [];
      case 'part':
        return this.#setPart(record.uploadId, record.part);
      case 'abort':
        return this.#endUpload(record.uploadId, undefined);
      default:
        return record satisfies never;
    }
  }

  /** Every body file that a record names, by its id. */
  bodies(): Map<string, NamedBody> {
    const named = new Map<string, NamedBody>();
    const add = (key: string, { id, sizeBytes }: BodyFile): unknown => named.set(id, { key, sizeBytes });
    for (const [key, versions] of this.#versions)
      for (const { facts } of versions) for (const file of facts.files ?? []) add(key, file);
    for (const { facts, parts } of this.#uploads.values())
      for (const { file } of parts.values()) add(facts.key, file);
    return named;
  }

  /** The records that make this index again, for compaction. */
  *live(): Generator<LiveRecord> {
    const versions = [...this.#versions.values()].flat();
    versions.sort((a, b) => a.facts.sequence - b.facts.sequence);
    for (const { facts, extent } of versions) yield { meta: record({ kind: 'put', version: facts }), extent };
    for (const { facts, parts } of this.#uploads.values()) {
      yield { meta: record({ kind: 'upload', upload: facts }), extent: undefined };
      for (const part of parts.values())
        yield { meta: record({ kind: 'part', uploadId: facts.uploadId, part }), extent: undefined };
    }
  }

  #insert(version: Version): void {
    const { key, sequence } = version.facts;
    this.#sequence = Math.max(this.#sequence, sequence);
    const versions = this.#versions.get(key);
    if (versions) {
      versions.unshift(version);
      return;
    }
    this.#versions.set(key, [version]);
    if (!this.#loading) this.keys.add(key);
  }

  #drop(key: string, versionId: string): readonly BodyFile[] {
    const versions = this.#versions.get(key);
    const index = versions?.findIndex(({ facts }) => facts.versionId === versionId) ?? -1;
    if (!versions || index < 0) return [];
    const [dropped] = versions.splice(index, 1);
    if (versions.length === 0) {
      this.#versions.delete(key);
      if (!this.#loading) this.keys.remove(key);
    }
    this.#deadBytes += TYPICAL_RECORD_BYTES + (dropped?.extent?.sizeBytes ?? 0);
    return dropped?.facts.files ?? [];
  }

  #setPart(uploadId: string, part: Part): readonly BodyFile[] {
    const parts = this.#uploads.get(uploadId)?.parts;
    if (!parts) return [part.file];
    const before = parts.get(part.partNumber);
    parts.set(part.partNumber, part);
    return before ? [before.file] : [];
  }

  #endUpload(uploadId: string, kept: readonly BodyFile[] | undefined): readonly BodyFile[] {
    const upload = this.#uploads.get(uploadId);
    if (!upload) return [];
    this.#uploads.delete(uploadId);
    this.#deadBytes += TYPICAL_RECORD_BYTES * (upload.parts.size + 1);
    const ids = new Set(kept?.map(({ id }) => id));
    return [...upload.parts.values()].map(({ file }) => file).filter(({ id }) => !ids.has(id));
  }
}

const record = (value: BucketRecord): BucketRecord => value;
