/** Letters closer to each other than that are a word that somebody types or dictates. */
const WORD_MS = 500;

/** What a key does. */
export interface LetterKey {
  readonly act: () => void;
  /** It leads to a field: the letters that follow are for that, and it need not wait for them. */
  readonly leadsToField?: boolean;
}

/** What of a pressed key matters here. */
type Press = Pick<KeyboardEvent, 'key' | 'repeat' | 'isComposing' | 'ctrlKey' | 'metaKey' | 'altKey'>;

/**
 * Single letters that do something. Anyone who types, or dictates, words where there is no field must not set them off
 * (WCAG 2.1.4): a letter acts when it stands alone, with no other just before it or just after.
 */
export class LetterKeys {
  readonly #keys: Readonly<Record<string, LetterKey>>;
  readonly #nowMs: () => number;
  #lastMs = -Infinity;
  #pending: ReturnType<typeof setTimeout> | undefined;

  /** @param keys by the lower-case letter. @param nowMs a clock that only goes forward */
  constructor(keys: Readonly<Record<string, LetterKey>>, nowMs: () => number) {
    this.#keys = keys;
    this.#nowMs = nowMs;
  }

  /** @returns whether the key means something here, so that the browser should do nothing of its own with it */
  press({ key, repeat, isComposing, ctrlKey, metaKey, altKey }: Press): boolean {
    const isCharacter = /^.$/u.test(key) && !ctrlKey && !metaKey && !altKey;
    this.stop();
    if (!isCharacter || isComposing) return false;
    const sinceMs = this.#nowMs() - this.#lastMs;
    this.#lastMs = this.#nowMs();
    const found = this.#keys[key.toLowerCase()];
    if (!found || repeat || sinceMs < WORD_MS) return false;
    if (found.leadsToField) found.act();
    else this.#pending = setTimeout(found.act, WORD_MS);
    return true;
  }

  /** What has been pressed is part of a word, or comes to nothing for another reason. */
  stop(): void {
    clearTimeout(this.#pending);
    this.#pending = undefined;
  }
}
