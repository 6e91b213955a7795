import { beforeEach, describe, expect, it } from 'vitest';
import { LOCKS } from '../../../src/lib/concurrency/locks.ts';
import { type Job, UploadQueue } from '../../../src/lib/transfer/upload/upload-queue.ts';
import { TestLocks } from '../../support/test-locks.ts';

let locks: TestLocks;
let queue: UploadQueue;
let begun: string[];
let gates: Map<string, { leave: () => void; end: () => void }>;

beforeEach(() => {
  [locks, begun] = [new TestLocks(), []];
  gates = new Map();
  queue = new UploadQueue(locks.client().locks);
});

/** A job that leaves the line, and ends, when it is told to. */
function offer(blob: string, size: Job['size'] = 'small', to = queue): Promise<void> {
  let [leave, end] = [() => undefined as void, () => undefined as void];
  const left = new Promise<void>((resolve) => (leave = resolve));
  const rest = new Promise<void>((resolve) => (end = resolve));
  gates.set(blob, { leave, end });
  return to.offer({
    blob,
    size,
    run: async () => {
      begun.push(blob);
      await left;
      return { rest };
    },
  });
}
const leave = (blob: string) => gates.get(blob)?.leave();
const finish = (blob: string) => {
  leave(blob);
  gates.get(blob)?.end();
};
/** Until nothing more happens by itself. */
async function still(): Promise<void> {
  for (let turn = 0; turn < 60; turn++) await Promise.resolve();
}
async function isOver(sent: Promise<void>): Promise<boolean> {
  let over = false;
  void sent.then(() => (over = true));
  await still();
  return over;
}

describe('what is offered', () => {
  it('is sent in the order in which it came, four small ones at a time', async () => {
    for (const blob of ['a', 'b', 'c', 'd', 'e', 'f']) void offer(blob);
    await still();
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    finish('b');
    await still();
    expect(begun).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('is sent by two hundred where it is tiny, beside the others', async () => {
    const tiny = Array.from({ length: 201 }, (_, index) => `tiny ${String(index)}`);
    for (const blob of tiny) void offer(blob, 'tiny');
    void offer('a');
    await still();
    expect(begun).toEqual([...tiny.slice(0, 200), 'a']);
    finish('tiny 7');
    await still();
    expect(begun.at(-1)).toBe('tiny 200');
  });

  it('is sent one large file at a time, beside small ones', async () => {
    for (const blob of ['a', 'b']) void offer(blob, 'large');
    void offer('c');
    await still();
    expect(begun).toEqual(['a', 'c']);
    finish('a');
    await still();
    expect(begun).toEqual(['a', 'c', 'b']);
  });

  it('leaves the line to the next one before all is done for it', async () => {
    const first = offer('a', 'large');
    void offer('b', 'large');
    await still();
    leave('a');
    await still();
    expect(begun).toEqual(['a', 'b']);
    expect(await isOver(first)).toBe(false);
    finish('a');
    expect(await isOver(first)).toBe(true);
  });

  it('twice is sent once, and both hear of its end', async () => {
    const [one, two] = [
      offer('a'),
      queue.offer({ blob: 'a', size: 'small', run: () => Promise.reject(new Error('twice')) }),
    ];
    await still();
    finish('a');
    await Promise.all([one, two]);
    expect(begun).toEqual(['a']);
  });

  it('again after it was sent is sent again', async () => {
    const first = offer('a');
    await still();
    finish('a');
    await first;
    void offer('a');
    await still();
    expect(begun).toEqual(['a', 'a']);
  });
});

describe('what is taken back', () => {
  it('before its turn is not sent, and is over', async () => {
    const other = new TestLocks();
    const held = other.client().locks.request(LOCKS.queue, () => new Promise(() => undefined));
    void held;
    const waiting = new UploadQueue(other.client().locks);
    const sent = offer('a', 'small', waiting);
    waiting.withdraw('a');
    expect(await isOver(sent)).toBe(true);
    expect(begun).toEqual([]);
  });

  it('once it is under way goes on', async () => {
    const sent = offer('a');
    await still();
    queue.withdraw('a');
    expect(await isOver(sent)).toBe(false);
    finish('a');
    expect(await isOver(sent)).toBe(true);
  });
});

describe('one tab sends for all', () => {
  it('and another waits until that one has nothing left, or is gone', async () => {
    const second = locks.client();
    const other = new UploadQueue(second.locks);
    void offer('a');
    await still();
    void offer('b', 'small', other);
    await still();
    expect(begun).toEqual(['a']);
    finish('a');
    await queue.idle();
    await still();
    expect(begun).toEqual(['a', 'b']);
    second.drop();
    void offer('c');
    await still();
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('and lets go of the others when nobody is signed in any more, but not of what is under way', async () => {
    const sent = offer('a');
    await still();
    queue.clear();
    expect(await isOver(sent)).toBe(false);
    finish('a');
    await queue.idle();
    const next = offer('b');
    await still();
    finish('b');
    expect(await isOver(next)).toBe(true);
  });

  it('and waits no more for its turn when nobody is signed in any more; what is offered then has another', async () => {
    const first = locks.client();
    void first.locks.request(LOCKS.queue, () => new Promise(() => undefined));
    const sent = offer('a');
    await still();
    queue.clear();
    expect(await isOver(sent)).toBe(true);
    void offer('b');
    first.drop();
    await still();
    expect(begun).toEqual(['b']);
  });
});
