import { afterEach, describe, expect, test, vi } from 'vitest';
import { generateBackupCodes } from '../../src/lib/account/backup-codes.ts';
import { generatePassphrase } from '../../src/lib/account/passphrase.ts';
import { HalfkeyError } from '../../src/lib/errors.ts';
import { createSealer } from '../../src/lib/crypto/floe.ts';
import { randomBytes, randomId, randomSecret } from '../../src/lib/crypto/random.ts';
import { fromHex } from './hex.ts';
import { refusalCode } from './refusal.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('random bytes', () => {
  test.each([1, 12, 16, 32, 65_536])('come %d at a time', (sizeBytes) => {
    expect(randomBytes(sizeBytes)).toHaveLength(sizeBytes);
  });

  // A generator that was cloned, or that is stuck.
  test('are refused when the generator gives an output for the second time', async () => {
    const outputs = [1, 2, 3].map((seed) => fromHex(`a10a10${String(seed)}0`.repeat(8)));
    repeatGenerator(outputs);
    for (const expected of outputs) expect(randomBytes(32)).toEqual(expected);
    expect(() => randomBytes(32)).toThrow(HalfkeyError);
    expect(() => randomBytes(32)).toThrow(expect.objectContaining({ code: 'browser_lacks' }));
    const sealing = createSealer(new Uint8Array(32), new Uint8Array(0));
    expect(await refusalCode(sealing)).toBe('browser_lacks');
  });

  test('are refused as a nonce that was there before, and as an id', () => {
    repeatGenerator([fromHex('b0'.repeat(16))]);
    randomBytes(12);
    expect(() => randomBytes(12)).toThrow(HalfkeyError);
    randomId();
    expect(() => randomId()).toThrow(HalfkeyError);
  });

  test('that are too few to be a nonce may repeat', () => {
    repeatGenerator([new Uint8Array(11)]);
    expect(randomBytes(11)).toEqual(randomBytes(11));
  });

  test('are remembered for 65,536 outputs, and no memory grows without end', () => {
    const outputs = [fromHex('c1'.repeat(32))];
    repeatGenerator(outputs);
    const [first] = [randomBytes(32)];
    vi.restoreAllMocks();
    for (let round = 0; round < 65_535; round++) randomBytes(32);
    repeatGenerator(outputs);
    expect(() => randomBytes(32)).toThrow(HalfkeyError);
    vi.restoreAllMocks();
    randomBytes(32);
    repeatGenerator(outputs);
    expect(randomBytes(32)).toEqual(first);
  });
});

describe('random secrets', () => {
  test('are remembered nowhere: what is wiped is gone', () => {
    const [probe, secret] = [fromHex('d1'.repeat(16)), fromHex('d2'.repeat(32))];
    repeatGenerator([probe, secret, secret]);
    expect(randomSecret(32)).toEqual(secret);
    expect(randomBytes(32)).toEqual(secret);
  });

  test('are refused all the same when the generator repeats itself', () => {
    repeatGenerator([fromHex('e1'.repeat(32))]);
    expect(randomSecret(32)).toHaveLength(32);
    expect(() => randomSecret(32)).toThrow(expect.objectContaining({ code: 'browser_lacks' }));
  });

  test.each([
    ['a generated passphrase', 12, () => generatePassphrase()],
    ['backup codes', 10, () => Promise.resolve(generateBackupCodes())],
  ])('that have become text are wiped: %s', async (_what, sizeBytes, generate) => {
    const drawn: Uint8Array[] = [];
    const random = crypto.getRandomValues.bind(crypto);
    vi.spyOn(crypto, 'getRandomValues').mockImplementation((target) => {
      random(target as Uint8Array<ArrayBuffer>);
      if ((target as Uint8Array).length === sizeBytes) drawn.push(target as Uint8Array);
      return target;
    });
    await generate();
    expect(drawn.length).toBeGreaterThan(0);
    for (const bytes of drawn) expect(bytes).toEqual(new Uint8Array(sizeBytes));
  });
});

test('ids are 22 characters of base64url, and distinct', () => {
  const ids = Array.from({ length: 1000 }, randomId);
  for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{22}$/);
  expect(new Set(ids).size).toBe(1000);
});

/** The platform's generator gives these in turn, over and over. */
function repeatGenerator(outputs: readonly Uint8Array[]): void {
  let call = 0;
  vi.spyOn(crypto, 'getRandomValues').mockImplementation((target) => {
    const output = outputs[call++ % outputs.length];
    if (output && target instanceof Uint8Array) target.set(output.subarray(0, target.length));
    return target;
  });
}
