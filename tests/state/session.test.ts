import './runes.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HalfkeyError } from '../../src/lib/errors.ts';
import type { Phase } from '../../src/lib/protocol/session.ts';
import { Session } from '../../src/lib/state/session.svelte.ts';
import { toldWorker } from './told-worker.ts';

const LOCKED: Phase = { phase: 'locked' };
const CLOSED: Phase = { phase: 'closed' };
const SIGNED_OUT: Phase = { phase: 'signed-out' };
let places: string[];

beforeEach(() => {
  places = [];
  vi.stubGlobal('location', { replace: (place: string) => void places.push(place) });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const failing = () => Promise.reject(new HalfkeyError('broker_unreachable', 'no answer'));

describe('a device that is signed out', () => {
  it.each([LOCKED, CLOSED])(
    'from elsewhere has ended, and says so until somebody comes in: $phase',
    (before) => {
      const session = new Session(toldWorker().worker);
      session.apply(before);
      session.apply(SIGNED_OUT);
      expect([session.ended, session.signedIn, session.isClosed]).toEqual([true, false, false]);
      session.apply(SIGNED_OUT);
      expect(session.ended).toBe(true);
      session.apply(LOCKED);
      expect(session.ended).toBe(false);
    },
  );

  it('has not ended where nobody was in', () => {
    const session = new Session(toldWorker().worker);
    session.apply(SIGNED_OUT);
    expect(session.ended).toBe(false);
  });

  it('by the person at it has not ended, and loads the page anew', async () => {
    const { worker, sent } = toldWorker({
      'sign-out': () => {
        session.apply(SIGNED_OUT);
      },
    });
    const session = new Session(worker);
    session.apply(LOCKED);
    await session.signOut();
    expect([session.ended, session.isLeaving]).toEqual([false, true]);
    expect(sent).toEqual([['sign-out', {}]]);
    expect(places).toEqual(['/']);
  });

  it('in vain stays where it is', async () => {
    const session = new Session(toldWorker({ 'sign-out': failing }).worker);
    session.apply(LOCKED);
    await expect(session.signOut()).rejects.toMatchObject({ code: 'broker_unreachable' });
    expect([session.isLeaving, places]).toEqual([false, []]);
    session.apply(SIGNED_OUT);
    expect(session.ended).toBe(true);
  });
});

describe('the start', () => {
  it('takes the phase that the worker finds', async () => {
    const session = new Session(toldWorker({ boot: () => CLOSED }).worker);
    await session.boot();
    expect([session.isClosed, session.cannotStart]).toEqual([true, undefined]);
  });

  it('says why there is nothing to show', async () => {
    const error = new HalfkeyError('browser_lacks', 'no', { detail: { feature: 'OPFS' } });
    const session = new Session(toldWorker({ boot: () => Promise.reject(error) }).worker);
    await session.boot();
    expect(session.cannotStart).toEqual({ code: 'browser_lacks', detail: { feature: 'OPFS' } });
  });
});

describe('the page of who signs up', () => {
  const kit = { recoveryWords: ['w'], backupCodes: [], headPhrase: 'h' };

  it('is held from the code until the kit is left', async () => {
    const held: boolean[] = [];
    const session = new Session(
      toldWorker({
        'sign-up/verify': () => {
          held.push(session.held);
          return kit;
        },
      }).worker,
    );
    expect(await session.activate('123456')).toBe(kit);
    expect([...held, session.held]).toEqual([true, true]);
    session.release();
    expect(session.held).toBe(false);
  });

  it('is let go of when the code was refused', async () => {
    const session = new Session(toldWorker({ 'sign-up/verify': failing }).worker);
    await expect(session.activate('000000')).rejects.toMatchObject({ code: 'broker_unreachable' });
    expect(session.held).toBe(false);
  });
});

describe('input', () => {
  it('is told to the worker once in ten seconds', () => {
    const { worker, sent } = toldWorker();
    const session = new Session(worker);
    session.apply(LOCKED);
    for (const atMs of [100_000, 100_001, 109_999, 110_000, 119_999, 120_000]) session.touch(atMs);
    expect(sent).toHaveLength(3);
    expect(sent[0]).toEqual(['active', {}]);
  });

  it('is nobody’s business while nobody is signed in', () => {
    const { worker, sent } = toldWorker();
    const session = new Session(worker);
    for (const phase of [SIGNED_OUT, CLOSED]) {
      session.apply(phase);
      session.touch(100_000);
    }
    expect(sent).toEqual([]);
  });
});
