import { beforeEach, describe, expect, it } from 'vitest';
import { PassphraseLock } from '../../src/lib/session/passphrase-lock.ts';

let asks: () => Promise<boolean>;
let mayClose: boolean;
let closed: number;
let lock: PassphraseLock;

beforeEach(() => {
  [asks, mayClose, closed] = [() => Promise.resolve(true), true, 0];
  lock = new PassphraseLock({
    asks: () => asks(),
    mayClose: () => mayClose,
    close: () => {
      closed += 1;
    },
  });
});

describe('a session that was locked', () => {
  it('is closed at once where the passphrase is asked for and nothing is lost by it', async () => {
    await lock.begin();
    expect(closed).toBe(1);
    lock.again();
    expect(closed).toBe(1);
  });

  it('is closed as soon as a file that was being taken in is safe', async () => {
    mayClose = false;
    await lock.begin();
    lock.again();
    expect(closed).toBe(0);
    mayClose = true;
    lock.again();
    expect(closed).toBe(1);
  });

  it('is not closed where no passphrase is asked for, nor where nobody can say any more', async () => {
    for (const answer of [() => Promise.resolve(false), () => Promise.reject(new Error('wiped'))]) {
      asks = answer;
      await lock.begin();
      lock.again();
    }
    expect(closed).toBe(0);
  });

  it('is not closed when a code was typed meanwhile', async () => {
    mayClose = false;
    await lock.begin();
    lock.cancel();
    mayClose = true;
    lock.again();
    expect(closed).toBe(0);
  });

  it('is not closed when a code was typed before the device had said whether it asks', async () => {
    let answer: (asks: boolean) => void = () => undefined;
    asks = () => new Promise((resolve) => (answer = resolve));
    const locking = lock.begin();
    lock.cancel();
    answer(true);
    await locking;
    expect(closed).toBe(0);
  });
});

it('closes nothing that was not locked', () => {
  lock.again();
  expect(closed).toBe(0);
});
