const GATHER_MS = 700;

/** The one polite live region: milestones only, gathered so that a burst is read as one sentence. */
export class Announcer {
  #text = $state.raw('');
  #gathered: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  get text(): string {
    return this.#text;
  }

  say(sentence: string): void {
    this.#gathered.push(sentence);
    if (this.#timer !== undefined) return;
    // The same words again would be no change, and so not be read.
    this.#text = '';
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const [first = ''] = this.#gathered;
      const more = this.#gathered.length - 1;
      this.#text = more === 0 ? first : `${first} And ${String(more)} more.`;
      this.#gathered = [];
    }, GATHER_MS);
  }
}
