import type { Bytes } from '../bytes.ts';
import { ONLY, writing, type Database } from './database.ts';

/** Where the journal keeps its copy on this device: one record, sealed by the journal itself. */
export function journalCache(database: Database): {
  load(): Promise<Bytes | undefined>;
  save(sealed: Bytes): Promise<void>;
} {
  return {
    load: () => database.get('journal', ONLY),
    async save(sealed) {
      await writing(() => database.put('journal', sealed, ONLY));
    },
  };
}
