import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { chunksOf } from '../../src/lib/remote/body.ts';
import { getRange, getWhole } from '../../src/lib/remote/s3.ts';

// A store that answers as it is told, over HTTP.
const RANGE = { fromByte: 0, untilByte: 10 };
const LONG_MS = 61_000;
let server: Server;
let url: string;
let answer: (response: ServerResponse) => void;

beforeAll(async () => {
  server = createServer((_, response) => {
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/blob`;
});
afterEach(() => {
  vi.useRealTimers();
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function readAll(signal = new AbortController().signal): Promise<number> {
  let sizeBytes = 0;
  for await (const chunk of chunksOf(await getRange(url, RANGE, signal), 'store_unreachable'))
    sizeBytes += chunk.length;
  return sizeBytes;
}

it.each([
  [403, '', 'url_expired'],
  [404, '', 'not_found'],
  [416, '', 'ciphertext_truncated'],
  [400, '<Error><Code>ExpiredToken</Code></Error>', 'url_expired'],
  [400, '<Error><Code>RequestTimeout</Code></Error>', 'store_unreachable'],
  [400, '<Error><Code>InvalidRequest</Code></Error>', 'store_refused'],
  [400, 'a proxy on the way', 'store_unreachable'],
  [503, '<Error><Code>SlowDown</Code></Error>', 'store_unreachable'],
  [200, 'the whole, not the range', 'store_unreachable'],
])('understands a refusal of %d %s', async (status, body, code) => {
  answer = (response) => response.writeHead(status).end(body);
  await expect(readAll()).rejects.toMatchObject({ code });
});

it('gives up a line that has died in the middle, without a word', async () => {
  let sent: () => void;
  const isSent = new Promise<void>((resolve) => (sent = resolve));
  answer = (response) => {
    response.writeHead(206, { 'content-length': '10' }).write('12345', () => {
      sent();
    });
  };
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const chunks = chunksOf(await getRange(url, RANGE, new AbortController().signal), 'store_unreachable');
  await isSent;
  expect((await chunks.next()).value).toHaveLength(5);
  const next = expect(chunks.next()).rejects.toMatchObject({ code: 'store_unreachable' });
  await vi.advanceTimersByTimeAsync(LONG_MS);
  await next;
});

it('gives up a store that never answers', async () => {
  let asked: () => void;
  const isAsked = new Promise<void>((resolve) => (asked = resolve));
  answer = () => {
    asked();
  };
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const refused = expect(getWhole(url, 10)).rejects.toMatchObject({ code: 'store_unreachable' });
  await isAsked;
  await vi.advanceTimersByTimeAsync(LONG_MS);
  await refused;
});

it('tells a cut line from one that was called off', async () => {
  answer = (response) => {
    response.writeHead(206, { 'content-length': '10' }).write('12345', () => response.destroy());
  };
  await expect(readAll()).rejects.toMatchObject({ code: 'store_unreachable' });
  answer = (response) => {
    response.writeHead(206, { 'content-length': '10' }).write('12345');
  };
  const controller = new AbortController();
  const chunks = chunksOf(await getRange(url, RANGE, controller.signal), 'store_unreachable');
  await chunks.next();
  const next = expect(chunks.next()).rejects.toMatchObject({ name: 'AbortError' });
  controller.abort();
  await next;
});

it('reads a whole small object, and no larger one than was said', async () => {
  answer = (response) => response.end('1234567890');
  expect(await getWhole(url, 10)).toHaveLength(10);
  await expect(getWhole(url, 9)).rejects.toMatchObject({ code: 'input_too_large' });
});
