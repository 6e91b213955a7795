import { afterEach, expect, test, vi } from 'vitest';
import { saveStream } from '../../src/lib/platform/saving.ts';

afterEach(() => {
  vi.useRealTimers();
  for (const frame of frames()) frame.remove();
});

function frames(): HTMLIFrameElement[] {
  return [...document.querySelectorAll<HTMLIFrameElement>('iframe[title="Download"]')];
}

/** What of a service worker a page sees: it takes a stream, or says nothing. */
function serviceWorker(takes: boolean): ServiceWorker {
  const postMessage = (_: unknown, [, reply]: readonly MessagePort[]) => {
    if (takes) reply?.postMessage({ kind: 'ready' });
  };
  return { postMessage } as unknown as ServiceWorker;
}

function stream() {
  return { port: new MessageChannel().port2, transfer: 'few-bytes', name: 'few bytes.txt', sizeBytes: 3 };
}

test('what is asked for by a frame outlives the last of its bytes: the browser may not have made a download of it yet', async () => {
  const saving = await saveStream(serviceWorker(true), stream(), 'Download');
  vi.useFakeTimers();
  saving?.end();
  vi.advanceTimersByTime(30_000);
  expect(frames().map(({ src, title }) => [new URL(src).pathname, title])).toEqual([
    ['/dl/few-bytes', 'Download'],
  ]);
  vi.advanceTimersByTime(60_000);
  expect(frames()).toEqual([]);
});

test('a download is announced under a name that the browser can write', async () => {
  const announced: unknown[] = [];
  const taking = serviceWorker(true);
  const listening = {
    postMessage: (message: { name: string }, ports: readonly MessagePort[]) => {
      announced.push(message.name);
      taking.postMessage(message, [...ports]);
    },
  } as unknown as ServiceWorker;
  const saving = await saveStream(
    listening,
    { ...stream(), name: `${'a'.repeat(251)}.pdf.floe` },
    'Download',
  );
  saving?.end();
  expect(announced).toEqual([`${'a'.repeat(235)}.pdf.floe`]);
});

test('a service worker that does not take a stream is asked for nothing', async () => {
  vi.useFakeTimers();
  const saving = saveStream(serviceWorker(false), stream(), 'Download');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await saving).toBeUndefined();
  expect(frames()).toEqual([]);
});
