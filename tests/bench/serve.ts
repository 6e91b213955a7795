import { readFile } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** The bench's page, and the broker's API under the same origin, so that the page holds a session of the real broker. */
export interface BenchServer {
  /** Requests below `/api/` go there from now on. */
  relayTo(brokerPort: number): void;
  stop(): Promise<void>;
}

/** @param pageFolder the built page */
export async function serveBench(pageFolder: string, port: number): Promise<BenchServer> {
  let brokerPort: number | undefined;
  const server = createServer((incoming, outgoing) => {
    if (!incoming.url?.startsWith('/api/')) void serveFile(pageFolder, incoming.url ?? '/', outgoing);
    else if (brokerPort === undefined) outgoing.writeHead(503).end();
    else relay(incoming, outgoing, brokerPort);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    relayTo(newPort) {
      brokerPort = newPort;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function relay(incoming: IncomingMessage, outgoing: ServerResponse, port: number): void {
  const { method, url, headers } = incoming;
  const upstream = request({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  upstream.on('error', () => outgoing.destroy());
  outgoing.on('close', () => upstream.destroy());
  incoming.pipe(upstream);
}

async function serveFile(folder: string, url: string, outgoing: ServerResponse): Promise<void> {
  const path = url === '/' ? '/index.html' : url;
  try {
    const body = await readFile(join(folder, path));
    outgoing.writeHead(200, {
      'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    });
    outgoing.end(body);
  } catch {
    outgoing.writeHead(404).end();
  }
}
