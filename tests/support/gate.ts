import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { without } from './relay.ts';

/** A request on its way through a gate. */
export interface GateRequest {
  readonly method: string;
  /** Percent-decoded, without the query. */
  readonly path: string;
  /** The query's parameters. */
  readonly query: URLSearchParams;
}

/** Before a request reaches the server; or when its whole answer has come from there, and nothing of it has gone on. */
export type Moment = 'before' | 'after';

/** What stands at a gate decides, request by request. `cut`: the browser's connection ends without a word. */
type Guard = (request: GateRequest, moment: Moment) => 'pass' | 'cut' | Promise<'pass' | 'cut'>;

/**
 * An HTTP relay between the browser and one of our servers, where a test can stop time. Bodies and event streams flow
 * through.
 */
export interface Gate {
  readonly port: number;
  guard: Guard;
  close(): Promise<void>;
}

/** @param target a port of 127.0.0.1. The Host header goes through as it came, so signatures hold. */
export async function startGate(target: number): Promise<Gate> {
  const sockets = new Set<Socket>();
  const server = createServer((incoming, response) => {
    relay(incoming, response).catch(() => incoming.socket.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });

  async function relay(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '', 'http://gate');
    const seen: GateRequest = {
      method: incoming.method ?? '',
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
    };
    if ((await gate.guard(seen, 'before')) === 'cut') {
      incoming.socket.destroy();
      return;
    }
    const answer = await forward(incoming, response);
    if (answer.headers['content-type']?.startsWith('text/event-stream')) {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
      answer.on('error', () => response.destroy());
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    if ((await gate.guard(seen, 'after')) === 'cut') {
      incoming.socket.destroy();
      return;
    }
    response.writeHead(answer.statusCode ?? 0, without(answer.headers, 'transfer-encoding', 'connection'));
    response.end(Buffer.concat(chunks));
  }

  function forward(incoming: IncomingMessage, response: ServerResponse): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const { method, url: path, headers } = incoming;
      const onward = request({ host: '127.0.0.1', port: target, method, path, headers }, resolve);
      onward.on('error', reject);
      incoming.on('error', () => onward.destroy());
      response.on('close', () => {
        if (!response.writableFinished) onward.destroy();
      });
      incoming.pipe(onward);
    });
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const gate: Gate = {
    port: (server.address() as AddressInfo).port,
    guard: () => 'pass',
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
  return gate;
}
