import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Refusal } from '../refusal.ts';
import { drain } from '../unread-body.ts';
import type { S3Answer } from './call.ts';
import { element, errorDocument } from './xml.ts';

/** A request and where its answer goes. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
}

/** Sends an answer; a body of bytes as fast as the client takes it. */
export async function sendAnswer({ request, response }: Exchange, answer: S3Answer): Promise<void> {
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  const text = answer.xml ?? answer.json;
  if (answer.content) {
    response.end(answer.content);
    return;
  }
  if (answer.bytes && request.method !== 'HEAD') {
    await sendBytes(response, answer.bytes.source);
    return;
  }
  if (text !== undefined) {
    response.setHeader('content-type', answer.xml === undefined ? 'application/json' : 'application/xml');
    response.setHeader('content-length', Buffer.byteLength(text));
  } else if (!answer.bytes && answer.status !== 204 && answer.status !== 304) {
    response.setHeader('content-length', 0);
  }
  response.end(request.method === 'HEAD' ? undefined : text);
}

async function sendBytes(response: ServerResponse, source: AsyncIterable<Uint8Array>): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    response.once('close', resolve);
  });
  // One run is on its way while the next is read; the source uses its two buffers in turn.
  let sending = Promise.resolve();
  try {
    for await (const bytes of source) {
      await sending;
      if (response.destroyed) return;
      const sent = new Promise<void>((resolve) => {
        response.write(bytes, () => {
          resolve();
        });
      });
      sending = Promise.race([sent, closed]);
    }
    await sending;
    response.end();
  } catch (error) {
    // The length was announced: a cut connection is the only way to say that the rest will not come.
    const gone = response.destroyed;
    response.destroy();
    if (!gone) throw error;
  }
}

/** Sends an error as S3 words it, and deals with the rest of the request's body. */
export function sendRefusal({ request, response, requestId }: Exchange, refusal: Refusal): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.statusCode = refusal.status;
  for (const [name, value] of Object.entries(refusal.headers)) response.setHeader(name, value);
  const xml = errorDocument(
    element('Code', refusal.code),
    element('Message', refusal.message),
    ...Object.entries(refusal.details).map(([name, value]) => element(name, value)),
    element('RequestId', requestId),
  );
  response.setHeader('content-type', 'application/xml');
  // For a HEAD too: Node's client takes an answer without a length for one that ends with the connection.
  response.setHeader('content-length', Buffer.byteLength(xml));
  if (!request.complete) {
    response.setHeader('connection', 'close');
    drain(request);
  }
  response.end(request.method === 'HEAD' ? undefined : xml);
}
