import BenchWorker from './bench.worker.ts?worker';
import type { Contests } from './bench.worker.ts';
import { Product } from './product.ts';

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

const waiting = new Map<number, (answer: Answer) => void>();
let nextId = 1;
let worker: Worker | undefined;
let product: Product | undefined;
let downloaded: File | undefined;

function picked(): File | undefined {
  return document.querySelector<HTMLInputElement>('#file')?.files?.[0];
}

function startWorker(): Worker {
  const started = new BenchWorker();
  started.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
    waiting.get(data.id)?.(data);
    waiting.delete(data.id);
  });
  // A worker that cannot even start answers nothing.
  started.addEventListener('error', ({ message, filename, lineno }) => {
    const error = `${message} (${filename}:${String(lineno)})`;
    for (const answer of waiting.values()) answer({ id: 0, error });
    waiting.clear();
  });
  return started;
}

/** Runs a contest in the bench's worker; `file` is the picked one. */
function inWorker(contest: keyof Contests, args: object): Promise<unknown> {
  worker ??= startWorker();
  const id = nextId++;
  return new Promise((resolve, reject) => {
    waiting.set(id, ({ result, error }) => {
      if (error === undefined) resolve(result);
      else reject(new Error(error));
    });
    worker?.postMessage({ id, contest, args: { ...args, file: picked() } });
  });
}

/** What the driver calls. The product's own worker is started by the first command that is meant for it. */
const bench = {
  run: ({ contest, args = {} }: { contest: keyof Contests; args?: object }) => inWorker(contest, args),
  send: ({ command, args = {} }: { command: string; args?: object }) =>
    (product ??= new Product()).send(command, args),
  firstRow: () => (product ??= new Product()).firstRow(),
  awaitName: ({ name }: { name: string }) => (product ??= new Product()).awaitName(name),
  upload: () => (product ??= new Product()).upload(picked()),
  async download({ name }: { name: string }) {
    downloaded = await (product ??= new Product()).download(name);
  },
  compareDownload: () => inWorker('compare', { other: downloaded }),
};

Object.assign(globalThis, { bench });
