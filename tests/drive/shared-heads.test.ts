import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Head } from '$contract/accounts.ts';
import type { VaultId } from '$contract/ids.ts';
import { HalfkeyError } from '../../src/lib/errors.ts';
import { SharedHeads } from '../../src/lib/drive/shared-heads.ts';
import { SILENT_MS, type HeadNews } from '../../src/lib/remote/heads.ts';
import { TestLocks } from '../support/test-locks.ts';

const VAULT = 'eu-central-1:00000000-0000-4000-8000-000000000000' as VaultId;
const at = (seq: number): Head => ({ seq, hash: `${String(seq).padStart(42, 'A')}A` });

/** A stream that some tab listens to. */
interface Stream {
  readonly tab: number;
  readonly tell: (news: HeadNews) => void;
  readonly end: () => void;
}

let locks: TestLocks;
let streams: Stream[];
let tabs: { heads: SharedHeads; heard: string[]; drop: () => void }[];
/** What the broker says when it is asked. */
let answer: () => Promise<Head | undefined>;
let asked: number;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  [locks, streams, tabs, asked] = [new TestLocks(), [], [], 0];
  answer = () => Promise.resolve(undefined);
});
afterEach(() => {
  for (const { heads } of tabs) heads.stop();
  vi.useRealTimers();
});

function openTab(): (typeof tabs)[number] {
  const tab = tabs.length;
  const client = locks.client();
  const heard: string[] = [];
  const heads = new SharedHeads({
    vault: VAULT,
    locks: client.locks,
    listen: (tell, signal) =>
      new Promise<never>((_, reject) => {
        const stream: Stream = {
          ...{ tab, tell },
          end: () => {
            streams.splice(streams.indexOf(stream), 1);
            reject(new HalfkeyError('broker_unreachable', 'ended'));
          },
        };
        streams.push(stream);
        signal.addEventListener('abort', stream.end);
      }),
    ask: () => {
      asked += 1;
      return answer();
    },
    onNews: (news) => heard.push(news.kind === 'head' ? `head ${String(news.head.seq)}` : 'inbox'),
    onLost: () => heard.push('lost'),
  });
  const opened = { heads, heard, drop: client.drop };
  tabs.push(opened);
  return opened;
}

/** Messages between tabs take turns of their own. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
async function wait(ms: number): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += 5_000) {
    await vi.advanceTimersByTimeAsync(5_000);
    await settle();
  }
}

describe('six tabs', () => {
  beforeEach(async () => {
    for (let tab = 0; tab < 6; tab += 1) openTab();
    await settle();
  });

  it('listen by one stream, for as long as they are open, and all hear of what it tells, once', async () => {
    await wait(10 * SILENT_MS);
    expect(streams.map(({ tab }) => tab)).toEqual([0]);
    streams[0]?.tell({ kind: 'head', head: at(7) });
    streams[0]?.tell({ kind: 'inbox' });
    await settle();
    for (const { heard } of tabs) expect(heard).toEqual(['head 7', 'inbox']);
  });

  it('go on with another stream when the tab that listens is closed', async () => {
    tabs[0]?.heads.stop();
    tabs[0]?.drop();
    await settle();
    expect(streams.map(({ tab }) => tab)).toEqual([1]);
    streams[0]?.tell({ kind: 'head', head: at(8) });
    await settle();
    expect(tabs.map(({ heard }) => heard)).toEqual([[], ...Array.from({ length: 5 }, () => ['head 8'])]);
  });

  it('hear by whoever is asked what a stream held back', async () => {
    answer = () => Promise.resolve(at(9));
    streams[0]?.end();
    await settle();
    expect(asked).toBe(1);
    for (const { heard } of tabs) expect(heard).toEqual(['head 9']);
    await wait(5_000);
    expect(streams.map(({ tab }) => tab)).toEqual([0]);
  });

  it('are told that nobody answers, and ask less and less often while that lasts', async () => {
    answer = () => Promise.reject(new HalfkeyError('broker_unreachable', 'no answer'));
    streams[0]?.end();
    await settle();
    for (const { heard } of tabs) expect(heard).toEqual(['lost']);
    await wait(1_000);
    streams[0]?.end();
    await settle();
    expect(asked).toBe(2);
  });

  it('say nothing of a refusal, which is not silence', async () => {
    answer = () => Promise.reject(new HalfkeyError('session_missing', 'signed out'));
    streams[0]?.end();
    await settle();
    for (const { heard } of tabs) expect(heard).toEqual([]);
  });
});

it('a tab that holds the lock and says nothing for 45 s loses it, and stands in line again when it is back', async () => {
  // Frozen: it has the lock, and none of its timers run.
  const frozen = locks.client();
  let wake: () => void = () => undefined;
  void frozen.locks
    .request('halfkey-heads-' + VAULT, () => new Promise<void>((resolve) => (wake = resolve)))
    .catch(() => undefined);
  openTab();
  await settle();
  await wait(SILENT_MS - 5_000);
  expect(streams).toEqual([]);
  await wait(5_000);
  expect(streams.map(({ tab }) => tab)).toEqual([0]);
  wake();
});

it('a tab whose lock was taken away stops listening, and takes its turn again', async () => {
  openTab();
  await settle();
  const thief = locks.client();
  let giveBack: () => void = () => undefined;
  void thief.locks.request(
    'halfkey-heads-' + VAULT,
    { steal: true },
    () => new Promise<void>((resolve) => (giveBack = resolve)),
  );
  await settle();
  expect(streams).toEqual([]);
  giveBack();
  await settle();
  expect(streams.map(({ tab }) => tab)).toEqual([0]);
});

it('who comes back to a tab asks for themselves', async () => {
  const { heads, heard } = openTab();
  answer = () => Promise.resolve(at(3));
  await heads.ask();
  expect(heard).toEqual(['head 3']);
});

it('what is no message of theirs is not heeded', async () => {
  const { heard } = openTab();
  const channel = new BroadcastChannel('halfkey-heads-' + VAULT);
  for (const said of ['head', { kind: 'head', head: { seq: 'x' } }, { kind: 'lock' }, null])
    channel.postMessage(said);
  await settle();
  channel.close();
  expect(heard).toEqual([]);
});
