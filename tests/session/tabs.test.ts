import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Tabs, type TabMessage } from '../../src/lib/session/tabs.ts';

/** What the tabs of these tests say to each other, at once; a tab does not hear itself. */
class Channel extends EventTarget {
  static readonly open = new Map<string, Set<Channel>>();
  readonly #all: Set<Channel>;

  constructor(name: string) {
    super();
    this.#all = Channel.open.get(name) ?? new Set();
    Channel.open.set(name, this.#all.add(this));
  }

  postMessage(data: unknown): void {
    for (const other of this.#all)
      if (other !== this) other.dispatchEvent(new MessageEvent('message', { data }));
  }
}

let held: { name: string }[];
let heard: TabMessage[];

beforeEach(() => {
  [held, heard] = [[], []];
  Channel.open.clear();
  vi.stubGlobal('BroadcastChannel', Channel);
  const request = (name: string, { mode }: LockOptions, work: (lock: Lock) => unknown) => {
    expect(mode).toBe('shared');
    held.push({ name });
    return work({ name, mode: 'shared' });
  };
  vi.stubGlobal('navigator', { locks: { request, query: () => Promise.resolve({ held }) } });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const open = () => new Tabs((news) => heard.push(news));

describe('the tabs of a profile', () => {
  it.each<TabMessage>(['lock', 'active', 'signed-out', 'changes'])('tell each other of %s', (news) => {
    const [here] = [open(), open()];
    here.tell(news);
    expect(heard).toEqual([news]);
  });

  it.each([['unlock'], [{ kind: 'lock' }], [undefined], [null]])(
    'pay no heed to what is no news of theirs: %j',
    (message) => {
      open();
      new Channel('halfkey-tabs').postMessage(message);
      expect(heard).toEqual([]);
    },
  );

  it('know whether they are alone, and pass over the locks of others', async () => {
    const here = open();
    await here.joined;
    held.push({ name: 'halfkey-queue' });
    expect(await here.isAlone()).toBe(true);
    await open().joined;
    expect(await here.isAlone()).toBe(false);
  });
});
