import type { Readable, Writable } from 'node:stream';

interface Answer {
  readonly id?: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/**
 * Sends a command of the Chrome DevTools Protocol.
 * @throws {Error} with the browser's words when it refuses, or has ended
 */
export type Send = (method: string, params: object, sessionId?: string) => Promise<Record<string, unknown>>;

/** CDP over a pipe: JSON, each message ended by a NUL. Events are not listened to. */
export function converse(input: Writable, output: Readable): Send {
  const waiting = new Map<number, (answer: Answer) => void>();
  let pieces: string[] = [];
  let nextId = 1;
  output.setEncoding('utf8');
  output.on('data', (chunk: string) => {
    const [first = '', ...others] = chunk.split('\0');
    pieces.push(first);
    for (const piece of others) {
      const answer = JSON.parse(pieces.join('')) as Answer;
      pieces = [piece];
      if (answer.id !== undefined) waiting.get(answer.id)?.(answer);
    }
  });
  output.on('close', () => {
    for (const answer of waiting.values()) answer({ error: { message: 'the browser has ended' } });
  });
  return (method, params, sessionId) => {
    const id = nextId++;
    return new Promise((resolve, reject) => {
      waiting.set(id, ({ result, error }) => {
        waiting.delete(id);
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result ?? {});
      });
      input.write(`${JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) })}\0`);
    });
  };
}
