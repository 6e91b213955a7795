import { writing, type Database, type StoredKept } from './database.ts';

/** What stays on this device, by blob. */
export interface KeptRecords {
  list(): Promise<StoredKept[]>;
  /** @throws {HalfkeyError} `device_full` */
  save(kept: StoredKept): Promise<void>;
  remove(blob: string): Promise<void>;
}

export function keptRecords(database: Database): KeptRecords {
  return {
    list: () => database.getAll('kept'),
    async save(kept) {
      await writing(() => database.put('kept', kept, kept.blob));
    },
    async remove(blob) {
      await writing(() => database.delete('kept', blob));
    },
  };
}
