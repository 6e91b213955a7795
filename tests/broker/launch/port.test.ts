import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { describeTakenPort } from '../../../broker/launch/port.mjs';
import { freePort } from '../../support/free-port.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function listening(answer: RequestListener): Promise<number> {
  const port = await freePort();
  const server = createServer(answer);
  servers.push(server);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return port;
}

describe('a port', () => {
  it('that is free needs no words', async () => {
    expect(await describeTakenPort(await freePort())).toBeUndefined();
  });

  it('that a Halfkey listens on is said to be, with its version', async () => {
    const port = await listening((_, response) => response.end('{"name":"halfkey","version":"0.1.0"}'));
    expect(await describeTakenPort(port)).toBe(
      `port ${String(port)} is taken by another Halfkey (version 0.1.0): stop that one, or choose another port, as in PORT=${String(port + 10)} npm start`,
    );
  });

  it.each([
    ['a page', '<html></html>'],
    ['JSON of its own', '{"name":"grafana","version":"1"}'],
    ['no object', 'null'],
    ['much before it says what it is', `${' '.repeat(2000)}{"name":"halfkey","version":"0.1.0"}`],
    ['a version that is none', '{"name":"halfkey","version":"\\u001b[2J"}'],
  ])('that something else listens on is never called a Halfkey: it answers %s', async (_, body) => {
    const port = await listening((__, response) => response.end(body));
    expect(await describeTakenPort(port)).toContain('is taken by another program');
  });

  it('whose holder never answers is described all the same', async () => {
    const port = await listening(() => undefined);
    expect(await describeTakenPort(port)).toContain('is taken by another program');
  });
});
