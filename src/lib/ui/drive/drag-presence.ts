/**
 * A drag that is over the page says so at least every 350 ms, give or take 200 (HTML, §6.11.5): longer silence means
 * that it is gone.
 */
const GONE_AFTER_MS = 2_000;

/**
 * Whether something is being dragged over the page. Browsers do not say reliably that it has left: what the pointer was
 * over may be gone from the page, and anyone who presses Escape, or drops elsewhere, leaves nothing at all. That it is
 * there, they keep saying.
 */
export class DragPresence {
  readonly #onchange: (isThere: boolean) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onchange hears when something has come, and when it is gone */
  constructor(onchange: (isThere: boolean) => void) {
    this.#onchange = onchange;
  }

  /** It is there. */
  see(): void {
    if (this.#timer === undefined) this.#onchange(true);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.end();
    }, GONE_AFTER_MS);
  }

  /** It has been dropped, or cannot be there any more. */
  end(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#onchange(false);
  }
}
