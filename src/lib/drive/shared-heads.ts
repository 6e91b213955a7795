import { Head } from '$contract/accounts.ts';
import type { VaultId } from '$contract/ids.ts';
import * as v from 'valibot';
import { LOCKS } from '../concurrency/locks.ts';
import { HalfkeyError } from '../errors.ts';
import { SILENT_MS, type HeadNews } from '../remote/heads.ts';
import { backoffMs, pause } from '../remote/retry.ts';

/** The tab that listens says so often that it still does, so that the others need not listen themselves. */
const BEAT_MS = 15_000;

/**
 * What the tab that listens tells the others. Anyone who is of this origin could say it: it makes them look, and no
 * more.
 */
const Message = v.variant('kind', [
  v.object({ kind: v.literal('head'), head: Head }),
  v.object({ kind: v.literal('inbox') }),
  v.object({ kind: v.literal('lost') }),
  v.object({ kind: v.literal('beat') }),
]);
type Message = v.InferOutput<typeof Message>;

export interface SharedHeadsDeps {
  readonly vault: VaultId;
  readonly locks: Pick<LockManager, 'request'>;
  /** Listens to one stream until it ends, and then throws. */
  readonly listen: (onNews: (news: HeadNews) => void, signal: AbortSignal) => Promise<never>;
  /** Asks for the newest head once. @returns undefined when there is nothing newer than is known */
  readonly ask: () => Promise<Head | undefined>;
  readonly onNews: (news: HeadNews) => void;
  /** The broker does not answer. */
  readonly onLost: () => void;
}

/**
 * One stream of news for all tabs of a profile: a browser has six connections to a server, and each stream keeps one.
 * The tab that holds the lock listens, and tells the others. Where the stream is silent it is replaced, and the broker
 * is asked meanwhile: a proxy may hold streams back. A tab that says nothing for as long, frozen perhaps, loses the
 * lock to another.
 */
export class SharedHeads {
  readonly #deps: SharedHeadsDeps;
  readonly #channel: BroadcastChannel;
  #isStopped = false;
  /** Ends the place in the line for the lock, and what is done with it. */
  #turn = new AbortController();
  #isListening = false;
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor(deps: SharedHeadsDeps) {
    this.#deps = deps;
    this.#channel = new BroadcastChannel(LOCKS.heads(deps.vault));
    this.#channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      const message = v.safeParse(Message, data);
      if (message.success) this.#hear(message.output);
    });
    this.#follow();
  }

  stop(): void {
    this.#isStopped = true;
    this.#turn.abort();
    clearTimeout(this.#silence);
    this.#channel.close();
  }

  /** Asks now: anyone who comes back to a tab may have been away for long, and the stream with them. Never rejects. */
  async ask(): Promise<void> {
    try {
      const head = await this.#deps.ask();
      if (head) this.#say({ kind: 'head', head });
    } catch (error) {
      // A refusal, of the session say, is noticed by anyone who watches the broker.
      if (error instanceof HalfkeyError && error.family === 'unreachable') this.#say({ kind: 'lost' });
    }
  }

  #hear(message: Message): void {
    if (!this.#isListening) this.#expectBeat();
    this.#heed(message);
  }

  #heed(message: Message): void {
    if (message.kind === 'lost') this.#deps.onLost();
    else if (message.kind !== 'beat') this.#deps.onNews(message);
  }

  /** Tells all tabs, and this one. */
  #say(message: Message): void {
    if (this.#isStopped) return;
    this.#channel.postMessage(message);
    this.#heed(message);
  }

  #follow(): void {
    this.#expectBeat();
    void this.#takeTurn({});
  }

  #expectBeat(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      void this.#takeTurn({ steal: true });
    }, SILENT_MS);
  }

  /** Resolves when the lock was had and is not any more, or was not waited for. */
  async #takeTurn({ steal }: { readonly steal?: true }): Promise<void> {
    this.#turn.abort();
    const turn = new AbortController();
    this.#turn = turn;
    const options: LockOptions = steal ? { steal } : { signal: turn.signal };
    try {
      await this.#deps.locks.request(LOCKS.heads(this.#deps.vault), options, () => this.#listen(turn.signal));
    } catch (error) {
      if (this.#turn !== turn || this.#isStopped) return;
      // Another tab has heard nothing from this one for long, and has taken the lock away.
      const isTakenAway = error instanceof DOMException && error.name === 'AbortError';
      turn.abort();
      if (isTakenAway) this.#follow();
      else this.#expectBeat();
    }
  }

  /** Resolves when its turn is over. */
  async #listen(signal: AbortSignal): Promise<void> {
    clearTimeout(this.#silence);
    this.#isListening = true;
    const beat = setInterval(() => {
      this.#say({ kind: 'beat' });
    }, BEAT_MS);
    try {
      for (let failures = 1; ; failures += 1) {
        const onNews = (news: HeadNews) => {
          failures = 0;
          this.#say(news);
        };
        await this.#deps.listen(onNews, signal).catch(() => undefined);
        signal.throwIfAborted();
        await this.ask();
        await pause(backoffMs(Math.max(1, failures)), signal);
      }
    } catch {
      // Its turn is over.
    } finally {
      clearInterval(beat);
      this.#isListening = false;
    }
  }
}
