import { SHARED_PARAMETER, type SharedAnswer, type ToServiceWorker } from '../../service-worker/messages.ts';
import { broughtByPicker, together, type Brought } from '../platform/folder-reading.ts';
import { activeServiceWorker } from '../platform/service-worker.ts';

/** What a shortcut of the installed app asks for, as `/?do=…`. */
export type LaunchAction = 'upload' | 'lock';

/** How the page was come to, by its address. */
export interface Arrival {
  readonly share?: string;
  readonly deed?: LaunchAction;
}

/** Files and folders that came from outside the page and are not in the drive's hands yet. */
export interface Arrived {
  readonly brought: Brought;
  /** Whether somebody has to say first that they are wanted: any web site can send a form to the address for shares. */
  readonly asks: boolean;
}

/**
 * What the browser hands to the page when the app is launched with files, or again; TypeScript's DOM types do not know
 * it.
 */
interface LaunchParams {
  readonly targetURL?: string | null;
  readonly files?: readonly FileSystemHandle[];
}
interface WithLaunchQueue {
  readonly launchQueue?: { setConsumer(consumer: (params: LaunchParams) => void): void };
}

/** A service worker that has the files answers at once. */
const ANSWERS_WITHIN_MS = 10_000;

/** Reads a page's address. */
export function parseArrival(url: URL): Arrival {
  const share = url.searchParams.get(SHARED_PARAMETER);
  const deed = url.searchParams.get('do');
  return {
    ...(share !== null && { share }),
    ...((deed === 'upload' || deed === 'lock') && { deed }),
  };
}

/** Files and wishes that reach the page from outside: shares of other apps, files opened with this one, shortcuts. */
export class IncomingFiles {
  #arrived = $state.raw<Arrived | undefined>();
  #isLost = $state.raw(false);
  #deed = $state.raw<LaunchAction | undefined>();

  /** Kept until taken or turned down, also through signing in. */
  get arrived(): Arrived | undefined {
    return this.#arrived;
  }

  /** Whether something was shared that did not get here. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** What a shortcut asked for, until it is done. */
  get deed(): LaunchAction | undefined {
    return this.#deed;
  }

  /** Hears of files that are opened with the installed app, and of its shortcuts while it runs. */
  listen(): void {
    (globalThis as WithLaunchQueue).launchQueue?.setConsumer(({ targetURL, files = [] }) => {
      if (targetURL) void this.come(parseArrival(new URL(targetURL)));
      if (files.length > 0) void this.#open(files);
    });
  }

  /** Takes what an address announces. */
  async come({ share, deed }: Arrival): Promise<void> {
    if (deed) this.#deed = deed;
    if (share === undefined) return;
    const files = await fetchShared(share);
    if (files && files.length > 0) this.#arrive(broughtByPicker(files), true);
    else this.#isLost = true;
  }

  /** Takes what somebody dropped, or pasted, where there is no drive to put it in yet. */
  async bring(reading: Promise<Brought>): Promise<void> {
    this.#arrive(await reading, false);
  }

  /** What came, which is the caller's from then on. */
  take(): Brought {
    const brought = this.#arrived?.brought ?? broughtByPicker([]);
    this.#arrived = undefined;
    return brought;
  }

  /** Turns down what has come, or puts away that something was lost. */
  dismiss(): void {
    this.#arrived = undefined;
    this.#isLost = false;
  }

  deedDone(): void {
    this.#deed = undefined;
  }

  async #open(handles: readonly FileSystemHandle[]): Promise<void> {
    const files = handles.filter((handle) => handle instanceof FileSystemFileHandle);
    const opened = await Promise.allSettled(files.map((file) => file.getFile()));
    const there = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    if (there.length > 0) this.#arrive(broughtByPicker(there), false);
    if (there.length < handles.length) this.#isLost = true;
  }

  #arrive(more: Brought, asks: boolean): void {
    const before = this.#arrived;
    this.#isLost = false;
    const brought = before ? together(before.brought, more) : more;
    this.#arrived = { brought, asks: asks || (before?.asks ?? false) };
  }
}

/** @returns undefined when the service worker does not have them any more */
async function fetchShared(share: string): Promise<readonly File[] | undefined> {
  const serviceWorker = await activeServiceWorker();
  if (!serviceWorker) return undefined;
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise<readonly File[] | undefined>((resolve) => {
    setTimeout(resolve, ANSWERS_WITHIN_MS, undefined);
    port1.onmessage = ({ data }: MessageEvent<SharedAnswer>) => {
      resolve(data.kind === 'files' ? data.files : undefined);
    };
  });
  serviceWorker.postMessage({ kind: 'shared', share } satisfies ToServiceWorker, [port2]);
  const files = await answer;
  port1.close();
  return files;
}
