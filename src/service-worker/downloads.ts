/// <reference lib="webworker" />
import { release, type Bytes } from '../lib/bytes.ts';
import {
  ALIVE_EVERY_MS,
  type StreamDemand,
  type StreamSupply,
} from '../lib/transfer/download/download-stream.ts';
import type { DownloadAnnouncement } from './messages.ts';

const PREFIX = '/dl/';

/**
 * The browser asks for the next chunk when it has begun with one, and begins with one when it is done with the one
 * before.
 */
const IN_USE = 3;

interface Expected extends DownloadAnnouncement {
  readonly source: MessagePort;
}

const expected = new Map<string, Expected>();

/** @param ports the source of bytes, and the one that is told `ready` */
export function expectDownload(announced: DownloadAnnouncement, ports: readonly MessagePort[]): void {
  const [source, reply] = ports;
  if (!source || !reply) return;
  expected.set(announced.transfer, { ...announced, source });
  reply.postMessage({ kind: 'ready' });
}

export function isDownload(url: URL): boolean {
  return url.pathname.startsWith(PREFIX);
}

/** The bytes as an ordinary download of the browser: attachment, never a document of this origin. */
export function answerDownload(url: URL): Response {
  const download = expected.get(url.pathname.slice(PREFIX.length));
  expected.delete(url.pathname.slice(PREFIX.length));
  if (!download) return new Response(null, { status: 404 });
  return new Response(pull(download.source), {
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(download.sizeBytes),
      'content-disposition': `attachment; filename*=UTF-8''${encodeRfc8187(download.name)}`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': 'sandbox',
      'cross-origin-embedder-policy': 'require-corp',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    },
  });
}

/**
 * Asks for a chunk whenever the browser wants one. The page that began the download keeps this worker awake by
 * messages.
 */
function pull(source: MessagePort): ReadableStream<Uint8Array> {
  const demand = (kind: StreamDemand['kind']) => {
    source.postMessage({ kind } satisfies StreamDemand);
  };
  let supplied: () => void = () => undefined;
  const given: Bytes[] = [];
  // The browser may pause a download for as long as it likes: that it asks for nothing does not say that nobody is
  // here.
  const beat = setInterval(demand, ALIVE_EVERY_MS, 'alive');
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        source.onmessage = ({ data }: MessageEvent<StreamSupply>) => {
          if (data.kind !== 'chunk') clearInterval(beat);
          if (data.kind === 'chunk') {
            controller.enqueue(data.bytes);
            given.push(data.bytes);
            // Whatever waits for the garbage collector piles up: 600 MB for a file of 5 GB.
            const spent = given.length > IN_USE ? given.shift() : undefined;
            if (spent) release(spent);
          } else if (data.kind === 'end') controller.close();
          else controller.error(new Error('the download could not be finished'));
          supplied();
        };
      },
      pull: () =>
        new Promise<void>((resolve) => {
          supplied = resolve;
          demand('pull');
        }),
      cancel() {
        clearInterval(beat);
        source.onmessage = null; // A chunk may still be under way, and there is nothing to put it into.
        demand('cancel');
      },
    },
    { highWaterMark: 1 },
  );
}

/** RFC 8187 §3.2: what may not stand in an extended value is percent-encoded. Lone surrogates become U+FFFD first. */
function encodeRfc8187(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
