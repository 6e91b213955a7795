const GATHER_MS = 700;

/** A sentence for the ear, and which one it is. */
interface Said {
  readonly text: string;
  readonly number: number;
}

/**
 * What is said to the whole page: milestones only, gathered so that a burst is read as one sentence; and what it warns
 * of.
 */
export class Announcer {
  #said = $state.raw<Said>({ text: '', number: 0 });
  #alarms = $state.raw<readonly Said[]>([]);
  #count = 0;
  #gathered: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  get said(): Said {
    return this.#said;
  }

  get alarms(): readonly Said[] {
    return this.#alarms;
  }

  say(sentence: string): void {
    this.#gathered.push(sentence);
    if (this.#timer !== undefined) return;
    // The same words again would be no change, and so not be read.
    this.#said = { text: '', number: ++this.#count };
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const [first = ''] = this.#gathered;
      const more = this.#gathered.length - 1;
      this.#said = { text: more === 0 ? first : `${first} And ${String(more)} more.`, number: ++this.#count };
      this.#gathered = [];
    }, GATHER_MS);
  }

  /** The page warns of something. @returns takes it back */
  raise(text: string): () => void {
    const alarm = { text, number: ++this.#count };
    this.#alarms = [...this.#alarms, alarm];
    return () => {
      this.#alarms = this.#alarms.filter((each) => each !== alarm);
    };
  }
}
