import { lacking, whyNotStarted } from '../concurrency/worker-start.ts';
import { HalfkeyError } from '../errors.ts';
import workerUrl from './crypto.worker.ts?worker&url';
import { scriptUrl } from './scripts.ts';
import type { CommandName, Commands, FromWorker, Report } from '../protocol/commands.ts';

interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (error: HalfkeyError) => void;
}

/** The page's side of the crypto worker: sends commands, hands reports on. One worker lives as long as its page. */
export class WorkerHost {
  readonly #worker: Worker | undefined;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  /** Whether it was heard of: from then on it answers every command, whatever else goes wrong in it. */
  #hasStarted = false;
  /** Why it did not start. */
  #failure: HalfkeyError | undefined;

  constructor(onReport: (report: Report) => void) {
    this.#worker = startWorker();
    if (!this.#worker) this.#failure = lacking('the browser makes no module workers', 'Worker');
    this.#worker?.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      this.#hasStarted = true;
      if (data.kind === 'report') onReport(data.report);
      else this.#settle(data);
    });
    // A worker that does not even start answers nothing: every command fails then, rather than waits.
    this.#worker?.addEventListener('error', (event) => {
      if (this.#hasStarted) return;
      const failure = whyNotStarted(event);
      this.#failure = failure;
      for (const { reject } of this.#pending.values()) reject(failure);
      this.#pending.clear();
    });
  }

  /**
   * @throws {HalfkeyError} with the code that the worker failed with; `browser_lacks` or `app_unreachable` when it does
   * not run
   */
  send<Name extends CommandName>(
    command: Name,
    args: Commands[Name]['args'],
    transfer: Transferable[] = [],
  ): Promise<Commands[Name]['result']> {
    if (this.#failure) return Promise.reject(this.#failure);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker?.postMessage({ id, command, args }, transfer);
    });
  }

  #settle(message: Exclude<FromWorker, { kind: 'report' }>): void {
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.kind === 'answer') pending?.resolve(message.result as never);
    else {
      const { code, detail } = message.failure;
      pending?.reject(new HalfkeyError(code, `the worker answered ${code}`, { detail }));
    }
  }
}

function startWorker(): Worker | undefined {
  try {
    return new Worker(scriptUrl(workerUrl), { type: 'module', name: 'halfkey-crypto' });
  } catch {
    return undefined;
  }
}
