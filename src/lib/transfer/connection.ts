import { HalfkeyError } from '../errors.ts';
import { afterAll, attemptsWorth, backoffMs, pause } from '../remote/retry.ts';

/** What says that the other end does not answer, or wants to be left alone for a while. */
const SILENT = new Set(['broker_unreachable', 'store_unreachable', 'too_many_requests']);

export interface ConnectionOptions {
  /**
   * Whether this device's line may be used now: it may be metered, and people may not want that. After a change of it,
   * `wake`.
   */
  readonly isAllowed: () => boolean;
  /** False where there is no time to wait: then what is silent is thrown at once. */
  readonly isPatient: boolean;
  /** Another is the reason to wait, or none is left. */
  readonly onWaiting?: (wait: Wait | undefined) => void;
  readonly nowMs?: () => number;
}

/** Why nothing goes on for now. */
export interface Wait {
  /** `line`: this one is not to be used; `silence`: the other end does not answer. */
  readonly for: 'line' | 'silence';
  /** When the other end is tried again, ms since 1970; absent while it is being tried. */
  readonly nextTryAtMs?: number;
}

/**
 * The way to one server, shared by all who want something of it. While it is silent all wait, and one of them tries,
 * after growing pauses; as soon as that one is answered all go on. Nothing is given up because of silence.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #waiting = new Set<() => void>();
  #isSilent = false;
  #isProbed = false;
  #failures = 0;
  #minimumMs = 0;
  #nextTryAtMs: number | undefined;
  #told: Wait | undefined;
  #wakeProbe: () => void = () => undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Undefined while all goes on. */
  get wait(): Wait | undefined {
    if (!this.#options.isAllowed()) return { for: 'line' };
    if (!this.#isSilent) return undefined;
    return {
      for: 'silence',
      ...(this.#nextTryAtMs !== undefined && { nextTryAtMs: this.#nextTryAtMs }),
    };
  }

  /** Something has changed outside: the next try is now. */
  wake(): void {
    this.#failures = 0;
    this.#tell();
    this.#wakeProbe();
    this.#goOn();
  }

  /**
   * Does `work`, again and again while the other end is silent. Each try begins from scratch, so a URL that expired is
   * a fresh one the next time.
   * @throws what `work` throws, but silence; the signal's reason
   */
  async attempt<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    for (let tries = 1; ;) {
      const isProbe = await this.#enter(signal);
      try {
        const result = await work();
        this.#isAnswered();
        return result;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof HalfkeyError)) throw error;
        if (SILENT.has(error.code)) {
          if (!this.#options.isPatient) throw error;
          this.#fellSilent(error.detail.retryAfterSeconds ?? 0, isProbe);
          continue;
        }
        this.#isAnswered();
        if (tries >= attemptsWorth(error)) throw afterAll(error);
        await pause(backoffMs(tries++), signal);
      } finally {
        if (isProbe) this.#endProbe();
      }
    }
  }

  /** Waits for its turn. @returns whether it goes to see if anybody answers */
  async #enter(signal: AbortSignal): Promise<boolean> {
    for (;;) {
      signal.throwIfAborted();
      this.#tell();
      if (this.#options.isAllowed()) {
        if (!this.#isSilent) return false;
        if (!this.#isProbed) {
          this.#isProbed = true;
          try {
            await this.#pauseBeforeProbe(signal);
            return true;
          } catch (error) {
            this.#endProbe();
            throw error;
          }
        }
      }
      await this.#change(signal);
    }
  }

  #pauseBeforeProbe(signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wakeProbe = () => {
      woken.abort();
    };
    const ms = Math.max(this.#minimumMs, backoffMs(Math.max(1, this.#failures)));
    this.#tryNextAt((this.#options.nowMs ?? Date.now)() + ms);
    return pause(ms, AbortSignal.any([signal, woken.signal]))
      .catch((error: unknown) => {
        if (signal.aborted) throw error;
      })
      .finally(() => {
        this.#tryNextAt(undefined);
      });
  }

  #endProbe(): void {
    this.#isProbed = false;
    this.#wakeProbe = () => undefined;
    this.#goOn();
  }

  /** The others that were under way when it fell silent count as one failure. */
  #fellSilent(retryAfterSeconds: number, isProbe: boolean): void {
    if (isProbe || !this.#isSilent) this.#failures += 1;
    this.#minimumMs = retryAfterSeconds * 1000;
    this.#isSilent = true;
    this.#tell();
  }

  #isAnswered(): void {
    this.#failures = 0;
    this.#minimumMs = 0;
    if (!this.#isSilent) return;
    this.#isSilent = false;
    this.#tell();
    this.#goOn();
  }

  #tryNextAt(nextTryAtMs: number | undefined): void {
    this.#nextTryAtMs = nextTryAtMs;
    this.#tell();
  }

  #tell(): void {
    const { wait } = this;
    if (this.#told?.for === wait?.for && this.#told?.nextTryAtMs === wait?.nextTryAtMs) return;
    this.#told = wait;
    this.#options.onWaiting?.(wait);
  }

  #goOn(): void {
    for (const resolve of [...this.#waiting]) resolve();
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#waiting.delete(goOn);
        signal.removeEventListener('abort', abort);
      };
      const goOn = () => {
        end();
        resolve();
      };
      const abort = () => {
        end();
        reject(signal.reason as Error);
      };
      this.#waiting.add(goOn);
      signal.addEventListener('abort', abort, { once: true });
    });
  }
}
