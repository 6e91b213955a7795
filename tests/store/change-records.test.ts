import { describe, expect, it } from 'vitest';
import { addChanges, readChanges, updateChanges } from '../../src/lib/store/change-records.ts';
import type { Database } from '../../src/lib/store/database.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { useDatabase } from './use-database.ts';

let database: Database;

useDatabase('changes', (opened) => {
  database = opened;
});

/** @returns its key */
const add = async (fill: number): Promise<number> => (await addChanges(database, [sealed(fill)]))[0] ?? 0;
const sealed = (fill: number) => new Uint8Array(4).fill(fill);
const contents = async () => (await readChanges(database)).map(({ sealed: [first] }) => first);

describe('changes that wait', () => {
  it('are read in the order in which they were made, each with its key', async () => {
    const keys = [];
    for (let fill = 1; fill <= 12; fill++) keys.push(await add(fill));
    expect(await readChanges(database)).toEqual(
      keys.map((key, index) => ({ key, sealed: sealed(index + 1) })),
    );
    expect(new Set(keys).size).toBe(12);
  });

  it('keep their places when they are replaced, and leave no place to another when they are removed', async () => {
    const [first, second, third] = [await add(1), await add(2), await add(3)];
    await updateChanges(database, {
      replaced: [{ key: first, sealed: sealed(9) }],
      removed: [second, third],
    });
    expect(await contents()).toEqual([9]);
    expect(await add(4)).toBeGreaterThan(third);
    expect(await contents()).toEqual([9, 4]);
  });

  it('are replaced and removed all at once or not at all', async () => {
    const [first, second] = [await add(1), await add(2)];
    const dying = {
      transaction: (...args: Parameters<Database['transaction']>) => {
        const transaction = database.transaction(...args);
        queueMicrotask(() => {
          transaction.abort();
        });
        return transaction;
      },
    } as unknown as Database;
    const change = { replaced: [{ key: first, sealed: sealed(9) }], removed: [second] };
    await expect(updateChanges(dying, change)).rejects.toMatchObject({ name: 'AbortError' });
    expect(await contents()).toEqual([1, 2]);
  });

  it('are put in all at once, in their order', async () => {
    const keys = await addChanges(database, [1, 2, 3].map(sealed));
    expect((await readChanges(database)).map(({ key }) => key)).toEqual(keys);
    expect(await contents()).toEqual([1, 2, 3]);
    expect(await addChanges(database, [])).toEqual([]);
  });

  it('cannot be added to a device that was wiped meanwhile', async () => {
    database.close();
    expect(await refusalCode(addChanges(database, [sealed(1)]))).toBe('device_state_lost');
  });
});
