import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** What happens to one request on its way to the local cloud. */
export type Fault =
  /** It never gets there: the connection is cut. */
  | { readonly kind: 'lost' }
  /** It has its effect, and the connection is cut before the answer. */
  | { readonly kind: 'reply-lost' }
  /** It has its effect, and of the answer's body half arrives: the connection stays, and nothing more comes. */
  | { readonly kind: 'half' }
  /** Another answer in place of the cloud's. */
  | { readonly kind: 'answer'; readonly status: number; readonly body: string; readonly after?: boolean };

export interface SeenRequest {
  readonly method: string;
  /** Percent-decoded, without the query. */
  readonly path: string;
  readonly query: string;
  /** `TrentService.Decrypt` and the like; empty for S3. */
  readonly target: string;
  readonly body: Buffer;
}

/** A proxy that lets a test choose what goes wrong; the Host header goes through as it came, so signatures hold. */
export interface FaultProxy {
  readonly endpoint: string;
  /** Every request so far, in order. */
  readonly seen: SeenRequest[];
  /** Asked for each request; `undefined` lets it through. */
  fault: (request: SeenRequest) => Fault | undefined;
  close(): Promise<void>;
}

/** S3's error document. */
export const s3Error = (code: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>as the test wants it</Message></Error>`;

export async function startFaultProxy(cloudEndpoint: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(cloudEndpoint);
  const seen: SeenRequest[] = [];

  const forward = ({ method, url, headers }: IncomingMessage, body: Buffer) =>
    new Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }>((resolve, reject) => {
      const rest = without(headers, 'transfer-encoding', 'expect');
      const sent = request({ hostname, port, method, path: url, headers: rest }, (response) => {
        collect(response).then((bytes) => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: bytes });
        }, reject);
      });
      sent.on('error', reject);
      sent.end(body);
    });

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await collect(incoming);
    const url = new URL(incoming.url ?? '', cloudEndpoint);
    const target = incoming.headers['x-amz-target'];
    const noted: SeenRequest = {
      method: incoming.method ?? '',
      path: decodeURIComponent(url.pathname),
      query: url.search,
      target: typeof target === 'string' ? target : '',
      body,
    };
    seen.push(noted);
    const fault = proxy.fault(noted);
    if (fault?.kind === 'lost') {
      incoming.socket.destroy();
      return;
    }
    if (fault?.kind === 'answer') {
      if (fault.after) await forward(incoming, body);
      response.writeHead(fault.status, {
        'content-type': noted.target ? 'application/x-amz-json-1.1' : 'application/xml',
      });
      response.end(fault.body);
      return;
    }
    const answer = await forward(incoming, body);
    if (fault?.kind === 'reply-lost') {
      incoming.socket.destroy();
      return;
    }
    response.writeHead(answer.status, without(answer.headers, 'transfer-encoding', 'connection'));
    if (fault) response.write(answer.body.subarray(0, answer.body.length / 2));
    else response.end(answer.body);
  }

  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, response) => {
    serve(incoming, response).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const proxy: FaultProxy = {
    endpoint: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    seen,
    fault: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
  return proxy;
}

/** What concerns one connection alone is not passed on. */
export function without(headers: IncomingHttpHeaders, ...names: string[]): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

async function collect(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
