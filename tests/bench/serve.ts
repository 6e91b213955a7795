import { readFile } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** What stands behind the page. */
interface Backdrop {
  /** Requests below `/api/` go there. */
  readonly brokerPort: number;
  /** Takes an object out of S3, with all its versions; the page asks for it by `DELETE /stored/<key>`. */
  readonly erase: (key: string) => Promise<void>;
}

/**
 * The bench's page, and the broker's API under the same origin, so that the page holds a session of the real broker.
 */
export interface BenchServer {
  standBefore(backdrop: Backdrop): void;
  stop(): Promise<void>;
}

const API = '/api/';
const STORED = '/stored/';

/** @param pageFolder the built page */
export async function serveBench(pageFolder: string, port: number): Promise<BenchServer> {
  let backdrop: Backdrop | undefined;
  const server = createServer((incoming, outgoing) => {
    const { url = '/' } = incoming;
    if (!url.startsWith(API) && !url.startsWith(STORED)) void serveFile(pageFolder, url, outgoing);
    else if (!backdrop) outgoing.writeHead(503).end();
    else if (url.startsWith(API)) relay(incoming, outgoing, backdrop.brokerPort);
    else void erase(backdrop, url.slice(STORED.length), outgoing);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    standBefore(behind) {
      backdrop = behind;
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

async function erase({ erase }: Backdrop, key: string, outgoing: ServerResponse): Promise<void> {
  const isDone = await erase(key).then(
    () => true,
    () => false,
  );
  outgoing.writeHead(isDone ? 204 : 500).end();
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
