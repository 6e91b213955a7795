/// <reference lib="webworker" />
import { ALIVE_EVERY_MS, type StreamDemand, type StreamSupply } from '../lib/transfer/download-stream.ts';

const PREFIX = '/dl/';

/** A page says that a download of this name will be asked for, and where its bytes come from. */
interface Announcement {
  readonly kind: 'download';
  /** Random: the URL is good for one request. */
  readonly transfer: string;
  readonly name: string;
  readonly sizeBytes: number;
}

interface Expected extends Announcement {
  readonly source: MessagePort;
}

const expected = new Map<string, Expected>();

/** Takes an announcement with two ports, the source of bytes and the one that is told `ready`. Only pages of ours can send one. */
export function expectDownload(event: ExtendableMessageEvent): void {
  const data = event.data as Partial<Announcement> | undefined;
  const [source, reply] = event.ports;
  if (data?.kind !== 'download' || !source || !reply) return;
  if (
    typeof data.transfer !== 'string' ||
    typeof data.name !== 'string' ||
    typeof data.sizeBytes !== 'number'
  )
    return;
  const { kind, transfer, name, sizeBytes } = data;
  expected.set(transfer, { kind, transfer, name, sizeBytes, source });
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

/** Asks for a chunk whenever the browser wants one. The page that began the download keeps this worker awake by messages. */
function pull(source: MessagePort): ReadableStream<Uint8Array> {
  const demand = (kind: StreamDemand['kind']) => {
    source.postMessage({ kind } satisfies StreamDemand);
  };
  let supplied: () => void = () => undefined;
  // The browser may pause a download for as long as it likes: that it asks for nothing does not say that nobody is here.
  const beat = setInterval(demand, ALIVE_EVERY_MS, 'alive');
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        source.onmessage = ({ data }: MessageEvent<StreamSupply>) => {
          if (data.kind !== 'chunk') clearInterval(beat);
          if (data.kind === 'chunk') controller.enqueue(data.bytes);
          else if (data.kind === 'end') controller.close();
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
