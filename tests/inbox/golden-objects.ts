import type { Bytes } from '../../src/lib/bytes.ts';
import type { GoldenInbox } from '../reader/golden-inbox.ts';
import golden from '../vectors/inbox-v1/golden.json' with { type: 'json' };

// As Vite serves them, in Node and in browsers.
const FILES = import.meta.glob<string>('../vectors/inbox-v1/{drafts,inbox,keys,log,snapshots}/**', {
  query: '?url&inline',
  import: 'default',
  eager: true,
});

/** What must be found in the golden inbox of version 1. */
export const GOLDEN = golden as unknown as GoldenInbox;

/** Its objects by their names. */
export async function goldenObjects(): Promise<ReadonlyMap<string, Bytes>> {
  const entries = Object.entries(FILES).map(async ([path, url]) => {
    const answer = await fetch(url);
    const name = path.slice(path.indexOf('inbox-v1/') + 'inbox-v1/'.length);
    return [name, new Uint8Array(await answer.arrayBuffer())] as const;
  });
  return new Map(await Promise.all(entries));
}
