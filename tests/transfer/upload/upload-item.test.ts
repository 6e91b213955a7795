import { describe, expect, it } from 'vitest';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import { wipeKey, type UploadItem } from '../../../src/lib/transfer/upload/upload-item.ts';
import { hasGrant } from '../../../src/lib/vault/open-vault.ts';
import type { OpenVault } from '../../../src/lib/vault/open-vault.ts';

describe('the content key of an upload', () => {
  it('is zeros for whoever still holds it once it has ended', () => {
    const contentKey = new Uint8Array(32).fill(7);
    const item = { contentKey } as UploadItem;
    wipeKey(item);
    wipeKey(item);
    expect([item.contentKey, contentKey]).toEqual([undefined, new Uint8Array(32)]);
  });
});

it.each([
  [true, () => 'g1'],
  [
    false,
    () => {
      throw new HalfkeyError('locked', 'no grant is live');
    },
  ],
])('sees whether a grant is at hand, and throws nothing: %s', (has, requireGrant) => {
  expect(hasGrant({ requireGrant } as unknown as OpenVault)).toBe(has);
});
