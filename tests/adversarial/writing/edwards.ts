// The curve of Ed25519 (RFC 8032 §5.1) in affine coordinates: slow, and enough to make points that no writer makes.

const P = 2n ** 255n - 19n;
/** The order of the base point. */
export const L = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n;

const mod = (value: bigint, modulus = P): bigint => ((value % modulus) + modulus) % modulus;

function power(base: bigint, exponent: bigint): bigint {
  let [result, factor] = [1n, mod(base)];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = mod(result * factor);
    factor = mod(factor * factor);
  }
  return result;
}
const inverse = (value: bigint): bigint => power(value, P - 2n);

const D = mod(-121_665n * inverse(121_666n));

/** A point, affine. */
export interface Point {
  readonly x: bigint;
  readonly y: bigint;
}

export const IDENTITY: Point = { x: 0n, y: 1n };

export function add(a: Point, b: Point): Point {
  const product = mod(D * a.x * b.x * a.y * b.y);
  return {
    x: mod((a.x * b.y + b.x * a.y) * inverse(1n + product)),
    y: mod((a.y * b.y + a.x * b.x) * inverse(1n - product)),
  };
}

export function times(scalar: bigint, point: Point): Point {
  let [result, factor] = [IDENTITY, point];
  for (let rest = scalar; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = add(result, factor);
    factor = add(factor, factor);
  }
  return result;
}

/** RFC 8032 §5.1.3, of a y that may be of any point; undefined where there is none. */
function pointAt(y: bigint, isOdd: boolean): Point | undefined {
  const square = mod((y * y - 1n) * inverse(D * y * y + 1n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * power(2n, (P - 1n) / 4n));
  if (mod(x * x) !== square) return undefined;
  return { x: (x & 1n) === (isOdd ? 1n : 0n) ? x : mod(-x), y };
}

const base = pointAt(mod(4n * inverse(5n)), false);
if (!base) throw new Error('no base point');
export const BASE: Point = base;

/** One of the four points of order 8: with L it is L times some point. */
export const ORDER_8: Point = ((): Point => {
  for (let y = 2n; ; y += 1n) {
    const point = pointAt(y, false);
    const torsion = point && times(L, point);
    if (torsion && times(4n, torsion).y !== 1n) return torsion;
  }
})();

const littleEndian = (value: bigint): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex')).reverse();

/** A scalar or a coordinate, 32 bytes. */
export const scalarBytes = littleEndian;
export const scalarOf = (bytes: Uint8Array): bigint =>
  BigInt(`0x${Buffer.from(Uint8Array.from(bytes).reverse()).toString('hex')}`);

/** RFC 8032 §5.1.2. */
export const pointBytes = ({ x, y }: Point): Uint8Array<ArrayBuffer> => littleEndian(y | ((x & 1n) << 255n));

/**
 * The same point in another encoding, which RFC 8032 does not allow: y + p where that fits, or the sign of an x of 0.
 */
export const otherBytes = {
  yPlusP: ({ x, y }: Point): Uint8Array<ArrayBuffer> => littleEndian((y + P) | ((x & 1n) << 255n)),
  sign: ({ y }: Point): Uint8Array<ArrayBuffer> => littleEndian(y | (1n << 255n)),
};
