import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { sessionRead } from '$contract/account.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectBroker } from '../../src/lib/remote/broker.ts';
import { chunksOf } from '../../src/lib/remote/body.ts';
import { getRange, getWhole, putByFetch } from '../../src/lib/remote/s3.ts';

// A server that sends more than was asked for, or goes on for ever.
const RANGE = { fromByte: 0, untilByte: 10 };
const MIB = 1024 * 1024;
let server: Server;
let origin: string;
let answer: (response: ServerResponse) => void;
/** Bytes that the last answer could get rid of. */
let takenBytes: number;
let closed: Promise<void>;
let asked: Promise<void>;
let onAsked: () => void;

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume();
    closed = new Promise((resolve) => response.once('close', resolve));
    answer(response);
    onAsked();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});
beforeEach(() => {
  takenBytes = 0;
  asked = new Promise((resolve) => (onAsked = resolve));
});
afterEach(() => {
  vi.useRealTimers();
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Sends as much as is taken, up to 400 MB. */
const flood =
  (status: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(status, headers);
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const send = (): void => {
      if (response.destroyed || takenBytes > 400 * MIB) return;
      response.write(chunk, () => {
        takenBytes += chunk.length;
        send();
      });
    };
    send();
  };
/** Says a little, and then no more. */
const silence = (status: number) => (response: ServerResponse) => {
  response.writeHead(status, { 'content-length': '1000' });
  response.write('<Error>');
};

const range = () => getRange(`${origin}/blob`, RANGE, new AbortController().signal);
const put = () =>
  putByFetch({
    url: `${origin}/blob`,
    body: new Blob(['body']),
    sha256B64: '',
    createOnly: true,
    signal: new AbortController().signal,
  });
const call = () => connectBroker(origin).call(sessionRead, {});

describe('an answer that is longer than what was asked for', () => {
  it.each([
    ['the whole, of a range', 200, range, 'store_unreachable'],
    ['a refusal of a range', 403, range, 'url_expired'],
    ['a fault, of a range', 500, range, 'store_unreachable'],
    ['a bad request, of a range', 400, range, 'store_unreachable'],
    ['an object without a length', 200, () => getWhole(`${origin}/blob`, 10), 'input_too_large'],
    ['a refusal of an object', 404, () => getWhole(`${origin}/blob`, 10), 'not_found'],
    ['a success of a PUT', 200, put, 'store_unreachable'],
    ['a bad request, of a PUT', 400, put, 'store_unreachable'],
    ['a refusal of a PUT', 412, put, 'already_exists'],
    ['an answer of the broker', 200, call, 'broker_unreachable'],
    ['a problem of the broker', 500, call, 'broker_unreachable'],
  ])('%s, is left', async (_what, status, ask, code) => {
    answer = flood(status);
    await expect(ask()).rejects.toMatchObject({ code });
    await closed;
    expect(takenBytes).toBeLessThan(32 * MIB);
  });

  it('is left when its length was a lie of the encoding', async () => {
    const packed = gzipSync(Buffer.alloc(4 * MIB));
    answer = (response) =>
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length }).end(packed);
    await expect(getWhole(`${origin}/blob`, 64 * 1024)).rejects.toMatchObject({ code: 'input_too_large' });
  });

  it('is left when a PUT has its ETag', async () => {
    answer = flood(200, { etag: '"e"' });
    expect(await put()).toBe('"e"');
    await closed;
    expect(takenBytes).toBeLessThan(32 * MIB);
  });
});

describe('an answer that does not come', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });

  it.each([
    [403, range, 'url_expired'],
    [500, range, 'store_unreachable'],
    [404, () => getWhole(`${origin}/blob`, 10), 'not_found'],
    [412, put, 'already_exists'],
  ])('behind a status of %i is not waited for', async (status, ask, code) => {
    answer = silence(status);
    await expect(ask()).rejects.toMatchObject({ code });
  });

  /** Two minutes. The first steps are those of the request itself, which are real. */
  async function wait(): Promise<void> {
    for (let step = 0; step < 40; step += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      await vi.advanceTimersByTimeAsync(3_000);
    }
  }

  it.each([
    ['of S3 to a range', range, 'store_unreachable'],
    ['of S3 to a PUT', put, 'store_unreachable'],
    ['of the broker', call, 'broker_unreachable'],
  ])('is waited for a minute where it says why: %s', async (_whose, ask, code) => {
    answer = silence(400);
    const refused = expect(ask()).rejects.toMatchObject({ code });
    await asked;
    await wait();
    await refused;
  });

  it.each([
    ['S3', range, 'store_unreachable'],
    ['the broker', call, 'broker_unreachable'],
  ])(
    'at all, from %s, is waited for a minute and then called off: connections are few',
    async (_who, ask, code) => {
      answer = () => undefined;
      const refused = expect(ask()).rejects.toMatchObject({ code });
      await asked;
      await wait();
      await refused;
      await closed;
    },
  );
});

describe('a body that trickles', () => {
  it('is read to its end, however long that takes, as long as it comes', async () => {
    let response: ServerResponse | undefined;
    const size = 10 * 20_000;
    answer = (begun) => {
      response = begun;
      begun.writeHead(500, { 'content-length': size });
      begun.flushHeaders();
    };
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const problem = { type: 'about:blank', title: 'later', status: 500, code: 'kms_unreachable' };
    const refused = expect(call()).rejects.toMatchObject({ code: 'kms_unreachable' });
    await asked;
    const text = JSON.stringify(problem).padEnd(size);
    for (let sent = 0; sent < size; sent += 20_000) {
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      await vi.advanceTimersByTimeAsync(20_000);
      response?.write(text.slice(sent, sent + 20_000));
    }
    await refused;
  });

  it('is none after a minute of waiting for next to nothing', async () => {
    let response: ServerResponse | undefined;
    answer = (begun) => {
      response = begun;
      begun.writeHead(206, { 'content-length': '1000000' });
      begun.write('x');
    };
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const chunks = chunksOf(await range(), 'store_unreachable');
    await chunks.next();
    let code: unknown;
    for (let sent = 0; sent < 10 && code === undefined; sent += 1) {
      const next = chunks.next().catch((error: unknown) => (code = (error as { code: unknown }).code));
      await vi.advanceTimersByTimeAsync(15_000);
      response?.write('x');
      await next;
    }
    expect(code).toBe('store_unreachable');
  });

  it('is one all the same when its reader took its time, and not the line', async () => {
    let response: ServerResponse | undefined;
    answer = (begun) => {
      response = begun;
      begun.writeHead(206, { 'content-length': '10' });
      begun.write('12345');
    };
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const chunks = chunksOf(await range(), 'store_unreachable');
    await chunks.next();
    await vi.advanceTimersByTimeAsync(600_000);
    response?.end('67890');
    expect((await chunks.next()).value).toHaveLength(5);
    expect((await chunks.next()).done).toBe(true);
  });
});
