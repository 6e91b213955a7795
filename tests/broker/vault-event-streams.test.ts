import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Head } from '$contract/accounts.ts';
import { createVaultEvents, type VaultEvent, type VaultEvents } from '../../broker/domain/vault/events.ts';
import { EventBuffer } from '../../broker/routes/event-buffer.ts';
import { newVaultId } from '../support/memory-vault-cloud.ts';

const at = (seq: number): Head => ({ seq, hash: String(seq).padStart(43, 'A') });

describe('listening for what is new', () => {
  let news: VaultEvents | undefined;
  afterEach(() => news?.close());

  /** `stored` is what all brokers see; `reads` how often it was asked for. */
  function watch(pollMs: number) {
    const store = { head: at(0), reads: 0, fails: false };
    const opened = createVaultEvents({
      pollMs,
      readHead: () => {
        store.reads += 1;
        return store.fails ? Promise.reject(new Error('no answer')) : Promise.resolve(store.head);
      },
    });
    news = opened;
    const listen = (vault: ReturnType<typeof newVaultId>, known = at(0)) => {
      const told: (number | 'inbox')[] = [];
      let ended = false;
      const stop = opened.listen(vault, known, {
        tell: (piece) => told.push(piece.kind === 'head' ? piece.head.seq : 'inbox'),
        end: () => {
          ended = true;
        },
      });
      return { told, stop, ended: () => ended };
    };
    return { store, news: opened, listen };
  }

  it('tells what this process announces at once, in order, each head once, and only that vault’s listeners', () => {
    const { news, listen } = watch(60_000);
    const [vault, other] = [newVaultId(), newVaultId()];
    const [one, two, stranger] = [listen(vault), listen(vault), listen(other)];
    for (const seq of [1, 1, 3, 2, 4]) news.announceHead(vault, at(seq));
    expect([one.told, two.told, stranger.told]).toEqual([[1, 3, 4], [1, 3, 4], []]);
  });

  it('finds what another broker wrote, by one poll for all listeners of a vault', async () => {
    const { store, listen } = watch(20);
    const vault = newVaultId();
    const listeners = [listen(vault), listen(vault), listen(vault)];
    store.head = at(5);
    await expect.poll(() => listeners.map(({ told }) => told)).toEqual([[5], [5], [5]]);
    const { reads } = store;
    await expect.poll(() => store.reads).toBeGreaterThan(reads + 2);
    expect(listeners.every(({ told }) => told.length === 1)).toBe(true);
  });

  it('goes on after the store gave no answer', async () => {
    const { store, listen } = watch(5);
    store.fails = true;
    const { told } = listen(newVaultId());
    await expect.poll(() => store.reads).toBeGreaterThan(2);
    store.fails = false;
    store.head = at(1);
    await expect.poll(() => told).toEqual([1]);
  });

  it('tells a newcomer who knows less, and the others when the newcomer knows more', () => {
    const { news, listen } = watch(60_000);
    const vault = newVaultId();
    const first = listen(vault);
    news.announceHead(vault, at(3));
    expect(listen(vault, at(1)).told).toEqual([3]);
    expect(listen(vault, at(4)).told).toEqual([]);
    expect(first.told).toEqual([3, 4]);
  });

  it('asks no more once the last listener has gone', async () => {
    vi.useFakeTimers();
    try {
      const { store, news, listen } = watch(700);
      const vault = newVaultId();
      const [one, two] = [listen(vault), listen(vault)];
      await vi.advanceTimersByTimeAsync(7_000);
      expect(store.reads).toBe(10);
      one.stop();
      await vi.advanceTimersByTimeAsync(700);
      expect(store.reads).toBe(11);
      two.stop();
      two.stop();
      await vi.advanceTimersByTimeAsync(60_000);
      expect(store.reads).toBe(11);
      news.announceHead(vault, at(9));
      expect(one.told).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('tells of the inbox each time it is written here, and those of that vault alone', () => {
    const { news, listen } = watch(60_000);
    const [vault, other] = [newVaultId(), newVaultId()];
    const [one, stranger] = [listen(vault), listen(other)];
    news.announceInbox(vault);
    news.announceHead(vault, at(1));
    news.announceInbox(vault);
    one.stop();
    news.announceInbox(vault);
    expect([one.told, stranger.told]).toEqual([['inbox', 1, 'inbox'], []]);
  });

  it('tells all listeners when the broker ends', () => {
    const { news, listen } = watch(60_000);
    const one = listen(newVaultId());
    news.close();
    expect(one.ended()).toBe(true);
  });
});

describe('what one stream has to tell', () => {
  const head = (seq: number): VaultEvent => ({ kind: 'head', head: at(seq) });

  it('keeps the newest head alone, and that the inbox was written, for a slow reader', async () => {
    const untold = new EventBuffer(at(0));
    for (const seq of [1, 2, 3]) {
      untold.tell(head(seq));
      untold.tell({ kind: 'inbox' });
    }
    expect(await untold.next(60_000)).toEqual(head(3));
    expect(await untold.next(60_000)).toEqual({ kind: 'inbox' });
    expect(await untold.next(1)).toBeUndefined();
  });

  it('wakes a reader that waits, for a head, for the inbox and for the end', async () => {
    const untold = new EventBuffer(at(0));
    await untold.next(0);
    for (const news of [head(1), { kind: 'inbox' } as const]) {
      const waiting = untold.next(60_000);
      untold.tell(news);
      expect(await waiting).toEqual(news);
    }
    const last = untold.next(60_000);
    untold.end();
    expect(await last).toBeUndefined();
    expect(untold.ended()).toBe(true);
  });
});
