import { describe, expect, it } from 'vitest';
import { ONLY, type Database } from '../../src/lib/store/database.ts';
import { noteKept, noteUnkept, unkeptParts } from '../../src/lib/store/kit-note.ts';
import { readTransferSettings, saveTransferSettings } from '../../src/lib/store/transfer-settings.ts';
import { useDatabase } from './use-database.ts';

let database: Database;

useDatabase('settings', (opened) => {
  database = opened;
});

describe('the note about a kit', () => {
  it('names what was shown and nobody has kept, the words first', async () => {
    expect(await unkeptParts(database)).toEqual([]);
    await noteUnkept(database, 'backup-codes');
    expect(await unkeptParts(database)).toEqual(['backup-codes']);
    await noteUnkept(database, 'words');
    expect(await unkeptParts(database)).toEqual(['words', 'backup-codes']);
  });

  it('goes part by part, and leaves nothing behind', async () => {
    await noteUnkept(database, 'words', 'backup-codes');
    await noteKept(database, 'words');
    expect(await unkeptParts(database)).toEqual(['backup-codes']);
    await noteKept(database, 'words', 'backup-codes');
    expect(await unkeptParts(database)).toEqual([]);
    expect(await database.count('settings')).toBe(0);
  });

  it('is none where what rests is no such note', async () => {
    await database.put('settings', { unkept: ['passphrase'] } as never, 'kit');
    expect(await unkeptParts(database)).toEqual([]);
  });

  it('and the settings of transfers do not touch each other', async () => {
    await noteUnkept(database, 'words');
    await saveTransferSettings(database, { parallel: 2, wifiOnly: true });
    await noteKept(database, 'words');
    expect(await readTransferSettings(database)).toEqual({ parallel: 2, wifiOnly: true });
    expect(await database.getAllKeys('settings')).toEqual([ONLY]);
  });
});
