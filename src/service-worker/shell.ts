/// <reference lib="webworker" />
import { addPlugins, precacheAndRoute } from 'workbox-precaching';
import { toB64 } from '../lib/bytes.ts';
import { sha256 } from '../lib/crypto/digest.ts';
import { HalfkeyError } from '../lib/errors.ts';
import { answerTo, gather } from '../lib/remote/body.ts';
import type { FromServiceWorker } from './messages.ts';

// The files of this version, each with the digest that it was built with: a cache, a CDN or a bucket that alters one
// makes the installation fail, and the version before stays in charge.

const worker = globalThis as unknown as ServiceWorkerGlobalScope;

/** `[path, integrity]` of each; svelte.config.js writes them here when all of them are made. */
const integrities = new Map(JSON.parse('%halfkey.files%') as [string, string][]);
/** No file of a build is as large. */
const MOST_BYTES = 16 * 1024 * 1024;
/** For the beginning of an answer. */
const ANSWER_MS = 30_000;
/** What has a digest in its name never changes under it. */
const IMMUTABLE = '/_app/immutable/';

/** Loads the files of this version when it is installed, and serves them from then on. */
export function precacheShell(): void {
  addPlugins([
    {
      requestWillFetch: ({ request, event }) => {
        // What the browser has kept of a new version may be the altered file: it would refuse the unaltered one for a
        // year.
        const isUpdate = event.type === 'install' && worker.registration.active !== null;
        return Promise.resolve(isUpdate ? new Request(request, { cache: 'reload' }) : request);
      },
      fetchDidFail: async ({ request, event }) => {
        if (event.type === 'install' && (await isAltered(new URL(request.url)))) await tellRejected();
      },
    },
  ]);
  precacheAndRoute(
    [...integrities].map(([url, integrity]) => ({
      url,
      integrity,
      revision: url.startsWith(IMMUTABLE) ? null : integrity,
    })),
  );
}

/**
 * A browser does not say why it refused a file: whether this is another one than was built, or only the network failed.
 */
async function isAltered({ pathname }: URL): Promise<boolean> {
  try {
    const about = { limitMs: ANSWER_MS, unreachable: 'broker_unreachable' } as const;
    const { ok, body } = await answerTo(pathname, { cache: 'reload' }, about);
    if (!ok || !body) return false;
    const digest = await sha256(await gather(body, MOST_BYTES, about.unreachable));
    return `sha256-${toB64(digest)}` !== integrities.get(pathname);
  } catch (error) {
    return error instanceof HalfkeyError && error.code === 'input_too_large';
  }
}

async function tellRejected(): Promise<void> {
  const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  for (const page of pages) page.postMessage({ kind: 'update-rejected' } satisfies FromServiceWorker);
}
