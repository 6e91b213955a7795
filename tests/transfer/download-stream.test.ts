import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Bytes } from '../../src/lib/bytes.ts';
import { ALIVE_EVERY_MS, feed, type StreamSupply } from '../../src/lib/transfer/download/download-stream.ts';

const CHUNK_BYTES = 2 * 1024 * 1024;
const forever = new AbortController().signal;
let ports: MessageChannel;
let supplied: StreamSupply['kind'][];

beforeEach(() => {
  ports = new MessageChannel();
  supplied = [];
  ports.port2.onmessage = ({ data }: MessageEvent<StreamSupply>) => supplied.push(data.kind);
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
  ports.port1.close();
});

/** Messages of ports come in order: behind this one, all before it have. */
async function delivered(): Promise<void> {
  const before = supplied.length;
  ports.port1.postMessage({ kind: 'chunk' });
  await vi.waitUntil(() => supplied.length > before);
  supplied.pop();
}

function* chunks(count: number): Generator<Bytes> {
  for (let index = 0; index < count; index++) yield new Uint8Array(CHUNK_BYTES);
}

async function* source(count: number): AsyncGenerator<Bytes> {
  yield* chunks(count);
  await Promise.resolve();
}

it('gives a chunk for each demand, and then the end', async () => {
  const feeding = feed(source(2), ports.port1, forever);
  ports.port2.postMessage({ kind: 'pull' });
  ports.port2.postMessage({ kind: 'pull' });
  await feeding;
  await vi.waitUntil(() => supplied.length === 3);
  expect(supplied).toEqual(['chunk', 'chunk', 'end']);
});

it('fails when the service worker has died, instead of waiting for ever', async () => {
  const feeding = feed(source(2), ports.port1, forever);
  const refused = expect(feeding).rejects.toMatchObject({ code: 'download_cut' });
  ports.port2.postMessage({ kind: 'pull' });
  await vi.waitUntil(() => supplied.length === 1);
  vi.advanceTimersByTime(15 * ALIVE_EVERY_MS);
  await refused;
  await vi.waitUntil(() => supplied.at(-1) === 'failed');
});

it('waits as long as a paused download takes, while the service worker is alive', async () => {
  const feeding = feed(source(1), ports.port1, forever);
  for (let beat = 0; beat < 40; beat++) {
    vi.advanceTimersByTime(ALIVE_EVERY_MS);
    ports.port2.postMessage({ kind: 'alive' });
    await delivered();
  }
  expect(supplied).toEqual([]);
  ports.port2.postMessage({ kind: 'pull' });
  await feeding;
});

it('tells a cancelled download from a failed one', async () => {
  const feeding = feed(source(1), ports.port1, forever);
  ports.port2.postMessage({ kind: 'cancel' });
  await expect(feeding).rejects.toMatchObject({ name: 'AbortError' });
});
