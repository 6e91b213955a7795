import './runes.ts';
import { describe, expect, it } from 'vitest';
import { HalfkeyError } from '../../src/lib/errors.ts';
import { FactorResetWatch } from '../../src/lib/state/factor-reset.svelte.ts';
import { toldWorker } from './told-worker.ts';

const askedAt = (askedAtMs: number) => ({ askedAtMs, dueAtMs: askedAtMs + 1 });

describe('another authenticator that was asked for', () => {
  it('is shown until somebody says to know of it, and not again by the next report of the same', () => {
    const watch = new FactorResetWatch(toldWorker().worker);
    watch.apply(askedAt(5));
    expect(watch.pending).toEqual(askedAt(5));
    watch.dismiss();
    watch.apply(askedAt(5));
    expect(watch.pending).toBeUndefined();
  });

  it('is shown when it was asked for once more', () => {
    const watch = new FactorResetWatch(toldWorker().worker);
    watch.apply(askedAt(5));
    watch.dismiss();
    watch.apply(askedAt(6));
    expect(watch.pending).toEqual(askedAt(6));
  });

  it('is stopped from here once the broker has heard of it, and that is shown until it is put away', async () => {
    const { worker, sent } = toldWorker();
    const watch = new FactorResetWatch(worker);
    watch.apply(askedAt(5));
    await watch.stop();
    expect(sent).toEqual([['factor-reset/stop', {}]]);
    expect(watch.isStopped).toBe(true);
    watch.dismiss();
    expect(watch.isStopped).toBe(false);
  });

  it('is not called stopped when nobody could be told', async () => {
    const failing = () => Promise.reject(new HalfkeyError('broker_unreachable', 'no answer'));
    const watch = new FactorResetWatch(toldWorker({ 'factor-reset/stop': failing }).worker);
    watch.apply(askedAt(5));
    await expect(watch.stop()).rejects.toMatchObject({ code: 'broker_unreachable' });
    expect([watch.isStopped, watch.pending]).toEqual([false, askedAt(5)]);
  });

  it('is forgotten when its reader is signed out', async () => {
    const watch = new FactorResetWatch(toldWorker().worker);
    watch.apply(askedAt(5));
    await watch.stop();
    watch.clear();
    expect([watch.isStopped, watch.pending]).toEqual([false, undefined]);
  });
});
