import { type Interference, type PassingRequest, startRelay } from '../../support/relay.ts';

/** A store that does as a test says: a relay before the local cloud. */
export interface HostileStore {
  readonly endpoint: string;
  /** Every request since the last `forget`, in order. */
  readonly seen: readonly PassingRequest[];
  forget(): void;
  /** Asked about each request. */
  hook: (request: PassingRequest) => Interference | Promise<Interference>;
  /** Behaves from now on. */
  behave(): void;
  close(): Promise<void>;
}

export async function startHostileStore(cloudEndpoint: string): Promise<HostileStore> {
  let seen: PassingRequest[] = [];
  const relay = await startRelay(cloudEndpoint, (request) => {
    seen.push(request);
    return store.hook(request);
  });
  const honest = () => undefined;
  const store: HostileStore = {
    ...relay,
    get seen() {
      return seen;
    },
    forget() {
      seen = [];
    },
    hook: honest,
    behave() {
      store.hook = honest;
    },
  };
  return store;
}

/** A GET's answer with other bytes behind the same headers, in the range that was asked for. */
export function serving(bytes: Uint8Array, { headers }: PassingRequest): Interference {
  const [, from = '0', until = String(bytes.length - 1)] =
    /bytes=(\d+)-(\d+)/.exec(headers.range ?? '') ?? [];
  const body = Buffer.from(bytes.subarray(Number(from), Number(until) + 1));
  return {
    kind: 'answer',
    reply: {
      status: headers.range === undefined ? 200 : 206,
      headers: {
        'content-type': 'application/octet-stream',
        'content-range': `bytes ${from}-${String(Number(from) + body.length - 1)}/${String(bytes.length)}`,
        'access-control-allow-origin': headers.origin ?? '*',
      },
      body,
    },
  };
}

/** Whether a request reads the body of this blob. */
export function readsBlob({ method, path }: PassingRequest, blob: string): boolean {
  return method === 'GET' && path.endsWith(`/blobs/${blob}`);
}
