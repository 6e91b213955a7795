/// <reference lib="webworker" />
import { SHARED_PARAMETER, type SharedAnswer } from './messages.ts';

// Files that another app shares with this one come as a form that the browser posts to /share, and nobody but this
// worker is there to take it. They are held in memory alone, until the page that opens fetches them: what they are is
// the user's business alone so far.

const PATH = '/share';
/** The field of the form that the manifest names. */
const FIELD = 'files';
/** A page that starts fetches them within seconds; anyone who comes later has to share again. */
const HELD_MS = 3 * 60_000;
/** Any site may post such a form: what is never fetched must not pile up. */
const HELD_SHARES = 4;

const held = new Map<string, readonly File[]>();

export function isShare(url: URL): boolean {
  return url.pathname === PATH;
}

/** Takes the form, and sends the browser to the page under an address that names the share. */
export async function receiveShare(request: Request): Promise<Response> {
  // A share is a navigation of the whole window. A script, ours or not, has no business here.
  if (request.mode !== 'navigate' || request.destination !== 'document') {
    return new Response(null, { status: 403 });
  }
  const share = crypto.randomUUID();
  hold(share, await filesOf(request));
  return new Response(null, { status: 303, headers: { location: `/?${SHARED_PARAMETER}=${share}` } });
}

/** Gives a share away, once. */
export function giveShare(share: string, reply: MessagePort | undefined): void {
  const files = held.get(share);
  held.delete(share);
  const answer: SharedAnswer = files === undefined ? { kind: 'gone' } : { kind: 'files', files };
  reply?.postMessage(answer);
}

function hold(share: string, files: readonly File[]): void {
  for (const oldest of held.keys()) {
    if (held.size < HELD_SHARES) break;
    held.delete(oldest);
  }
  held.set(share, files);
  setTimeout(() => held.delete(share), HELD_MS);
}

async function filesOf(request: Request): Promise<readonly File[]> {
  try {
    const fields = (await request.formData()).getAll(FIELD);
    return fields.filter((field) => field instanceof File);
  } catch {
    return []; // No form at all: the page says that nothing has come.
  }
}
