/** Whether something rests: until somebody has it go on, or it is called off. */
export class Pause {
  readonly #signal: AbortSignal;
  #over: Promise<void> | undefined;
  #end: () => void = () => undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => {
      this.end();
    });
  }

  begin(): void {
    this.#over ??= new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  end(): void {
    this.#end();
    this.#over = undefined;
  }

  /** Resolves at once where nothing rests. @throws the signal's reason */
  async isOver(): Promise<void> {
    if (!this.#over) return;
    await this.#over;
    this.#signal.throwIfAborted();
  }
}
