/**
 * Bytes that a file of so many bytes is padded to before it is sealed: Padmé (PURBs, PETS 2019, §4). A length keeps
 * only as many significant bits as its exponent has, so it says little about the content and grows by less than 12 %.
 *
 * An empty file is padded to one byte, so that its blob is like that of the shortest files. (A larger floor would hide
 * more, and cost every small file more than 12 %.)
 *
 * @returns an integer, exact for every safe integer
 * @throws {RangeError} unless 0 ≤ trueBytes ≤ 2^53 − 1
 */
export function paddedSize(trueBytes: number): number {
  if (!Number.isSafeInteger(trueBytes) || trueBytes < 0) {
    throw new RangeError(`expected a size in bytes, got ${String(trueBytes)}`);
  }
  if (trueBytes < 2) return 1;
  const exponent = floorLog2(trueBytes);
  const significantBits = floorLog2(exponent) + 1;
  const unit = 2 ** Math.max(0, exponent - significantBits);
  return Math.ceil(trueBytes / unit) * unit; // Powers of two: exact in floating point.
}

/** ⌊log2 n⌋, 0 for n = 1. Math.log2 rounds 2^53 − 1 up to 53. */
function floorLog2(value: number): number {
  const high = Math.floor(value / 2 ** 32);
  return high > 0 ? 63 - Math.clz32(high) : 31 - Math.clz32(value);
}
