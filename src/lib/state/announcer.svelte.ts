import { andMore } from './texts/en.ts';

const GATHER_MS = 700;

/** A sentence for the ear, and which one it is. */
interface Said {
  readonly text: string;
  readonly number: number;
}

/**
 * What is said to the whole page: milestones only, those of many transfers gathered, so that a burst is read as one
 * sentence; and what it warns of.
 */
export class Announcer {
  #said = $state.raw<Said>({ text: '', number: 0 });
  #alarms = $state.raw<readonly Said[]>([]);
  #count = 0;
  #sentences: string[] = [];
  /** Of a burst: the first of them, and how many more there were. */
  #gathered: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  get said(): Said {
    return this.#said;
  }

  get alarms(): readonly Said[] {
    return this.#alarms;
  }

  /** @param options.gathers one of many alike, of which the first is said, and how many more there are */
  say(sentence: string, { gathers = false }: { readonly gathers?: boolean } = {}): void {
    (gathers ? this.#gathered : this.#sentences).push(sentence);
    if (this.#timer !== undefined) return;
    // The same words again would be no change, and so not be read.
    this.#said = { text: '', number: ++this.#count };
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const [first, ...more] = this.#gathered;
      const text = [...this.#sentences, ...(first === undefined ? [] : [first]), ...andMore(more.length)];
      this.#said = { text: text.join(' '), number: ++this.#count };
      [this.#sentences, this.#gathered] = [[], []];
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
