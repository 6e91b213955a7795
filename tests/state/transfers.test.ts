import './runes.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Announcer } from '../../src/lib/state/announcer.svelte.ts';
import type { CryptoWorker } from '../../src/lib/platform/crypto-worker.ts';
import { Transfers } from '../../src/lib/state/transfers.svelte.ts';
import type { TransferReport } from '../../src/lib/protocol/transfer.ts';

const said: string[] = [];
const announcer = { say: (text: string) => void said.push(text) } as unknown as Announcer;
const sent: [string, unknown][] = [];
const worker = {
  send: (name: string, args: unknown) => Promise.resolve(void sent.push([name, args])),
} as unknown as CryptoWorker;
let phases: string[];
let transfers: Transfers;

beforeEach(() => {
  vi.useFakeTimers();
  [said.length, sent.length] = [0, 0];
  phases = [];
  transfers = new Transfers(worker, announcer, ({ transfer, phase }) => phases.push(`${transfer} ${phase}`));
});
afterEach(() => {
  vi.useRealTimers();
});

function report(transfer: string, about: Partial<TransferReport> = {}): TransferReport {
  return {
    ...{ transfer, direction: 'up', name: `${transfer}.txt`, phase: 'uploading', doneBytes: 0 },
    ...{ totalBytes: 10, sizeBytes: 10, canRetry: false, isSafe: false },
    ...about,
  };
}
const shown = () => transfers.shown.map(({ transfer }) => transfer);

describe('what signing out would lose', () => {
  it.each<[string, Partial<TransferReport>, number]>([
    ['an upload under way', {}, 1],
    ['one that rests sealed on this device', { phase: 'waiting-for-network', isSafe: true }, 1],
    ['one that waits for a code, not safe on the server', { phase: 'waiting-for-code' }, 1],
    ['one that waits for a code in the inbox', { phase: 'waiting-for-code', isSafe: true }, 0],
    [
      'one that waits for a code on this device',
      { phase: 'waiting-for-code', isSafe: true, restsHere: true },
      1,
    ],
    ['one that failed and may be tried again', { phase: 'failed', canRetry: true }, 1],
    ['one that failed for good', { phase: 'failed' }, 0],
    ['one that is done', { phase: 'done' }, 0],
    ['one that was cancelled', { phase: 'cancelled' }, 0],
    ['a download', { direction: 'down' }, 0],
  ])('counts %s', (_name, about, count) => {
    transfers.apply(report('a', about));
    expect(transfers.unsent).toEqual({ count, sizeBytes: count * 10 });
  });
});

describe('what is to come into the drive', () => {
  it.each<[string, Partial<TransferReport>, number, boolean]>([
    ['an upload under way', {}, 1, true],
    ['one that waits for its turn', { phase: 'waiting' }, 1, true],
    ['one that waits for a network', { phase: 'waiting-for-network', isSafe: true }, 1, false],
    ['one that waits for a code in the inbox', { phase: 'waiting-for-code', isSafe: true }, 1, false],
    ['one whose file has to be picked again', { phase: 'waiting-for-file' }, 1, false],
    ['one that is done', { phase: 'done' }, 0, false],
    ['one that failed', { phase: 'failed', canRetry: true }, 0, false],
    ['a download', { direction: 'down', phase: 'downloading' }, 0, false],
  ])('is %s, or not', (_name, about, count, isMoving) => {
    transfers.apply(report('a', about));
    expect(transfers.arriving).toEqual({ count, isMoving });
  });
});

describe('the rows', () => {
  it('begin with what somebody has to see to, and keep their order else', () => {
    transfers.apply(report('a'));
    transfers.apply(report('b', { phase: 'waiting-for-file' }));
    transfers.apply(report('c'));
    transfers.apply(report('d', { phase: 'failed' }));
    expect(shown()).toEqual(['b', 'd', 'a', 'c']);
  });

  it('are a hundred at most, and what is over gives way', () => {
    for (let number = 0; number < 150; number++) {
      transfers.apply(report(String(number), { phase: number < 120 ? 'done' : 'uploading' }));
    }
    expect(shown()).toEqual(Array.from({ length: 30 }, (_, index) => String(120 + index)));
    for (let number = 120; number < 150; number++) transfers.apply(report(String(number), { phase: 'done' }));
    expect(shown()).toHaveLength(100);
  });

  it('change at once with a phase, and with figures twice a second', () => {
    transfers.apply(report('a'));
    transfers.apply(report('a', { doneBytes: 5 }));
    expect(transfers.shown[0]?.doneBytes).toBe(0);
    vi.advanceTimersByTime(500);
    expect(transfers.shown[0]?.doneBytes).toBe(5);
    transfers.apply(report('a', { phase: 'verifying', doneBytes: 10 }));
    expect(transfers.shown[0]).toMatchObject({ phase: 'verifying', doneBytes: 10 });
    expect(phases).toEqual(['a uploading', 'a verifying']);
  });

  it('of ten thousand are gathered twice a second, whatever happens to each', () => {
    for (let number = 0; number < 10_000; number++) transfers.apply(report(String(number)));
    expect(transfers.pace.all).toBe(500);
    vi.advanceTimersByTime(500);
    expect(transfers.pace).toMatchObject({ all: 10_000, done: 0 });
    for (let number = 0; number < 10_000; number++)
      transfers.apply(report(String(number), { phase: 'done' }));
    expect(transfers.pace.done).toBe(0);
    vi.advanceTimersByTime(500);
    expect([transfers.pace.done, phases.length]).toEqual([10_000, 20_000]);
  });

  it('lose what is forgotten', () => {
    transfers.apply(report('a'));
    transfers.forget('a');
    expect(shown()).toEqual([]);
  });
});

describe('whoever goes along with a transfer', () => {
  const follower = () => {
    const heard: string[] = [];
    return {
      heard,
      keepAwake: () => void heard.push('report'),
      end: () => void heard.push('end'),
    };
  };

  it('hears of each report, and of the end once', () => {
    const along = follower();
    transfers.apply(report('a'));
    transfers.follow('a', along);
    transfers.apply(report('a', { doneBytes: 5 }));
    transfers.apply(report('a', { phase: 'done' }));
    transfers.apply(report('a', { phase: 'done' }));
    expect(along.heard).toEqual(['report', 'report', 'end']);
  });

  it('hears of the end at once where it is over already, and where it is forgotten or all is cleared', () => {
    transfers.apply(report('over', { phase: 'failed' }));
    for (const transfer of ['forgotten', 'cleared']) transfers.apply(report(transfer));
    const all = ['over', 'forgotten', 'cleared'].map((transfer) => {
      const along = follower();
      transfers.follow(transfer, along);
      return along;
    });
    transfers.forget('forgotten');
    transfers.clear();
    expect(all.map(({ heard }) => heard)).toEqual([['end'], ['end'], ['end']]);
  });
});

it('says aloud what has ended, good or bad, and nothing of what was cancelled', () => {
  transfers.apply(report('a', { phase: 'done' }));
  transfers.apply(report('b', { phase: 'done', direction: 'down' }));
  transfers.apply(report('c', { phase: 'failed' }));
  transfers.apply(report('d', { phase: 'cancelled' }));
  transfers.apply(report('e', { phase: 'done', direction: 'down', isHandedOver: true }));
  expect(said).toEqual([
    '“a.txt” was uploaded.',
    '“b.txt” was downloaded.',
    '“c.txt” was not uploaded.',
    '“e.txt” was sent to your browser’s downloads.',
  ]);
});

it('dismisses what ended well or was cancelled, and leaves what failed to be seen', async () => {
  for (const phase of ['done', 'cancelled', 'failed', 'uploading'] as const)
    transfers.apply(report(phase, { phase }));
  await transfers.dismissDone();
  expect(sent).toEqual([
    ['transfer/dismiss', { transfer: 'done' }],
    ['transfer/dismiss', { transfer: 'cancelled' }],
  ]);
});
