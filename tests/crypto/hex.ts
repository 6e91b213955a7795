import type { Bytes } from '../../src/lib/bytes.ts';

/** Bytes of hex in either case, white space around it ignored. */
export function fromHex(hex: string): Bytes {
  const digits = hex.trim();
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new TypeError('expected hex');
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) =>
    Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16),
  );
}
