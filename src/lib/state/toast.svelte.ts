import type { Announcer } from './announcer.svelte.ts';

/** What was done, and how it is taken back. */
export interface Toasted {
  /** A sentence without its full stop: `2 files moved to Trash`. */
  readonly text: string;
  /** Absent where it cannot be undone. */
  readonly undo?: () => void;
}

/** What was done last, for as long as it is in sight: one at a time. */
export class Toast {
  readonly #announcer: Announcer;
  #current = $state.raw<Toasted | undefined>();

  constructor(announcer: Announcer) {
    this.#announcer = announcer;
  }

  get current(): Toasted | undefined {
    return this.#current;
  }

  /** Takes the place of what was there: that can be undone no longer. */
  show(text: string, undo?: () => void): void {
    this.#current = { text, ...(undo && { undo }) };
    this.#announcer.say(`${text}.`);
  }

  /** Once: what is undone is in sight no longer. */
  undo(): void {
    const { undo } = this.#current ?? {};
    this.dismiss();
    undo?.();
  }

  dismiss(): void {
    this.#current = undefined;
  }
}
