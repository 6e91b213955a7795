/** The y of the eight points of small order (0, 1, p − 1, and two of order 8), most significant byte first, in hex. */
const SMALL_ORDER = new Set([
  '00'.repeat(32),
  `${'00'.repeat(31)}01`,
  `7f${'ff'.repeat(30)}ec`,
  '05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826',
  '7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7',
]);
/** p = 2^255 − 19, in the same way. */
const P = `7f${'ff'.repeat(30)}ed`;

/**
 * Whether a public key, or the first half of a signature, is written as RFC 8032 §5.1.2 writes a point (y < p), and is
 * none of small order, with which anybody signs anything. Both sides judge this themselves (docs/FORMAT.md §2): the
 * verifications that they call take either. Whether it is a point at all, these see.
 * @param point 32 bytes
 */
export function isUsualPoint(point: Uint8Array): boolean {
  const bytes = Uint8Array.from(point).reverse();
  bytes[0] = (bytes[0] ?? 0) & 0x7f; // Without the sign of x.
  const y = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return y < P && !SMALL_ORDER.has(y);
}
