/** Order of keys as S3 lists them: by UTF-8 bytes, which is by code points and differs from UTF-16's order. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const x = a.charCodeAt(index);
    const y = b.charCodeAt(index);
    if (x === y) continue;
    const bothHigh = x >= 0xd800 && y >= 0xd800;
    // Surrogates stand for code points above U+FFFF, so they come after U+E000 to U+FFFF.
    return bothHigh ? rotated(x) - rotated(y) : x - y;
  }
  return a.length - b.length;
}

const rotated = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit + 0x2000);

/** A sorted list of keys without duplicates. */
export class KeyList {
  #keys: string[] = [];
  #sorted = true;

  get length(): number {
    return this.#keys.length;
  }

  /** The key at a 0-based place in the order. */
  at(index: number): string | undefined {
    this.#sort();
    return this.#keys[index];
  }

  /** Index of the first key that is not before `key`; with `after`, of the first one beyond it. */
  seek(key: string, after = false): number {
    this.#sort();
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compareKeys(this.#keys[middle] ?? '', key);
      if (order < 0 || (after && order === 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Index of the first key that does not start with `prefix`, beyond all that do. */
  seekPast(prefix: string): number {
    this.#sort();
    let low = this.seek(prefix);
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keys[middle]?.startsWith(prefix)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Adds many unsorted keys, none of which is in the list; sorted once when first read. */
  load(keys: Iterable<string>): void {
    for (const key of keys) this.#keys.push(key);
    this.#sorted = false;
  }

  add(key: string): void {
    const index = this.seek(key);
    if (this.#keys[index] !== key) this.#keys.splice(index, 0, key);
  }

  remove(key: string): void {
    const index = this.seek(key);
    if (this.#keys[index] === key) this.#keys.splice(index, 1);
  }

  #sort(): void {
    if (this.#sorted) return;
    this.#keys.sort(compareKeys);
    this.#sorted = true;
  }
}
