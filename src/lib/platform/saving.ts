import type { DownloadAnnouncement, ToServiceWorker } from '../../service-worker/messages.ts';
import type { DownloadStream } from '../protocol/transfer.ts';
import { savedName } from './saved-name.ts';

/** A service worker that has not taken the stream by then never will. */
const TAKEN_WITHIN_MS = 5_000;

/** A browser stops a service worker that no message has reached for half a minute, and its downloads with it. */
const AWAKE_EVERY_MS = 10_000;

/**
 * The browser takes what it is offered some time after: the bytes of a small file may all be there before it has made a
 * download of them, and it makes none when the frame, or the object URL, is gone by then. Nothing tells when it has.
 */
const OFFERED_FOR_MS = 60_000;

/** A download that the service worker has taken. */
export interface Saving {
  /** To be called with each sign of life of the transfer: the timers of a page in the background run late. */
  readonly keepAwake: () => void;
  /** For when the transfer has ended. */
  readonly end: () => void;
}

/**
 * Hands a stream to the service worker and lets the browser download it, by a hidden frame: an ordinary download, of
 * any size, that fills no memory. The service worker is kept awake until the end.
 * @param title names the frame, for who comes upon it
 * @returns undefined when the service worker did not take the stream
 */
export async function saveStream(
  serviceWorker: ServiceWorker,
  { port, transfer, name, sizeBytes }: DownloadStream,
  title: string,
): Promise<Saving | undefined> {
  const reply = new MessageChannel();
  const taken = new Promise<boolean>((resolve) => {
    const late = setTimeout(resolve, TAKEN_WITHIN_MS, false);
    reply.port1.onmessage = ({ data }: MessageEvent<{ kind: string }>) => {
      clearTimeout(late);
      resolve(data.kind === 'ready');
    };
  });
  const announcement: DownloadAnnouncement = {
    kind: 'download',
    transfer,
    name: savedName(name),
    sizeBytes,
  };
  serviceWorker.postMessage(announcement, [port, reply.port2]);
  const isTaken = await taken;
  reply.port1.close();
  if (!isTaken) return undefined;
  const frame = document.createElement('iframe');
  frame.hidden = true;
  frame.title = title;
  frame.src = `/dl/${encodeURIComponent(transfer)}`;
  document.body.append(frame);
  let awakeAtMs = performance.now();
  const keepAwake = () => {
    if (performance.now() - awakeAtMs < AWAKE_EVERY_MS) return;
    awakeAtMs = performance.now();
    serviceWorker.postMessage({ kind: 'awake' } satisfies ToServiceWorker);
  };
  const timer = setInterval(keepAwake, AWAKE_EVERY_MS / 2);
  return {
    keepAwake,
    end() {
      clearInterval(timer);
      setTimeout(() => {
        frame.remove();
      }, OFFERED_FOR_MS);
    },
  };
}

/** Offers a file that is stored in OPFS, or a small one in memory, for saving. */
export function saveFile(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = savedName(name);
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, OFFERED_FOR_MS);
}

type SavePicker = (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;

function savePicker(): SavePicker | undefined {
  return (globalThis as { showSaveFilePicker?: SavePicker }).showSaveFilePicker?.bind(globalThis);
}

/** Whether this browser lets people choose where a file goes. */
export function canPickPlace(): boolean {
  return savePicker() !== undefined;
}

/**
 * Must be called within a click: the browser refuses it at any other time.
 * @throws {DOMException} `AbortError` when the picker is called off
 */
export function pickPlace(suggestedName: string): Promise<FileSystemFileHandle> {
  const pick = savePicker();
  if (!pick) throw new TypeError('expected a browser with a save picker');
  return pick({ suggestedName: savedName(suggestedName) });
}
