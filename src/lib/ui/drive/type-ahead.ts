/** Letters closer to each other than that are one name that somebody types. */
const WORD_MS = 900;

/** What of a pressed key matters here. */
type Press = Pick<KeyboardEvent, 'key' | 'isComposing' | 'ctrlKey' | 'metaKey' | 'altKey'>;

/** Letters that are typed while a list has the focus: the beginning of a name in it. */
export class TypeAhead {
  readonly #nowMs: () => number;
  #typed = '';
  #lastMs = -Infinity;

  /** @param nowMs a clock that only goes forward */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /**
   * @returns what is looked for, and whether the search may stay where it is (a name that is being typed on) or goes on
   *   to the next (its first letter, or the same letter again); undefined when the key is none of a name
   */
  press({
    key,
    isComposing,
    ctrlKey,
    metaKey,
    altKey,
  }: Press): { prefix: string; stays: boolean } | undefined {
    const isWord = this.#nowMs() - this.#lastMs < WORD_MS;
    const isCharacter = isWord ? /^[^/]$/u.test(key) : /^[\p{L}\p{N}]$/u.test(key);
    if (!isCharacter || isComposing || ctrlKey || metaKey || altKey) return undefined;
    const isSameLetter = isWord && this.#typed === key;
    this.#typed = isWord && !isSameLetter ? this.#typed + key : key;
    this.#lastMs = this.#nowMs();
    return { prefix: this.#typed, stays: this.#typed !== key };
  }
}
