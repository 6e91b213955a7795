import { Semaphore } from '../../concurrency/semaphore.ts';
import { LOCKS } from '../../concurrency/locks.ts';

/** Something that wants to be sent. */
export interface Job {
  readonly blob: string;
  /** `small`: of one part; `tiny`: so small that its cost is round trips alone. */
  readonly size: 'tiny' | 'small' | 'large';
  /**
   * Sends it. Resolves when the line is free for the next one; what is still to be done then is done beside it. Neither
   * rejects.
   */
  readonly run: () => Promise<{ readonly rest: Promise<void> }>;
}

type Locks = Pick<LockManager, 'request'>;

/**
 * Tiny files go by the hundred, so that their URLs and keys come by the hundred, and the next hundred gathers
 * meanwhile; how many PUTs there are at a time is the gate's. Of other files of one part several go together. A file of
 * many parts fills the line, and a fixed part of memory, by itself.
 */
const AT_ONCE = { tiny: 200, small: 4, large: 1 } as const;

/** Sends what is offered, in the order in which it came, while no other tab does. */
export class UploadQueue {
  readonly #locks: Locks;
  readonly #waiting = new Map<string, Job>();
  readonly #under = new Set<string>();
  /** Of all that wait or are under way. */
  readonly #over = new Map<string, ReturnType<typeof withResolver>>();
  readonly #semaphores = {
    tiny: new Semaphore(AT_ONCE.tiny),
    small: new Semaphore(AT_ONCE.small),
    large: new Semaphore(AT_ONCE.large),
  };
  #stop = new AbortController();
  #running: Promise<void> | undefined;
  #more: () => void = () => undefined;

  constructor(locks: Locks) {
    this.#locks = locks;
  }

  /**
   * Sends a job when its turn comes; one whose blob waits or is under way already is not taken twice.
   * @returns a promise that resolves when it was run, or withdrawn
   */
  offer(job: Job): Promise<void> {
    const known = this.#over.get(job.blob);
    if (known) return known.promise;
    const over = withResolver();
    this.#over.set(job.blob, over);
    this.#waiting.set(job.blob, job);
    this.#more();
    this.#running ??= this.#run();
    return over.promise;
  }

  /** Resolves when it was run, or withdrawn; at once where it neither waits nor is under way. */
  async over(blob: string): Promise<void> {
    await this.#over.get(blob)?.promise;
  }

  /** Takes back what has not begun. */
  withdraw(blob: string): void {
    if (this.#waiting.delete(blob)) this.#end(blob);
  }

  /** Resolves when nothing is left to be sent. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  /** Forgets all that has not begun. */
  clear(): void {
    for (const blob of [...this.#waiting.keys()]) this.withdraw(blob);
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#more();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    try {
      await this.#locks.request(LOCKS.queue, { signal }, () => this.#work());
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'AbortError') throw error;
    } finally {
      this.#running = undefined;
      if (this.#waiting.size > 0) this.#running = this.#run();
    }
  }

  async #work(): Promise<void> {
    while (this.#waiting.size > 0 || this.#under.size > 0) {
      const change = new Promise<void>((resolve) => {
        this.#more = resolve;
      });
      for (const job of [...this.#waiting.values()]) {
        this.#waiting.delete(job.blob);
        this.#under.add(job.blob);
        void this.#send(job);
      }
      await change;
    }
  }

  async #send(job: Job): Promise<void> {
    const { rest } = await this.#semaphores[job.size].pass(job.run);
    await rest;
    this.#under.delete(job.blob);
    this.#end(job.blob);
    this.#more();
  }

  #end(blob: string): void {
    this.#over.get(blob)?.resolve();
    this.#over.delete(blob);
  }
}

function withResolver(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
