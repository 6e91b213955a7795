import type { Bytes } from '../bytes.ts';
import { ONLY, writing, type Database } from './database.ts';
import { LOCKS } from '../concurrency/locks.ts';

/**
 * Where the journal keeps its copy on this device: one record, sealed by the journal itself. Every tab of a vault
 * writes to it, and an IndexedDB transaction does not wait while a seal is opened: so a lock goes around.
 */
export function journalCache(
  database: Database,
  vault: string,
): {
  load(): Promise<Bytes | undefined>;
  save(sealed: Bytes, mayReplace: (stored: Bytes) => Promise<boolean>): Promise<void>;
} {
  return {
    load: () => database.get('journal', ONLY),
    async save(sealed, mayReplace) {
      await navigator.locks.request(LOCKS.journal(vault), () =>
        writing(async () => {
          const stored = await database.get('journal', ONLY);
          if (!stored || (await mayReplace(stored))) await database.put('journal', sealed, ONLY);
        }),
      );
    },
  };
}
