import { Readable } from 'node:stream';
import { BrokerProblem } from '../domain/problem.ts';

/**
 * The clients' own limits end at the headers, or are on silence: a body that trickles in would hold up its reader for
 * ever.
 */
const BODY_MS = 20_000;

/**
 * The whole body of an answer of S3, in memory of its own. Rejects when it breaks off, or is not there within 20 s.
 * @throws BrokerProblem `record_corrupt` beyond `maxBytes`: no broker has written that
 */
export function readBody(body: unknown, maxBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    if (!(body instanceof Readable)) throw new TypeError('expected a stream of Node from S3');
    const chunks: Uint8Array[] = [];
    const timer = setTimeout(() => {
      body.destroy(new Error(`expected a body within ${String(BODY_MS)} ms`));
    }, BODY_MS);
    let sizeBytes = 0;
    body.on('data', (chunk: Uint8Array) => {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) body.destroy(new BrokerProblem('record_corrupt'));
      else chunks.push(chunk);
    });
    // Copied: what comes off a socket are views of more memory than they show.
    body.once('end', () => {
      resolve(Buffer.concat(chunks));
    });
    body.once('error', reject);
    body.once('close', () => {
      clearTimeout(timer);
      reject(new Error('expected a whole body, it broke off'));
    });
  });
}
