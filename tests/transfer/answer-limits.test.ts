import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { sessionRead } from '$contract/accounts.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectBroker } from '../../src/lib/remote/broker.ts';
import { SessionProver } from '../../src/lib/remote/session-proof.ts';
import { chunksOf } from '../../src/lib/remote/body.ts';
import { getRange, getWhole, putByFetch } from '../../src/lib/remote/s3.ts';
import { AnsweringServer } from '../support/answering-server.ts';

// A server that sends more than was asked for, or goes on for ever.
const RANGE = { fromByte: 0, untilByte: 10 };
const MIB = 1024 * 1024;
const server = new AnsweringServer();
/** Bytes that the last answer could get rid of. */
let takenBytes: number;

beforeEach(() => {
  takenBytes = 0;
});
afterEach(() => {
  vi.useRealTimers();
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

const range = () => getRange(`${server.origin}/blob`, RANGE, new AbortController().signal);
const put = () =>
  putByFetch({
    url: `${server.origin}/blob`,
    body: new Blob(['body']),
    sha256B64: '',
    createOnly: true,
    signal: new AbortController().signal,
  });
const prover = new SessionProver(() => Promise.resolve(undefined));
const call = () => connectBroker(server.origin, prover).call(sessionRead, {});

describe('an answer that is longer than what was asked for', () => {
  it.each([
    ['the whole, of a range', 200, range, 'store_unreachable'],
    ['a refusal of a range', 403, range, 'url_expired'],
    ['a fault, of a range', 500, range, 'store_unreachable'],
    ['a bad request, of a range', 400, range, 'store_unreachable'],
    ['an object without a length', 200, () => getWhole(`${server.origin}/blob`, 10), 'input_too_large'],
    ['a refusal of an object', 404, () => getWhole(`${server.origin}/blob`, 10), 'not_found'],
    ['a success of a PUT', 200, put, 'store_unreachable'],
    ['a bad request, of a PUT', 400, put, 'store_unreachable'],
    ['a refusal of a PUT', 412, put, 'already_exists'],
    ['an answer of the broker', 200, call, 'broker_unreachable'],
    ['a problem of the broker', 500, call, 'broker_unreachable'],
  ])('%s, is left', async (_what, status, ask, code) => {
    server.answer = flood(status);
    await expect(ask()).rejects.toMatchObject({ code });
    await server.closed;
    expect(takenBytes).toBeLessThan(32 * MIB);
  });

  it('is left when its length was a lie of the encoding', async () => {
    const packed = gzipSync(Buffer.alloc(4 * MIB));
    server.answer = (response) =>
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length }).end(packed);
    await expect(getWhole(`${server.origin}/blob`, 64 * 1024)).rejects.toMatchObject({
      code: 'input_too_large',
    });
  });

  it('is left when a PUT has its ETag', async () => {
    server.answer = flood(200, { etag: '"e"' });
    expect(await put()).toBe('"e"');
    await server.closed;
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
    [404, () => getWhole(`${server.origin}/blob`, 10), 'not_found'],
    [412, put, 'already_exists'],
  ])('behind a status of %i is not waited for', async (status, ask, code) => {
    server.answer = silence(status);
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
    server.answer = silence(400);
    const refused = expect(ask()).rejects.toMatchObject({ code });
    await server.asked;
    await wait();
    await refused;
  });

  it.each([
    ['S3', range, 'store_unreachable'],
    ['the broker', call, 'broker_unreachable'],
  ])(
    'at all, from %s, is waited for a minute and then called off: connections are few',
    async (_who, ask, code) => {
      server.answer = () => undefined;
      const refused = expect(ask()).rejects.toMatchObject({ code });
      await server.asked;
      await wait();
      await refused;
      await server.closed;
    },
  );
});

describe('a body that trickles', () => {
  it('is read to its end, however long that takes, as long as it comes', async () => {
    let response: ServerResponse | undefined;
    const size = 10 * 20_000;
    server.answer = (begun) => {
      response = begun;
      begun.writeHead(500, { 'content-length': size });
      begun.flushHeaders();
    };
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const problem = { type: 'about:blank', title: 'later', status: 500, code: 'kms_unreachable' };
    const refused = expect(call()).rejects.toMatchObject({ code: 'kms_unreachable' });
    await server.asked;
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
    server.answer = (begun) => {
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
    server.answer = (begun) => {
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
