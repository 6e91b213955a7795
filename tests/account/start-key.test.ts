import { expect, test } from 'vitest';
import { toHex } from '../../src/lib/bytes.ts';
import { newStartLock, startKey } from '../../src/lib/account/start-key.ts';
import { deriveKey } from '../../src/lib/crypto/hkdf.ts';
import { newStretching, stretch } from '../../src/lib/crypto/stretching.ts';

const ACCOUNT = 'q0dDsGUj3VPvKXqZQVZ3Ag';

test('is derived from Argon2id’s key for this account alone', async () => {
  const { stretching, key } = await newStartLock('zebra quick violin', ACCOUNT);
  const stretched = await stretch('zebra quick violin', stretching);
  expect(key).toEqual(await deriveKey(stretched, 'start-wrap', ACCOUNT));
  expect(key).not.toEqual(stretched);
  expect(await startKey('zebra quick violin', 'AAAAAAAAAAAAAAAAAAAAAA', stretching)).not.toEqual(key);
});

test('is the same from every keyboard, and another for every other passphrase and salt', async () => {
  const stretching = newStretching();
  const keys = await Promise.all(
    ['caf\u00e9', 'cafe\u0301', '\uff43afe\u0301', 'cafe', 'caf\u00e9 '].map((typed) =>
      startKey(typed, ACCOUNT, stretching),
    ),
  );
  const [composed, decomposed, fullWidth, plain, longer] = keys.map(toHex);
  expect([decomposed, fullWidth]).toEqual([composed, composed]);
  const salted = toHex(await startKey('caf\u00e9', ACCOUNT, newStretching()));
  expect(new Set([composed, plain, longer, salted]).size).toBe(4);
});
