import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { drainable } from '../drain.ts';
import { answerJson, type JsonService } from './json-service.ts';
import type { ReportFault, S3Handler } from './s3/s3.ts';
import type { Verifier } from './sigv4/verify.ts';

/** A server that listens. */
export interface Listening {
  readonly port: number;
  /** Lets running requests end for a while, then cuts them. */
  readonly close: () => Promise<void>;
}

/** What the one port is divided into. */
export interface ServerParts {
  readonly s3: S3Handler;
  readonly services: readonly JsonService[];
  readonly verifier: Verifier;
  readonly report: ReportFault;
}

/** A connection on which nothing moves is cut; a slow upload may take as long as it likes. */
const IDLE_MS = 120_000;
const HEADERS_MS = 30_000;
/**
 * Node's own 5 seconds are shorter than a busy client may pause: it would send its next request into a closed
 * connection.
 */
const KEEP_ALIVE_MS = 60_000;
const GRACE_MS = 10_000;

/** Serves S3 and the JSON services on one loopback port; the latter are told apart by `X-Amz-Target`. */
export async function listen(parts: ServerParts, port: number): Promise<Listening> {
  const running = new WeakMap<Duplex, ServerResponse>();
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    running.set(request.socket, response);
    const requestId = randomUUID().replaceAll('-', '').slice(-16).toUpperCase();
    // A broken connection shows where the body is read; here it must only not end the process.
    response.on('error', () => undefined);
    answer(request, response, requestId).catch((error: unknown) => {
      parts.report(error, requestId);
      response.destroy();
    });
  };
  const answer = (request: IncomingMessage, response: ServerResponse, requestId: string) => {
    const target = request.headers['x-amz-target'];
    const service = parts.services.find(
      ({ targetPrefix }) => typeof target === 'string' && target.startsWith(targetPrefix),
    );
    if (!service) return parts.s3(request, response, requestId);
    return answerJson(request, response, service, parts.verifier, requestId);
  };
  // A missing Host is a signed header removed, which is S3's to refuse.
  const server = createServer({
    requireHostHeader: false,
    requestTimeout: 0,
    headersTimeout: HEADERS_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: 32 * 1024,
    noDelay: true,
  });
  server.timeout = IDLE_MS;
  server.on('request', onRequest);
  server.on('checkContinue', onRequest);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const response = running.get(socket);
    // What follows a whole request is malformed: that request still gets its own answer.
    if (response?.req.complete && !response.writableFinished) response.once('finish', () => socket.destroy());
    else refuseMalformed(error, socket);
  });
  const close = drainable(server, GRACE_MS);
  await started(server, port);
  return { port: (server.address() as AddressInfo).port, close };
}

function started(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/**
 * What Node's parser rejects never becomes a request. A second Content-Length is a signed header duplicated: 403 as for
 * others.
 */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const duplicated = error.code === 'HPE_UNEXPECTED_CONTENT_LENGTH';
  const status = duplicated ? '403 Forbidden' : '400 Bad Request';
  const code = duplicated ? 'SignatureDoesNotMatch' : 'BadRequest';
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>the request is malformed</Message></Error>`;
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/xml\r\ncontent-length: ${String(xml.length)}\r\nconnection: close\r\n\r\n${xml}`,
  );
}
