import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach } from 'vitest';

/** A server for the file that calls this, which answers each request as a test wants it to. */
export class AnsweringServer {
  origin = '';
  answer: (response: ServerResponse) => void = (response) => response.end();
  /** Of this test's requests, in order. */
  paths: string[] = [];
  /** Resolves with this test's first request, once `answer` has had it. */
  asked: Promise<void> = Promise.resolve();
  /** Resolves when the connection of the last request has ended. */
  closed: Promise<void> = Promise.resolve();

  constructor() {
    let onAsked: () => void;
    const server = createServer((request, response) => {
      request.resume();
      this.paths.push(request.url ?? '');
      this.closed = new Promise((resolve) => response.once('close', resolve));
      this.answer(response);
      onAsked();
    });
    beforeAll(async () => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      this.origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    });
    beforeEach(() => {
      this.paths = [];
      this.asked = new Promise((resolve) => (onAsked = resolve));
    });
    afterAll(() => {
      server.closeAllConnections();
      server.close();
    });
  }
}
