import { describe, expect, it } from 'vitest';
import { changeKey, openChange, sealChange, type Change } from '../../src/lib/drive/change.ts';
import { refusalCode } from '../crypto/refusal.ts';

const VAULT_KEY = new Uint8Array(32).fill(7);
const CHANGE: Change = { kind: 'rename', entry: 'e1', name: 'b.txt', was: 'a.txt' };

// What several of them come to is in tests/drive/pending-listing.test.ts.
describe('a change that is stored on this device', () => {
  it.each<Change>([CHANGE, { ...CHANGE, stamp: 0 }, { ...CHANGE, stamp: 7, dropped: 'not_found' }])(
    'opens as it was sealed: %j',
    async (change) => {
      const key = await changeKey('vault', 1, VAULT_KEY);
      expect(await openChange(key, await sealChange(key, change))).toEqual(change);
    },
  );

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
    for (const other of [{ ...CHANGE, kind: 'purge' }, { ...CHANGE, more: 1 }, { kind: 'rename' }]) {
      const sealed = await sealChange(key, other as unknown as Change);
      expect(await refusalCode(openChange(key, sealed))).toBe('device_state_lost');
    }
  });
});
