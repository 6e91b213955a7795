import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { drainable } from '../../broker/drain.ts';

// Longer than a test may take: anyone who waits for it fails.
const GRACE_MS = 600_000;
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

async function serve(graceMs = GRACE_MS) {
  const asked: ServerResponse[] = [];
  const server = createServer((_, response) => void asked.push(response));
  const end = drainable(server, graceMs);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  /** @param text what is sent at once */
  const open = async (text: string) => {
    const arrived = once(server, 'connection');
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
    await arrived;
    socket.write(text);
    return { closed: once(socket, 'close'), socket, received: () => received };
  };
  return { asked, end, open };
}

const REQUEST = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';

describe('a server that is ended', () => {
  test('does not wait for a connection on which nothing was ever asked', async () => {
    const { end, open } = await serve();
    const ahead = await open('');
    await end();
    await ahead.closed;
  });

  test('does not wait for a connection that is kept for a next request', async () => {
    const { asked, end, open } = await serve();
    const kept = await open(REQUEST);
    await expect.poll(() => asked.length).toBe(1);
    asked[0]?.end('first');
    await expect.poll(kept.received).toContain('first');
    await end();
    await kept.closed;
  });

  test('lets a request end that was running, and one that comes at the last moment', async () => {
    const { asked, end, open } = await serve();
    const running = await open(REQUEST);
    const late = await open('');
    await expect.poll(() => asked.length).toBe(1);
    const ended = end();
    late.socket.write(REQUEST);
    await expect.poll(() => asked.length).toBe(2);
    for (const response of asked) response.end('whole');
    await ended;
    await Promise.all([running.closed, late.closed]);
    for (const { received } of [running, late]) expect(received()).toContain('whole');
  });

  test('cuts what does not end', async () => {
    const { asked, end, open } = await serve(1_000);
    const stuck = await open(REQUEST);
    await expect.poll(() => asked.length).toBe(1);
    await end();
    await stuck.closed;
    expect(stuck.received()).toBe('');
  });
});
