import { describe, expect, it } from 'vitest';
import { changeKey, openChange, sealChange, type Change, type Edit } from '../../src/lib/drive/change.ts';
import { refusalCode } from '../crypto/refusal.ts';

const VAULT_KEY = new Uint8Array(32).fill(7);
const RENAME: Edit = { kind: 'rename', entry: 'e1', name: 'b.txt', was: 'a.txt' };
const CHANGE: Change = {
  edits: [
    { kind: 'folder-add', entry: 'f1', parent: '', name: 'Norway' },
    RENAME,
    { kind: 'move', entry: 'e1', name: 'b.txt', folder: 'f1' },
    { kind: 'trash', entry: 'e1', name: 'b.txt', atMs: 7 },
    { kind: 'restore', entry: 'e1', name: 'b.txt' },
    { kind: 'tag', entry: 'e1', name: 'b.txt', add: ['x'], remove: [] },
  ],
};

// What several of them come to is in rebase.test.ts.
describe('a change that rests on this device', () => {
  it.each<Change>([
    CHANGE,
    { ...CHANGE, stamp: 0 },
    { edits: [], stamp: 7, dropped: [{ edit: RENAME, reason: 'not_found' }] },
  ])('opens as it was sealed: %j', async (change) => {
    const key = await changeKey('vault', 1, VAULT_KEY);
    expect(await openChange(key, await sealChange(key, change))).toEqual(change);
  });

  it('opens for no other vault, epoch or key, and not when it was damaged', async () => {
    const key = await changeKey('vault', 1, VAULT_KEY);
    const sealed = await sealChange(key, CHANGE);
    for (const other of [
      await changeKey('other', 1, VAULT_KEY),
      await changeKey('vault', 2, VAULT_KEY),
      await changeKey('vault', 1, new Uint8Array(32)),
    ]) {
      expect(await refusalCode(openChange(other, sealed))).toBe('device_state_lost');
    }
    sealed[sealed.length - 1]! ^= 1;
    expect(await refusalCode(openChange(key, sealed))).toBe('device_state_lost');
  });

  it('is none when it says something else', async () => {
    const key = await changeKey('vault', 1, VAULT_KEY);
    for (const other of [
      { edits: [{ ...RENAME, kind: 'purge' }] },
      { edits: [{ ...RENAME, more: 1 }] },
      { ...CHANGE, more: 1 },
      RENAME,
    ]) {
      const sealed = await sealChange(key, other as unknown as Change);
      expect(await refusalCode(openChange(key, sealed))).toBe('device_state_lost');
    }
  });
});
