import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP relay that keeps every byte that comes from the browser: below HTTP, so nothing can go past it. */
export interface Tap {
  readonly port: number;
  /** All that the browser has sent, connection by connection. */
  sent(): Buffer;
  /** Cuts every connection that is open now. */
  cut(): void;
  close(): Promise<void>;
}

/** @param target a port of 127.0.0.1 */
export async function startTap(target: number): Promise<Tap> {
  const recordings = new Map<Socket, Buffer[]>();
  const open = new Set<Socket>();
  const server = createServer((browser) => {
    const upstream = connect(target, '127.0.0.1');
    const chunks: Buffer[] = [];
    recordings.set(browser, chunks);
    for (const socket of [browser, upstream]) {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
    }
    browser.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
    });
    browser.pipe(upstream).pipe(browser);
    browser.on('error', () => upstream.destroy());
    upstream.on('error', () => browser.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    sent: () => Buffer.concat([...recordings.values()].map((chunks) => Buffer.concat(chunks))),
    cut() {
      for (const socket of open) socket.destroy();
    },
    close() {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}
