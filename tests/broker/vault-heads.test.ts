import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Head } from '$contract/account.ts';
import { createHeads, type Heads } from '../../broker/domain/heads.ts';
import { HeadInbox } from '../../broker/routes/head-inbox.ts';
import { newVaultId } from '../support/memory-vault-cloud.ts';

const at = (seq: number): Head => ({ seq, hash: String(seq).padStart(43, 'A') });

describe('listening for heads', () => {
  let heads: Heads | undefined;
  afterEach(() => heads?.close());

  /** `stored` is what all brokers see; `reads` how often it was asked for. */
  function watch(pollMs: number) {
    const store = { head: at(0), reads: 0, fails: false };
    const opened = createHeads({
      pollMs,
      readHead: () => {
        store.reads += 1;
        return store.fails ? Promise.reject(new Error('no answer')) : Promise.resolve(store.head);
      },
    });
    heads = opened;
    const listen = (vault: ReturnType<typeof newVaultId>, known = at(0)) => {
      const told: number[] = [];
      let ended = false;
      const stop = opened.listen(vault, known, {
        tell: ({ seq }) => told.push(seq),
        end: () => {
          ended = true;
        },
      });
      return { told, stop, ended: () => ended };
    };
    return { store, heads: opened, listen };
  }

  it('tells what this process announces at once, in order, each head once, and only that vault’s listeners', () => {
    const { heads, listen } = watch(60_000);
    const [vault, other] = [newVaultId(), newVaultId()];
    const [one, two, stranger] = [listen(vault), listen(vault), listen(other)];
    for (const seq of [1, 1, 3, 2, 4]) heads.announce(vault, at(seq));
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
    const { heads, listen } = watch(60_000);
    const vault = newVaultId();
    const first = listen(vault);
    heads.announce(vault, at(3));
    expect(listen(vault, at(1)).told).toEqual([3]);
    expect(listen(vault, at(4)).told).toEqual([]);
    expect(first.told).toEqual([3, 4]);
  });

  it('asks no more once the last listener has gone', async () => {
    vi.useFakeTimers();
    try {
      const { store, heads, listen } = watch(700);
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
      heads.announce(vault, at(9));
      expect(one.told).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('tells all listeners when the broker ends', () => {
    const { heads, listen } = watch(60_000);
    const one = listen(newVaultId());
    heads.close();
    expect(one.ended()).toBe(true);
  });
});

describe('what one stream has to tell', () => {
  it('keeps the newest head alone for a slow reader', async () => {
    const inbox = new HeadInbox(at(0));
    for (const seq of [1, 2, 3]) inbox.tell(at(seq));
    expect(await inbox.next(60_000)).toEqual(at(3));
    expect(await inbox.next(1)).toBeUndefined();
  });

  it('wakes a reader that waits, for a head and for the end', async () => {
    const inbox = new HeadInbox(at(0));
    await inbox.next(0);
    const waiting = inbox.next(60_000);
    inbox.tell(at(1));
    expect(await waiting).toEqual(at(1));
    const last = inbox.next(60_000);
    inbox.end();
    expect(await last).toBeUndefined();
    expect(inbox.ended()).toBe(true);
  });
});
