import type { Server } from 'node:http';
import type { Socket } from 'node:net';

const SWEEP_MS = 100;
/** A request that is on its way when the server ends may still arrive. */
const FIRST_REQUEST_MS = 1_000;

/**
 * To be called before the server has its first connection. Browsers open connections ahead of need, and Node takes one
 * on which nothing was ever asked for a busy one: `closeIdleConnections` leaves it, and the server would wait for it
 * until it cuts.
 * @param graceMs how long running requests may take to end
 * @returns ends the server: no new connections, running requests end within `graceMs`, then all is cut
 */
export function drainable(server: Server, graceMs: number): () => Promise<void> {
  const unused = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  const use = ({ socket }: { readonly socket: Socket }): void => void unused.delete(socket);
  server.on('request', use);
  server.on('checkContinue', use);

  return async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    // A connection whose last request has ended would be kept for the next one.
    const sweep = setInterval(() => {
      server.closeIdleConnections();
    }, SWEEP_MS);
    const silent = setTimeout(() => {
      for (const socket of unused) socket.destroy();
    }, FIRST_REQUEST_MS);
    const cut = setTimeout(() => {
      server.closeAllConnections();
    }, graceMs);
    await closed;
    clearInterval(sweep);
    clearTimeout(silent);
    clearTimeout(cut);
  };
}
