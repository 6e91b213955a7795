import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request to the store as it passes by. */
export interface StoreRequest {
  readonly method: string;
  /** Percent-decoded, without the query: `/bucket/v/…`; `/` for KMS and Cognito. */
  readonly path: string;
  readonly query: string;
  /** `TrentService.Decrypt` and the like; empty for S3. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The store's answer as it passes by. */
interface StoreReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What the hostile store does with one request. A delay is a promise that comes late. */
export type Interference =
  /** Nothing. */
  | undefined
  /** It never gets there, and the connection is cut. */
  | { readonly kind: 'drop-request' }
  /** It has its effect, and the connection is cut before the answer. */
  | { readonly kind: 'drop-reply' }
  /** Other bytes get there, of the same length, under the headers that were signed. */
  | { readonly kind: 'replace'; readonly replace: (body: Buffer) => Buffer }
  /** Another answer in place of the store's, which hears nothing. */
  | { readonly kind: 'answer'; readonly reply: StoreReply }
  /** The store's answer, changed. */
  | { readonly kind: 'alter'; readonly alter: (reply: StoreReply) => StoreReply };

/** A store that does as a test says: a proxy before the local cloud. The Host header goes through, so signatures hold. */
export interface HostileStore {
  readonly endpoint: string;
  /** Every request since the last `forget`, in order. */
  readonly seen: readonly StoreRequest[];
  forget(): void;
  /** Asked about each request. */
  hook: (request: StoreRequest) => Interference | Promise<Interference>;
  /** Behaves from now on. */
  behave(): void;
  close(): Promise<void>;
}

export async function startHostileStore(cloudEndpoint: string): Promise<HostileStore> {
  const { hostname, port } = new URL(cloudEndpoint);
  let seen: StoreRequest[] = [];

  const forward = ({ method, url, headers }: IncomingMessage, body: Buffer) =>
    new Promise<StoreReply>((resolve, reject) => {
      const rest = without(headers, 'transfer-encoding', 'expect');
      const sent = httpRequest({ hostname, port, method, path: url, headers: rest }, (response) => {
        collect(response).then((bytes) => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: bytes });
        }, reject);
      });
      sent.on('error', reject);
      sent.end(body);
    });

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await collect(incoming);
    const noted = describe(incoming, body);
    seen.push(noted);
    const interference = await store.hook(noted);
    if (interference?.kind === 'drop-request') {
      incoming.socket.destroy();
      return;
    }
    if (interference?.kind === 'answer') {
      send(response, interference.reply);
      return;
    }
    const reply = await forward(
      incoming,
      interference?.kind === 'replace' ? interference.replace(body) : body,
    );
    if (interference?.kind === 'drop-reply') incoming.socket.destroy();
    else send(response, interference?.kind === 'alter' ? interference.alter(reply) : reply);
  }

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const honest = () => undefined;
  const store: HostileStore = {
    endpoint: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
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
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
  return store;
}

/** A GET's answer with other bytes behind the same headers, in the range that was asked for. */
export function serving(bytes: Uint8Array, { headers }: StoreRequest): Interference {
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
export function readsBlob({ method, path }: StoreRequest, blob: string): boolean {
  return method === 'GET' && path.endsWith(`/blobs/${blob}`);
}

function describe({ method = '', url = '', headers }: IncomingMessage, body: Buffer): StoreRequest {
  const { pathname, search } = new URL(url, 'http://store');
  const target = headers['x-amz-target'];
  return {
    method,
    path: decodeURIComponent(pathname),
    query: search,
    target: typeof target === 'string' ? target : '',
    headers,
    body,
  };
}

function send(response: ServerResponse, { status, headers, body }: StoreReply): void {
  const rest = without(headers, 'transfer-encoding', 'connection', 'content-length');
  response.writeHead(status, { ...rest, 'content-length': String(body.length) });
  response.end(body);
}

/** What concerns one connection alone is not passed on. */
function without(headers: IncomingHttpHeaders, ...names: string[]): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

async function collect(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
