import 'fake-indexeddb/auto';
import { beforeEach } from 'vitest';
import { openDatabase, type Database } from '../../src/lib/store/database.ts';

/** Before each test, opens the device's database with this store empty; it is closed after the test. */
export function useDatabase(
  store: Parameters<Database['clear']>[0],
  take: (database: Database) => void,
): void {
  beforeEach(async () => {
    const database = await openDatabase(() => undefined);
    await database.clear(store);
    take(database);
    return () => {
      database.close();
    };
  });
}
