import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  concat,
  equalBytes,
  fromB64Url,
  fromUtf8,
  lengthPrefixed,
  release,
  toB64,
  toB64Url,
  toHex,
  u32be,
  u64be,
  utf8,
} from '../src/lib/bytes.ts';

const bytes = (...values: number[]) => new Uint8Array(values);

describe('texts', () => {
  it('come back as they were, and begin with a byte order mark if they did', () => {
    for (const text of ['', 'Brief an 旅 😀', '\ufeffa']) expect(fromUtf8(utf8(text))).toBe(text);
  });

  it('are none that are no UTF-8', () => {
    for (const none of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82]]) {
      expect(() => fromUtf8(bytes(...none))).toThrow(TypeError);
    }
  });
});

describe('numbers', () => {
  it.each([
    [0, '00000000'],
    [1, '00000001'],
    [0x01020304, '01020304'],
    [0xffffffff, 'ffffffff'],
  ])('of 32 bits: %i is %s', (value, hex) => {
    expect(toHex(u32be(value))).toBe(hex);
  });

  it.each([
    [0, '0000000000000000'],
    [2 ** 32, '0000000100000000'],
    [Number.MAX_SAFE_INTEGER, '001fffffffffffff'],
  ])('of 64 bits: %i is %s', (value, hex) => {
    expect(toHex(u64be(value))).toBe(hex);
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
    'that do not fit are refused: %s',
    (value) => {
      expect(() => u64be(value)).toThrow(RangeError);
      expect(() => u32be(value)).toThrow(RangeError);
    },
  );

  it('of 33 bits are none of 32', () => {
    expect(() => u32be(2 ** 32)).toThrow(RangeError);
  });
});

describe('lists of fields', () => {
  it('are the same bytes only where they are the same lists', () => {
    const list = fc.array(fc.oneof(fc.string(), fc.uint8Array()), { maxLength: 4 });
    const plain = (fields: readonly (string | Uint8Array)[]) =>
      JSON.stringify(fields.map((field) => toHex(typeof field === 'string' ? utf8(field) : field)));
    fc.assert(
      fc.property(list, list, (one, two) => {
        const isSame = equalBytes(lengthPrefixed(...one), lengthPrefixed(...two));
        expect(isSame).toBe(plain(one) === plain(two));
      }),
      { seed: 31, numRuns: 200 },
    );
    expect(toHex(lengthPrefixed('a', bytes(1, 2)))).toBe('0000000161000000020102');
  });

  it('one after the other are in a buffer of their own', () => {
    const whole = bytes(9, 1, 2, 9);
    const joined = concat(whole.subarray(1, 3), bytes(3), bytes());
    expect([joined, joined.buffer.byteLength]).toEqual([bytes(1, 2, 3), 3]);
  });
});

describe('base64url', () => {
  it('comes back, and is what Node writes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (array) => {
        const given = new Uint8Array(array);
        expect(toB64Url(given)).toBe(Buffer.from(given).toString('base64url'));
        expect(toB64(given)).toBe(Buffer.from(given).toString('base64'));
        expect(fromB64Url(toB64Url(given))).toEqual(given);
      }),
      { seed: 37, numRuns: 100 },
    );
  });

  it('of more than a stack takes is written, too', () => {
    const large = new Uint8Array(0x8000 * 3 + 1).fill(7);
    expect(toB64(large)).toBe(Buffer.from(large).toString('base64'));
  });

  it.each(['A', 'AA=', 'AA==', 'AB', 'AAB', 'A+A', 'A/A', 'A A', 'AAAAA', '\u00e9'])(
    'that is not canonical is none: %j',
    (text) => {
      expect(() => fromB64Url(text)).toThrow(TypeError);
    },
  );
});

describe('equal bytes', () => {
  it('have the same length and content', () => {
    expect(equalBytes(bytes(1, 2), bytes(1, 2))).toBe(true);
    for (const other of [bytes(1), bytes(1, 2, 3), bytes(1, 3)])
      expect(equalBytes(bytes(1, 2), other)).toBe(false);
  });
});

it('gives memory back at once: who shares it has nothing left', () => {
  const whole = bytes(1, 2, 3);
  const view = whole.subarray(1);
  release(view);
  expect([whole.length, view.length]).toEqual([0, 0]);
});
