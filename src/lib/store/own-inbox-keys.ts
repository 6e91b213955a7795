import type { Bytes } from '../bytes.ts';
import { writing, type Database } from './database.ts';

/** Beside the copy of the journal, and sealed under the same key. */
const KEY = 'inbox-keys';

/** Where this device keeps which inbox key pairs it has made, sealed. */
export function ownInboxKeysStore(database: Database): {
  load(): Promise<Bytes | undefined>;
  save(sealed: Bytes): Promise<void>;
} {
  return {
    load: () => database.get('journal', KEY),
    save: async (sealed) => {
      await writing(() => database.put('journal', sealed, KEY));
    },
  };
}
