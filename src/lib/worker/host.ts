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

  constructor(onReport: (report: Report) => void) {
    this.#worker = startWorker();
    this.#worker?.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind === 'report') onReport(data.report);
      else this.#settle(data);
    });
    // A worker that cannot even start answers nothing: every command fails then, rather than waits.
    this.#worker?.addEventListener('error', () => {
      for (const { reject } of this.#pending.values()) reject(noWorker());
      this.#pending.clear();
    });
  }

  /** @throws {HalfkeyError} with the code that the worker failed with; `browser_lacks` when there is none */
  send<Name extends CommandName>(
    command: Name,
    args: Commands[Name]['args'],
    transfer: Transferable[] = [],
  ): Promise<Commands[Name]['result']> {
    const worker = this.#worker;
    if (!worker) return Promise.reject(noWorker());
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      worker.postMessage({ id, command, args }, transfer);
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

function noWorker(): HalfkeyError {
  return new HalfkeyError('browser_lacks', 'the crypto worker does not start', {
    detail: { feature: 'Worker' },
  });
}
