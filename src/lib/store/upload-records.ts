import { writing, type Database, type StoredPart, type StoredUpload } from './database.ts';

/** What of uploads rests on this device, besides their ciphertext. Every write is on the disk when it resolves. */
export interface UploadRecords {
  /** All, the oldest first. */
  list(): Promise<StoredUpload[]>;
  /** @returns undefined when there is none */
  read(blob: string): Promise<StoredUpload | undefined>;
  /** @throws {HalfkeyError} `device_full`, `device_state_lost` */
  save(upload: StoredUpload): Promise<void>;
  /**
   * Changes a record that is there.
   * @returns what it is now; undefined when it was removed meanwhile, and then it stays so
   */
  change(blob: string, change: Partial<StoredUpload>): Promise<StoredUpload | undefined>;
  /** With all that is said of its parts. One that is not there is fine. */
  remove(blob: string): Promise<void>;
  /** @throws {HalfkeyError} `device_full`, `device_state_lost` */
  savePart(blob: string, part: StoredPart): Promise<void>;
  /** In the order of their numbers. */
  parts(blob: string): Promise<StoredPart[]>;
}

/** A tab may crash at any moment, and so may the machine: nothing is acted on before it would survive both. */
const STRICT = { durability: 'strict' } as const;

export function uploadRecords(database: Database): UploadRecords {
  return {
    async list() {
      const all = await database.getAll('uploads');
      return all.sort((a, b) => a.capturedAtMs - b.capturedAtMs);
    },
    read: (blob) => database.get('uploads', blob),
    async save(upload) {
      await writing(async () => {
        const { store, done } = database.transaction('uploads', 'readwrite', STRICT);
        await Promise.all([store.put(upload, upload.blob), done]);
      });
    },
    change: (blob, change) =>
      writing(async () => {
        const { store, done } = database.transaction('uploads', 'readwrite', STRICT);
        const before = await store.get(blob);
        const after = before && { ...before, ...change };
        if (after) await store.put(after, blob);
        await done;
        return after;
      }),
    async remove(blob) {
      await writing(async () => {
        const transaction = database.transaction(['uploads', 'parts'], 'readwrite');
        await Promise.all([
          transaction.objectStore('uploads').delete(blob),
          transaction.objectStore('parts').delete(partsOf(blob)),
          transaction.done,
        ]);
      });
    },
    async savePart(blob, part) {
      await writing(() => database.put('parts', part, [blob, part.partNumber]));
    },
    parts: (blob) => database.getAll('parts', partsOf(blob)),
  };
}

function partsOf(blob: string): IDBKeyRange {
  return IDBKeyRange.bound([blob, 0], [blob, Number.POSITIVE_INFINITY]);
}
