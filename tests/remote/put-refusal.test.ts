import { afterEach, expect, it, vi } from 'vitest';
import { put } from '../../src/lib/remote/s3.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

/** An XMLHttpRequest that is answered so, as far as a PUT needs it. */
function answeredWith(status: number, word: string | undefined): void {
  class AnsweredRequest {
    readonly upload = {};
    readonly status = status;
    readonly responseText = word === undefined ? '<html>' : `<Error><Code>${word}</Code></Error>`;
    onload?: () => void;
    onloadend?: () => void;
    open(): void {
      // Nothing is asked.
    }
    setRequestHeader(): void {
      // None of them matters here.
    }
    getResponseHeader(): null {
      return null;
    }
    send(): void {
      this.onload?.();
      this.onloadend?.();
    }
  }
  vi.stubGlobal('XMLHttpRequest', AnsweredRequest);
}

it.each([
  [403, 'AccessDenied', 'url_expired'],
  [403, undefined, 'url_expired'],
  [400, 'EntityTooLarge', 'store_refused'],
  [405, 'MethodNotAllowed', 'store_refused'],
  [405, undefined, 'store_unreachable'],
  [409, 'ConditionalRequestConflict', 'store_unreachable'],
  [412, 'PreconditionFailed', 'already_exists'],
  [503, 'SlowDown', 'store_unreachable'],
] as const)(
  'a PUT that is answered %d %s fails with %s, and keeps the reason',
  async (status, word, code) => {
    answeredWith(status, word);
    const signal = new AbortController().signal;
    const sent = put({
      url: 'https://store.example/',
      body: new Blob(['x']),
      sha256B64: '',
      createOnly: true,
      signal,
    });
    await expect(sent).rejects.toMatchObject({ code, detail: word === undefined ? {} : { reason: word } });
  },
);
