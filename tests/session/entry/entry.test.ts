import { expect, it } from 'vitest';
import { keyringBytes } from '../../../src/lib/session/entry/entry.ts';

it('reads a keyring as the broker hands it out, and calls corrupt what is no base64url', () => {
  expect(keyringBytes({ version: 1, bytes: 'AAEC' })).toEqual(new Uint8Array([0, 1, 2]));
  for (const bytes of ['A+/=', 'AAE=', 'A']) {
    expect(() => keyringBytes({ version: 1, bytes })).toThrow(
      expect.objectContaining({ code: 'keyring_corrupt' }) as Error,
    );
  }
});
