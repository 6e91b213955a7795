import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ErrorCode } from '../../src/lib/errors.ts';
import { put, putByFetch, type Put } from '../../src/lib/remote/s3.ts';
import { refusalCode } from '../crypto/refusal.ts';

// What is read from the store is in range.test.ts, and what is too long or does not come in answer-limits.test.ts.
const BODY = new Blob(['abc']);
const REFUSALS: [number, string, ErrorCode][] = [
  [403, '', 'url_expired'],
  [404, '', 'upload_lost'],
  [412, '', 'already_exists'],
  [507, '', 'store_full'],
  [400, '<Error><Code>BadDigest</Code></Error>', 'upload_mismatch'],
  [400, '<Error><Code>InvalidDigest</Code></Error>', 'upload_mismatch'],
  [400, '<Error><Code>ExpiredToken</Code></Error>', 'url_expired'],
  [400, '<Error><Code>RequestTimeout</Code></Error>', 'store_unreachable'],
  [403, '<Error><Code>BadDigest</Code></Error>', 'url_expired'],
  [500, '', 'store_unreachable'],
  [200, '', 'store_unreachable'], // Without an ETag it is no answer of S3's.
];

const order = (more: Partial<Put> = {}): Put => ({
  ...{ url: 'https://store.test/blob', body: BODY, sha256B64: 'c2hh', createOnly: false },
  ...{ signal: new AbortController().signal, ...more },
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('a PUT of a page', () => {
  let requests: Request[];

  /** A browser's request, which the test answers. */
  class Request {
    readonly upload: { onprogress?: (event: { loaded: number }) => void } = {};
    onload?: () => void;
    onerror?: () => void;
    onloadend?: () => void;
    onprogress?: (event: { loaded: number }) => void;
    status = 0;
    responseText = '';
    etag: string | null = null;
    isAborted = false;
    sent: unknown;
    readonly headers: Record<string, string> = {};

    constructor() {
      requests.push(this);
    }
    open(): void {
      // Nothing leaves here.
    }
    setRequestHeader(name: string, value: string): void {
      this.headers[name] = value;
    }
    send(body: unknown): void {
      this.sent = body;
    }
    abort(): void {
      this.isAborted = true;
      this.onloadend?.();
    }
    getResponseHeader(): string | null {
      return this.etag;
    }
    answer(status: number, { etag = null as string | null, text = '' } = {}): void {
      [this.status, this.etag, this.responseText] = [status, etag, text];
      this.onload?.();
      this.onloadend?.();
    }
  }

  beforeEach(() => {
    vi.useFakeTimers();
    requests = [];
    vi.stubGlobal('XMLHttpRequest', Request);
  });
  const request = () => requests[0]!;

  it('answers S3’s ETag, and has sent the bytes with what is signed for them and nothing else', async () => {
    const putting = put(order());
    request().answer(200, { etag: '"e1"' });
    expect(await putting).toBe('"e1"');
    expect([request().sent, request().headers]).toEqual([BODY, { 'x-amz-checksum-sha256': 'c2hh' }]);
  });

  it('of a whole blob is made for S3 to refuse where there is one', async () => {
    const putting = put(order({ createOnly: true }));
    request().answer(200, { etag: '"e1"' });
    await putting;
    expect(request().headers['if-none-match']).toBe('*');
  });

  it.each(REFUSALS)('that S3 answers with %i %s is told as %s', async (status, text, code) => {
    const putting = refusalCode(put(order()));
    request().answer(status, { text });
    expect(await putting).toBe(code);
  });

  it('tells how much has left', async () => {
    const sent: number[] = [];
    const putting = put(order({ onProgress: (bytes) => void sent.push(bytes) }));
    for (const loaded of [1, 3]) request().upload.onprogress?.({ loaded });
    request().answer(200, { etag: '"e1"' });
    await putting;
    expect(sent).toEqual([1, 3]);
  });

  it('is cut when the line is', async () => {
    const putting = refusalCode(put(order()));
    request().onerror?.();
    expect(await putting).toBe('store_unreachable');
  });

  it('is given up after a minute in which nothing has left, however long the whole takes', async () => {
    const putting = refusalCode(put(order()));
    await vi.advanceTimersByTimeAsync(59_999);
    request().upload.onprogress?.({ loaded: 1 });
    await vi.advanceTimersByTimeAsync(59_999);
    expect(request().isAborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect([await putting, request().isAborted]).toEqual(['store_unreachable', true]);
  });

  it('leaves no timer behind', async () => {
    const putting = put(order());
    request().answer(200, { etag: '"e1"' });
    await putting;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is given up when the answer to it does not end', async () => {
    const putting = refusalCode(put(order()));
    request().onprogress?.({ loaded: 16 * 1024 });
    expect(request().isAborted).toBe(false);
    request().onprogress?.({ loaded: 16 * 1024 + 1 });
    expect([await putting, request().isAborted]).toEqual(['store_unreachable', true]);
  });

  it('ends with the reason of whoever calls it off, before or while it goes', async () => {
    const controller = new AbortController();
    const putting = put(order({ signal: controller.signal }));
    controller.abort(new TypeError('nobody wants it'));
    await expect(putting).rejects.toThrow('nobody wants it');
    expect(request().isAborted).toBe(true);
    await expect(put(order({ signal: controller.signal }))).rejects.toThrow('nobody wants it');
    expect(requests).toHaveLength(1);
  });
});

describe('a PUT of a service worker', () => {
  let asked: RequestInit[];
  let answer: () => Promise<Response>;

  beforeEach(() => {
    asked = [];
    vi.stubGlobal('fetch', (_url: string, init: RequestInit) => {
      asked.push(init);
      return answer();
    });
  });

  it('answers S3’s ETag, and shows no cookie', async () => {
    answer = () => Promise.resolve(new Response('', { headers: { etag: '"e1"' } }));
    const sent: number[] = [];
    expect(await putByFetch(order({ createOnly: true, onProgress: (bytes) => void sent.push(bytes) }))).toBe(
      '"e1"',
    );
    expect(asked).toMatchObject([
      {
        ...{ method: 'PUT', body: BODY, credentials: 'omit', cache: 'no-store' },
        headers: [
          ['x-amz-checksum-sha256', 'c2hh'],
          ['content-type', 'application/octet-stream'],
          ['content-disposition', 'attachment'],
          ['if-none-match', '*'],
        ],
      },
    ]);
    expect(sent).toEqual([3]);
  });

  it.each(REFUSALS)('that S3 answers with %i %s is told as %s', async (status, text, code) => {
    answer = () => Promise.resolve(new Response(text, { status }));
    expect(await refusalCode(putByFetch(order()))).toBe(code);
  });

  it('is cut when the line is, and called off when it is called off', async () => {
    answer = () => Promise.reject(new TypeError('failed to fetch'));
    expect(await refusalCode(putByFetch(order()))).toBe('store_unreachable');
    const controller = new AbortController();
    controller.abort(new TypeError('nobody wants it'));
    await expect(putByFetch(order({ signal: controller.signal }))).rejects.toThrow('nobody wants it');
  });
});
