import { concat, utf8, type Bytes } from '../../reader/primitives.ts';

/** Bytes that stand where a value would, whatever they are. */
export class Raw {
  readonly bytes: Bytes;
  constructor(bytes: Bytes) {
    this.bytes = bytes;
  }
}

/** A map, in exactly this order. */
export class Pairs {
  readonly pairs: readonly (readonly [Item, Item])[];
  constructor(...pairs: readonly (readonly [Item, Item])[]) {
    this.pairs = pairs;
  }
}

/** What is written: integers and lengths in their shortest form, maps as they are given. */
export type Item = null | boolean | number | string | Uint8Array | Raw | Pairs | readonly Item[];

/** A value as its bytes are given, in hex. */
export const raw = (digits: string): Raw => new Raw(Uint8Array.from(Buffer.from(digits, 'hex')));

/** RFC 8949 §3.3: a floating-point number of 64 bits. */
export function float64(value: number): Raw {
  const bytes = new Uint8Array(9);
  bytes[0] = 0xfb;
  new DataView(bytes.buffer).setFloat64(1, value);
  return new Raw(bytes);
}

/** RFC 8949 §3: major type and argument. */
function head(major: number, value: number): Bytes {
  const width = value < 24 ? 0 : ([1, 2, 4].find((bytes) => value < 2 ** (8 * bytes)) ?? 8);
  const first = major * 32 + (width === 0 ? value : 24 + Math.log2(width));
  const digits =
    width === 0
      ? ''
      : BigInt(value)
          .toString(16)
          .padStart(2 * width, '0');
  return concat(Uint8Array.of(first), Buffer.from(digits, 'hex'));
}

/** One value. */
export function cbor(item: Item): Bytes {
  if (item instanceof Raw) return item.bytes;
  if (item === null) return Uint8Array.of(0xf6);
  if (typeof item === 'boolean') return Uint8Array.of(item ? 0xf5 : 0xf4);
  if (typeof item === 'number') return item < 0 ? head(1, -1 - item) : head(0, item);
  if (typeof item === 'string') return concat(head(3, utf8(item).length), utf8(item));
  if (item instanceof Uint8Array) return concat(head(2, item.length), item);
  if (item instanceof Pairs) {
    const pairs = item.pairs.flatMap(([key, value]) => [cbor(key), cbor(value)]);
    return concat(head(5, item.pairs.length), ...pairs);
  }
  return concat(head(4, item.length), ...item.map(cbor));
}

/** RFC 8742: values one after the other. */
export const sequence = (items: readonly Item[]): Bytes => concat(...items.map(cbor));
