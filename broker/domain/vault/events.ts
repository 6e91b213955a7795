import type { Head } from '../../contract/accounts.ts';
import type { VaultId } from '../../contract/ids.ts';

/** What is told of a vault: its new head, or that records were put into its inbox. */
export type VaultEvent = { readonly kind: 'head'; readonly head: Head } | { readonly kind: 'inbox' };

/** One who wants to know. */
export interface VaultEventListener {
  tell(news: VaultEvent): void;
  /** There will be no more: this broker ends. */
  end(): void;
}

/** Tells those who listen to a vault what is new in it. */
export interface VaultEvents {
  /** A head that this process has seen come about: told at once, in ascending order of `seq`, each once. */
  announceHead(vault: VaultId, head: Head): void;
  /** This process has put records into the inbox. What other brokers put there is not told of. */
  announceInbox(vault: VaultId): void;
  /**
   * Tells the listener of each newer head and of the inbox, until the returned function is called. Heads that other
   * brokers write are found by one poll per vault, however many listen.
   * @param known the head that the listener has been told already
   */
  listen(vault: VaultId, known: Head, listener: VaultEventListener): () => void;
  /** Ends all polls and all listeners. */
  close(): void;
}

export interface VaultEventsDeps {
  /** @returns undefined if there is no such vault */
  readonly readHead: (vault: VaultId) => Promise<Head | undefined>;
  readonly pollMs: number;
}

interface Watch {
  known: Head;
  timer: NodeJS.Timeout | undefined;
  readonly listeners: Set<VaultEventListener>;
}

export function createVaultEvents({ readHead, pollMs }: VaultEventsDeps): VaultEvents {
  const watches = new Map<VaultId, Watch>();

  function announceHead(vault: VaultId, head: Head): void {
    const watch = watches.get(vault);
    if (!watch || head.seq <= watch.known.seq) return;
    watch.known = head;
    for (const listener of watch.listeners) listener.tell({ kind: 'head', head });
  }

  function pollLater(vault: VaultId, watch: Watch): void {
    watch.timer = setTimeout(() => void poll(vault, watch), pollMs);
    watch.timer.unref();
  }

  async function poll(vault: VaultId, watch: Watch): Promise<void> {
    // A store that does not answer is asked again at the next turn; who listens is told nothing meanwhile.
    const head = await readHead(vault).catch(() => undefined);
    if (head) announceHead(vault, head);
    if (watches.get(vault) === watch) pollLater(vault, watch);
  }

  return {
    announceHead,
    announceInbox(vault) {
      for (const listener of watches.get(vault)?.listeners ?? []) listener.tell({ kind: 'inbox' });
    },
    listen(vault, known, listener) {
      const watch: Watch = watches.get(vault) ?? { known, timer: undefined, listeners: new Set() };
      if (!watches.has(vault)) {
        watches.set(vault, watch);
        pollLater(vault, watch);
      }
      // Before it listens itself: what it knows may be news to the others.
      announceHead(vault, known);
      watch.listeners.add(listener);
      if (known.seq < watch.known.seq) listener.tell({ kind: 'head', head: watch.known });
      return () => {
        watch.listeners.delete(listener);
        if (watch.listeners.size > 0 || watches.get(vault) !== watch) return;
        clearTimeout(watch.timer);
        watches.delete(vault);
      };
    },
    close() {
      for (const { timer, listeners } of watches.values()) {
        clearTimeout(timer);
        for (const listener of listeners) listener.end();
      }
      watches.clear();
    },
  };
}
