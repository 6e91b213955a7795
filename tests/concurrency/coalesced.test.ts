import { describe, expect, test } from 'vitest';
import { coalesced } from '../../src/lib/concurrency/coalesced.ts';

/** Work whose runs end when they are told to. */
function recorded() {
  const ends: ((isFine: boolean) => void)[] = [];
  let runs = 0;
  const now = coalesced(() => {
    runs += 1;
    return new Promise((resolve) => ends.push(resolve));
  });
  return { now, runs: () => runs, end: (isFine = true) => ends.shift()?.(isFine) };
}

const turn = () => new Promise((resolve) => setTimeout(resolve));

describe('coalesced work', () => {
  test('never runs twice at once, and once more for all that asked meanwhile', async () => {
    const { now, runs, end } = recorded();
    const asked = [now(), now(), now()];
    expect(runs()).toBe(1);
    end();
    await turn();
    expect(runs()).toBe(2);
    end();
    await Promise.all(asked);
    expect(runs()).toBe(2);
  });

  test('does not run at once again after a failure, but does when it is asked for later', async () => {
    const { now, runs, end } = recorded();
    const asked = [now(), now()];
    end(false);
    await Promise.all(asked);
    expect(runs()).toBe(1);
    const later = now();
    expect(runs()).toBe(2);
    end();
    await later;
  });

  test('forgets nobody who asks at the moment at which it ends', async () => {
    const { now, runs, end } = recorded();
    // In each turn of the queue of microtasks around the end of a run.
    for (let turns = 0; turns < 8; turns++) {
      const before = runs();
      const first = now();
      end();
      for (let each = 0; each < turns; each++) await Promise.resolve();
      const second = now();
      await turn();
      if (runs() === before + 1) expect.fail(`forgotten after ${String(turns)} turns`);
      end();
      await Promise.all([first, second]);
    }
  });
});
