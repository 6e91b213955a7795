import type { IncomingMessage } from 'node:http';

/** What is read and thrown away of a body after its request was refused, so that the client gets to see why. */
const MAXIMUM_DRAIN_BYTES = 32 * 1024 * 1024;

/**
 * Reads on, and throws away, what is left of a body whose answer is on its way: a connection that is closed with unread
 * bytes is reset, and the reset may overtake the answer. A client that does not stop is cut off.
 */
export function drain(request: IncomingMessage): void {
  let drainedBytes = 0;
  request.on('error', () => undefined);
  request.on('data', (bytes: Uint8Array) => {
    drainedBytes += bytes.length;
    if (drainedBytes > MAXIMUM_DRAIN_BYTES) request.destroy();
  });
  request.resume();
}
