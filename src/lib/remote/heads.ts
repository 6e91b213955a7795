import { Head } from '$contract/account.ts';
import type { VaultId } from '$contract/ids.ts';
import { VAULT_EVENTS_PATH } from '$contract/vault.ts';
import * as v from 'valibot';

/**
 * Listens for new heads of a vault's journal. The browser reconnects by itself; a head may be told twice.
 * @returns a function that stops
 */
export function listenForHeads(
  origin: string,
  vault: VaultId,
  listener: {
    onHead: (head: Head) => void;
    /** This broker has put something into the inbox. */
    onInbox: () => void;
    onConnection: (online: boolean) => void;
  },
): () => void {
  const url = new URL(VAULT_EVENTS_PATH.replace(':vault', encodeURIComponent(vault)), origin);
  const source = new EventSource(url);
  source.addEventListener('open', () => {
    listener.onConnection(true);
  });
  source.addEventListener('error', () => {
    listener.onConnection(false);
  });
  source.addEventListener('head', ({ data }: MessageEvent<string>) => {
    const head = v.safeParse(v.pipe(v.string(), v.parseJson(), Head), data);
    if (head.success) listener.onHead(head.output);
  });
  source.addEventListener('inbox', () => {
    listener.onInbox();
  });
  return () => {
    source.close();
  };
}
