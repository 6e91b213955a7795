import { HalfkeyError, type ErrorCode } from '../errors.ts';
import type { Factor } from '../protocol/session.ts';
import type { CryptoWorker } from '../platform/crypto-worker.ts';

/** What the next code mends. */
export const WANTS_CODE: readonly ErrorCode[] = ['locked', 'grant_missing', 'grant_spent'];

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (reason: DOMException) => void;
  /** A file that is to be opened with the code. */
  readonly file: string | undefined;
}

/** About an action that may want a code. */
interface Wanting {
  /** The file that it opens: its key comes with the code then. */
  readonly file?: string;
  /** Whether somebody still waits for it: else no code is asked for. */
  readonly isAwaited?: () => boolean;
}

/** Asks for a code when something needs one, and lets what waited for it go on. */
export class CodePrompt {
  readonly #worker: CryptoWorker;
  #purpose = $state.raw<string | undefined>();
  #waiters: Waiter[] = [];

  constructor(worker: CryptoWorker) {
    this.#worker = worker;
  }

  /** What the code is for: `open “a.txt”`. Undefined while none is asked for. */
  get purpose(): string | undefined {
    return this.#purpose;
  }

  /** @throws {DOMException} `AbortError` when it is called off */
  ask(purpose: string, file?: string): Promise<void> {
    this.#purpose ??= purpose;
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject, file }));
  }

  /**
   * Runs an action, and again after each code that it turns out to want.
   * @throws {DOMException} `AbortError` when the code is called off, or is not waited for any more
   */
  async run<Result>(
    purpose: string,
    action: () => Promise<Result>,
    { file, isAwaited = () => true }: Wanting = {},
  ): Promise<Result> {
    for (;;) {
      try {
        return await action();
      } catch (error) {
        if (!(error instanceof HalfkeyError && WANTS_CODE.includes(error.code))) throw error;
      }
      if (!isAwaited()) throw new DOMException('nobody waits for it any more', 'AbortError');
      await this.ask(purpose, file);
    }
  }

  /** @throws {HalfkeyError} when the code is refused; what waits goes on waiting */
  submit(factor: Factor): Promise<void> {
    const files = new Set(this.#waiters.flatMap(({ file }) => file ?? []));
    return this.#worker.send('unlock', { factor, files: [...files] });
  }

  /** The code was accepted, and has been shown to be. */
  proceed(): void {
    for (const { resolve } of this.#close()) resolve();
  }

  dismiss(): void {
    for (const { reject } of this.#close()) reject(new DOMException('no code was given', 'AbortError'));
  }

  #close(): Waiter[] {
    const waiters = this.#waiters;
    this.#waiters = [];
    this.#purpose = undefined;
    return waiters;
  }
}
