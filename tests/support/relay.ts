import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request to the local cloud as it passes by. */
export interface PassingRequest {
  readonly method: string;
  /** Percent-decoded, without the query: `/bucket/v/…`; `/` for KMS and Cognito. */
  readonly path: string;
  readonly query: string;
  /** `TrentService.Decrypt` and the like; empty for S3. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The cloud's answer as it passes by. */
interface PassingReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What is done with one request. A delay is a promise that comes late. */
export type Interference =
  /** Nothing. */
  | undefined
  /** Nothing; `ended` is called when the cloud has answered. */
  | { readonly kind: 'watch'; readonly ended: () => void }
  /** It never gets there, and the connection is cut. */
  | { readonly kind: 'drop-request' }
  /** It has its effect, and the connection is cut before the answer. */
  | { readonly kind: 'drop-reply' }
  /** It has its effect, and of the answer's body half arrives: the connection stays, and nothing more comes. */
  | { readonly kind: 'half-reply' }
  /** Other bytes get there, of the same length, under the headers that were signed. */
  | { readonly kind: 'replace'; readonly replace: (body: Buffer) => Buffer }
  /** Another answer in place of the cloud's, which hears nothing. */
  | { readonly kind: 'answer'; readonly reply: PassingReply }
  /** The cloud's answer, changed. */
  | { readonly kind: 'alter'; readonly alter: (reply: PassingReply) => PassingReply };

/** Stands before the local cloud. The Host header goes through as it came, so signatures hold. */
export interface Relay {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** @param hook asked about each request */
export async function startRelay(
  cloudEndpoint: string,
  hook: (request: PassingRequest) => Interference | Promise<Interference>,
): Promise<Relay> {
  const { hostname, port } = new URL(cloudEndpoint);

  const forward = ({ method, url, headers }: IncomingMessage, body: Buffer) =>
    new Promise<PassingReply>((resolve, reject) => {
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
    const interference = await hook(describe(incoming, body));
    switch (interference?.kind) {
      case 'drop-request':
        incoming.socket.destroy();
        return;
      case 'answer':
        send(response, interference.reply);
        return;
      case 'watch': {
        const reply = await forward(incoming, body).finally(interference.ended);
        pass(response, reply);
        return;
      }
      case 'replace':
        pass(response, await forward(incoming, interference.replace(body)));
        return;
      case 'alter':
        send(response, interference.alter(await forward(incoming, body)));
        return;
      case 'drop-reply':
        await forward(incoming, body);
        incoming.socket.destroy();
        return;
      case 'half-reply': {
        const reply = await forward(incoming, body);
        response.writeHead(reply.status, without(reply.headers, ...OF_CONNECTION));
        response.write(reply.body.subarray(0, reply.body.length / 2));
        return;
      }
      case undefined:
        pass(response, await forward(incoming, body));
    }
  }

  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, response) => {
    serve(incoming, response).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** What concerns one connection alone is not passed on. */
export function without(headers: IncomingHttpHeaders, ...names: string[]): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

const OF_CONNECTION = ['transfer-encoding', 'connection'];

function describe({ method = '', url = '', headers }: IncomingMessage, body: Buffer): PassingRequest {
  const { pathname, search } = new URL(url, 'http://cloud');
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

/** As it came: what a HEAD is answered with has a length and no body. */
function pass(response: ServerResponse, { status, headers, body }: PassingReply): void {
  response.writeHead(status, without(headers, ...OF_CONNECTION));
  response.end(body);
}

function send(response: ServerResponse, { status, headers, body }: PassingReply): void {
  const rest = without(headers, ...OF_CONNECTION, 'content-length');
  response.writeHead(status, { ...rest, 'content-length': String(body.length) });
  response.end(body);
}

async function collect(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
