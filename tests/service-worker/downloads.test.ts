import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StreamDemand, StreamSupply } from '../../src/lib/transfer/download/download-stream.ts';
import { answerDownload, expectDownload, isDownload } from '../../src/service-worker/downloads.ts';

/** The crypto worker's end of a stream: hears what is asked for, and answers as the test says. */
class Source {
  onmessage: ((event: { data: StreamSupply }) => void) | null = null;
  readonly asked: StreamDemand['kind'][] = [];

  postMessage({ kind }: StreamDemand): void {
    this.asked.push(kind);
  }
  supply(data: StreamSupply): void {
    this.onmessage?.({ data });
  }
}
let source: Source;
let replies: unknown[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  [source, replies] = [new Source(), []];
});
afterEach(() => {
  vi.useRealTimers();
});

const urlOf = (transfer: string) => new URL(`/dl/${transfer}`, 'https://halfkey.test');
function announce(transfer = 't1', name = 'a.txt', sizeBytes = 6): void {
  const reply = { postMessage: (message: unknown) => replies.push(message) };
  const ports = [source, reply] as unknown as MessagePort[];
  expectDownload({ kind: 'download', transfer, name, sizeBytes }, ports);
}
const chunk = (text: string): StreamSupply => ({ kind: 'chunk', bytes: new TextEncoder().encode(text) });
const body = (response: Response) => response.body!.getReader();
const text = ({ value }: { value?: Uint8Array | undefined }) => new TextDecoder().decode(value);

describe('a download that was announced', () => {
  it('is answered once, as a file to be saved and never as a document of this origin', () => {
    announce();
    expect(replies).toEqual([{ kind: 'ready' }]);
    const { status, headers } = answerDownload(urlOf('t1'));
    expect(status).toBe(200);
    expect(Object.fromEntries(headers)).toMatchObject({
      ...{ 'content-type': 'application/octet-stream', 'content-length': '6' },
      'content-disposition': "attachment; filename*=UTF-8''a.txt",
      ...{ 'x-content-type-options': 'nosniff', 'content-security-policy': 'sandbox' },
      'cache-control': 'no-store',
    });
    expect(answerDownload(urlOf('t1')).status).toBe(404);
  });

  it.each([
    ['Brief an 旅.txt', 'Brief%20an%20%E6%97%85.txt'],
    [`a"b';c*(d)\r\nx: y`, 'a%22b%27%3Bc%2A%28d%29%0D%0Ax%3A%20y'],
    ['\ud800.txt', '%EF%BF%BD.txt'],
  ])('has its name as data in one header: %j', (name, encoded) => {
    announce('t1', name);
    expect(answerDownload(urlOf('t1')).headers.get('content-disposition')).toBe(
      `attachment; filename*=UTF-8''${encoded}`,
    );
  });

  it('is given chunk by chunk as the browser wants them, to its end', async () => {
    announce();
    const reader = body(answerDownload(urlOf('t1')));
    await Promise.resolve();
    expect(source.asked).toEqual(['pull']);
    source.supply(chunk('abc'));
    expect(text(await reader.read())).toBe('abc');
    source.supply(chunk('def'));
    expect(text(await reader.read())).toBe('def');
    source.supply({ kind: 'end' });
    expect((await reader.read()).done).toBe(true);
    expect(source.asked).not.toContain('cancel');
  });

  it('that could not be finished is no whole file', async () => {
    announce();
    const reader = body(answerDownload(urlOf('t1')));
    source.supply({ kind: 'failed' });
    await expect(reader.read()).rejects.toThrow();
  });

  it('that is called off in the browser is called off at its source, and takes nothing any more', async () => {
    announce();
    const reader = body(answerDownload(urlOf('t1')));
    await reader.cancel();
    expect(source.asked.at(-1)).toBe('cancel');
    vi.advanceTimersByTime(60_000);
    expect(source.asked.at(-1)).toBe('cancel'); // Nothing says any more that somebody is there.
    expect(() => {
      source.supply(chunk('late'));
    }).not.toThrow();
  });

  it('says that it is there as long as it goes on, although the browser asks for nothing', async () => {
    announce();
    const reader = body(answerDownload(urlOf('t1')));
    vi.advanceTimersByTime(11_000);
    expect(source.asked.filter((kind) => kind === 'alive')).toHaveLength(2);
    source.supply({ kind: 'end' });
    await reader.read();
    vi.advanceTimersByTime(60_000);
    expect(source.asked.filter((kind) => kind === 'alive')).toHaveLength(2);
  });
});

it('answers no other address, and nothing that was not announced', () => {
  expect([isDownload(urlOf('x')), isDownload(new URL('https://halfkey.test/'))]).toEqual([true, false]);
  expect(answerDownload(urlOf('x')).status).toBe(404);
  expectDownload({ kind: 'download', transfer: 'x', name: 'a', sizeBytes: 1 }, []);
  expect(answerDownload(urlOf('x')).status).toBe(404);
});
