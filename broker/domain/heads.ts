import type { Head } from '../contract/account.ts';
import type { VaultId } from '../contract/ids.ts';

/** One who wants to know. */
export interface HeadListener {
  tell(head: Head): void;
  /** There will be no more: this broker ends. */
  end(): void;
}

/** Tells those who listen to a vault of its new heads. */
export interface Heads {
  /** A head that this process has seen come about: told at once, in ascending order of `seq`, each once. */
  announce(vault: VaultId, head: Head): void;
  /**
   * Tells the listener of each newer head, until the returned function is called. Heads that other brokers write are
   * found by one poll per vault, however many listen.
   * @param known what the listener has been told already
   */
  listen(vault: VaultId, known: Head, listener: HeadListener): () => void;
  /** Ends all polls and all listeners. */
  close(): void;
}

export interface HeadsDeps {
  /** @returns undefined where there is no such vault */
  readonly readHead: (vault: VaultId) => Promise<Head | undefined>;
  readonly pollMs: number;
}

interface Watch {
  known: Head;
  timer: NodeJS.Timeout | undefined;
  readonly listeners: Set<HeadListener>;
}

export function createHeads({ readHead, pollMs }: HeadsDeps): Heads {
  const watches = new Map<VaultId, Watch>();

  function announce(vault: VaultId, head: Head): void {
    const watch = watches.get(vault);
    if (!watch || head.seq <= watch.known.seq) return;
    watch.known = head;
    for (const listener of watch.listeners) listener.tell(head);
  }

  function pollLater(vault: VaultId, watch: Watch): void {
    watch.timer = setTimeout(() => void poll(vault, watch), pollMs);
    watch.timer.unref();
  }

  async function poll(vault: VaultId, watch: Watch): Promise<void> {
    // A store that does not answer is asked again at the next turn; who listens is told nothing meanwhile.
    const head = await readHead(vault).catch(() => undefined);
    if (head) announce(vault, head);
    if (watches.get(vault) === watch) pollLater(vault, watch);
  }

  return {
    announce,
    listen(vault, known, listener) {
      const watch: Watch = watches.get(vault) ?? { known, timer: undefined, listeners: new Set() };
      if (!watches.has(vault)) {
        watches.set(vault, watch);
        pollLater(vault, watch);
      }
      // Before it listens itself: what it knows may be news to the others.
      announce(vault, known);
      watch.listeners.add(listener);
      if (known.seq < watch.known.seq) listener.tell(watch.known);
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
