import { LOCKS } from '../concurrency/locks.ts';

/** What the tabs of one profile tell each other. No key and no grant among it: each tab's worker holds its own. */
export type TabMessage =
  /** Somebody pressed *Lock now*, or nobody was there for long. */
  | 'lock'
  /** Somebody is there. */
  | 'active'
  /** The device was signed out of, and is being wiped. */
  | 'signed-out'
  /** What was changed here and is not in the journal yet is other than before. */
  | 'changes';

const NEWS: ReadonlySet<unknown> = new Set<TabMessage>(['lock', 'active', 'signed-out', 'changes']);
const CHANNEL = 'halfkey-tabs';

/** The other tabs of this profile, as their workers hear of each other. A tab does not hear itself. */
export class Tabs {
  readonly #channel = new BroadcastChannel(CHANNEL);
  /** Resolves when the others can know of this tab. */
  readonly joined: Promise<void>;

  constructor(onNews: (news: TabMessage) => void) {
    this.#channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (NEWS.has(data)) onNews(data as TabMessage);
    });
    this.joined = new Promise((resolve) => {
      void navigator.locks.request(LOCKS.tab, { mode: 'shared' }, () => {
        resolve();
        return new Promise(() => undefined);
      });
    });
  }

  /** Whether there are no others. One that `joined` later reads what is stored on the device later, too. */
  async isAlone(): Promise<boolean> {
    const { held = [] } = await navigator.locks.query();
    return held.filter(({ name }) => name === LOCKS.tab).length === 1;
  }

  tell(news: TabMessage): void {
    this.#channel.postMessage(news);
  }
}
