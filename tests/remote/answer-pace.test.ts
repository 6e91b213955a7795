import { beforeEach, describe, expect, it, afterEach, vi } from 'vitest';
import { AnswerPace } from '../../src/lib/remote/answer-pace.ts';
import { putAt } from '../../src/lib/remote/s3.ts';

const PART_BYTES = 8 * 1024 * 1024;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** A proxy that takes a body in at once, and sends it on by a slow line; an XMLHttpRequest as far as a PUT needs it. */
function slowBehindProxy(bytesPerMs: number) {
  const seen = { puts: 0 };
  class BufferedRequest {
    readonly upload: { onprogress?: (event: { loaded: number }) => void } = {};
    readonly status = 200;
    readonly responseText = '';
    onload?: () => void;
    onloadend?: () => void;
    #timer: ReturnType<typeof setTimeout> | undefined;
    open(): void {
      seen.puts += 1;
    }
    setRequestHeader(): void {
      // None of them matters here.
    }
    getResponseHeader(): string {
      return '"etag"';
    }
    send(body: Blob): void {
      this.upload.onprogress?.({ loaded: body.size });
      this.#timer = setTimeout(() => {
        this.onload?.();
        this.onloadend?.();
      }, body.size / bytesPerMs);
    }
    abort(): void {
      clearTimeout(this.#timer);
      this.onloadend?.();
    }
  }
  vi.stubGlobal('XMLHttpRequest', BufferedRequest);
  return seen;
}

describe('a part that is on a slow line behind a proxy', () => {
  /**
   * Puts a part again until it is there, as anyone who sends does.
   * @returns PUTs that it took; undefined when no number is enough
   */
  async function putsUntilThere(put: ReturnType<typeof putAt>, most = 12): Promise<number | undefined> {
    const body = new Blob([new Uint8Array(PART_BYTES)]);
    const about = { url: 'https://store.example/part', body, sha256B64: '', createOnly: false };
    for (let puts = 1; puts <= most; puts += 1) {
      const etag = put({ ...about, signal: new AbortController().signal }).catch(() => undefined);
      await vi.runAllTimersAsync();
      if ((await etag) !== undefined) return puts;
    }
    return undefined;
  }

  it.each([
    ['1 Mbit/s', 125],
    ['256 kbit/s', 32],
    ['32 kbit/s', 4],
    ['8 kbit/s', 1],
  ])('arrives, however slow the line is: %s', async (_speed, bytesPerMs) => {
    slowBehindProxy(bytesPerMs);
    expect(await putsUntilThere(putAt(new AnswerPace()))).toBeDefined();
  });

  it('is sent once, as soon as one before it has shown how slow the line is', async () => {
    slowBehindProxy(4);
    const put = putAt(new AnswerPace());
    expect(await putsUntilThere(put)).toBeGreaterThan(1);
    expect(await putsUntilThere(put)).toBe(1);
  });

  it('is given up when the line is dead', async () => {
    slowBehindProxy(0.01);
    expect(await putsUntilThere(putAt(new AnswerPace()), 2)).toBeUndefined();
  });
});

describe('the wait for an answer', () => {
  it('is a minute where the line is fast, and grows with the size where it is slow', () => {
    const pace = new AnswerPace();
    const measured = pace.ask(PART_BYTES);
    vi.advanceTimersByTime(100);
    measured.isAnswered();
    expect(pace.ask(PART_BYTES).answerMs).toBeCloseTo(60_400);
    expect(pace.ask(4 * PART_BYTES).answerMs).toBeCloseTo(61_600);
  });

  it('is not measured by a body so short that only the way counts', () => {
    const pace = new AnswerPace();
    const before = pace.ask(PART_BYTES).answerMs;
    const short = pace.ask(100);
    vi.advanceTimersByTime(1000);
    short.isAnswered();
    expect(pace.ask(PART_BYTES).answerMs).toBe(before);
  });

  it('doubles once for those that are late together, up to some hours', () => {
    const pace = new AnswerPace();
    const { stallMs } = pace.ask(1);
    for (const late of [pace.ask(1), pace.ask(1), pace.ask(1)]) late.isLate();
    expect(pace.ask(1).stallMs).toBe(2 * stallMs);
    for (let times = 0; times < 20; times += 1) pace.ask(1).isLate();
    expect(pace.ask(1).stallMs).toBe(256 * stallMs);
  });
});
