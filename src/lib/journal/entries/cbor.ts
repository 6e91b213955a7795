import { decodeFirst, Tokenizer, Type, type DecodeOptions } from 'cborg';

/**
 * Arrays and maps that a value may have within one another, itself included; nothing that is written has more than 4.
 * Without a bound of its own the engine's stack would be one: then devices would disagree on which operations can be
 * read.
 */
const MAX_DEPTH = 16;

const STRICT = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
} as const satisfies DecodeOptions;

/**
 * The first value of a CBOR sequence (RFC 8742), by the rules of docs/FORMAT.md §11.2, and the bytes after it.
 * @throws {Error} when it cannot be parsed, or has more than 16 arrays and maps within one another
 */
export function decodeItem(sequence: Uint8Array): [value: unknown, rest: Uint8Array] {
  return decodeFirst(sequence, { ...STRICT, tokenizer: new ShallowTokenizer(sequence, STRICT) });
}

/** One value and nothing after it. @throws {Error} as `decodeItem`, and when bytes are left */
export function decodeWhole(bytes: Uint8Array): unknown {
  const [value, rest] = decodeItem(bytes);
  if (rest.length > 0) throw new RangeError(`${String(rest.length)} bytes are left behind the value`);
  return value;
}

/** Stops before cborg, which calls itself for each level, goes deeper than the bound. */
class ShallowTokenizer extends Tokenizer {
  /** Values that are still to come in each array or map that is open; of a map, keys and values. */
  readonly #left: number[] = [];

  override next(): ReturnType<Tokenizer['next']> {
    const token = super.next();
    const isMap = Type.equals(token.type, Type.map);
    if (isMap || Type.equals(token.type, Type.array)) {
      if (this.#left.length === MAX_DEPTH) throw new RangeError(`more than ${String(MAX_DEPTH)} levels`);
      this.#left.push((token.value as number) * (isMap ? 2 : 1));
    } else {
      this.#count();
    }
    while (this.#left.at(-1) === 0) {
      this.#left.pop();
      this.#count(); // What has ended is a value of what is around it.
    }
    return token;
  }

  #count(): void {
    const top = this.#left.length - 1;
    if (top >= 0) this.#left[top] = (this.#left[top] ?? 0) - 1;
  }
}
