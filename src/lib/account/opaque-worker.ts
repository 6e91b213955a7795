import { lacking, whyNotStarted } from '../concurrency/worker-start.ts';
import { atEnd } from '../crypto/wipe.ts';
import { HalfkeyError } from '../errors.ts';
import type { FromOpaque, OpaqueOutcome, ToOpaque } from './opaque-flow.ts';
import workerUrl from './opaque.worker.ts?worker&url';

/**
 * One flow of OPAQUE, in a worker of its own that ends with it: WebAssembly's memory, which keeps passphrase and export
 * key and which nobody can wipe, goes then. Its owner declares it with `using`, so that it ends whatever happens in
 * between.
 */
interface OpaqueFlow extends Disposable {
  /** The first message to the broker. */
  readonly request: string;
  /**
   * Once.
   * @param response the broker's answer
   * @param pinnedServerKey undefined where this client has met no server yet
   * @throws {HalfkeyError} as `Login` and `Registration` in opaque.ts say
   */
  finish(response: string, pinnedServerKey?: string): Promise<OpaqueOutcome>;
}

/**
 * Begins OPAQUE's login (RFC 9807 §6): its outcome's message is the third one.
 * @throws {HalfkeyError} `app_unreachable`, `browser_lacks`
 */
export function beginLogin(passphrase: string): Promise<OpaqueFlow> {
  return begin({ kind: 'login', passphrase });
}

/**
 * Begins OPAQUE's registration (RFC 9807 §5): its outcome's message is the record.
 * @throws {HalfkeyError} as `beginLogin`
 */
export function beginRegistration(passphrase: string): Promise<OpaqueFlow> {
  return begin({ kind: 'registration', passphrase });
}

async function begin(first: ToOpaque): Promise<OpaqueFlow> {
  const worker = startWorker();
  const end = () => {
    worker.terminate();
  };
  try {
    const begun = await ask(worker, first);
    if (begun.kind !== 'begun') throw new TypeError('expected the first message to the broker');
    return Object.assign(atEnd(end), {
      request: begun.request,
      async finish(response: string, pinnedServerKey?: string) {
        const finished = await ask(worker, { kind: 'finish', response, pinnedServerKey });
        if (finished.kind !== 'finished') throw new TypeError('expected the end of the flow');
        return finished.outcome;
      },
    });
  } catch (error) {
    end();
    throw error;
  }
}

function ask(worker: Worker, message: ToOpaque): Promise<FromOpaque> {
  return new Promise((resolve, reject) => {
    const settled = new AbortController();
    const { signal } = settled;
    const settle = (run: () => void) => {
      settled.abort();
      run();
    };
    const heard = ({ data }: MessageEvent<FromOpaque>) => {
      settle(() => {
        if (data.kind !== 'failed') resolve(data);
        else reject(new HalfkeyError(data.failure.code, 'OPAQUE’s worker failed', data.failure));
      });
    };
    const failed = (event: Event) => {
      settle(() => {
        reject(whyNotStarted(event));
      });
    };
    worker.addEventListener('message', heard, { signal });
    worker.addEventListener('error', failed, { signal });
    worker.postMessage(message);
  });
}

function startWorker(): Worker {
  try {
    return new Worker((scriptUrl ??= trusted()), { type: 'module', name: 'halfkey-opaque' });
  } catch {
    throw lacking('the browser makes no workers in workers', 'Worker');
  }
}

let scriptUrl: string | undefined;

/** By this worker's own policy, of the page's name: it lets one script of this build through. */
function trusted(): string {
  // TypeScript's library for pages has Trusted Types in windows alone, and takes the trusted value for a string, as the
  // browser does.
  const policy = (globalThis as unknown as Window).trustedTypes?.createPolicy('halfkey-scripts', {
    createScriptURL: (url) => {
      if (url !== workerUrl) throw new TypeError('expected the script of OPAQUE’s worker');
      return url;
    },
  });
  return (policy?.createScriptURL(workerUrl) ?? workerUrl) as unknown as string;
}
