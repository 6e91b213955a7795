/** In the line for a lock; the first holds it. */
interface Place {
  readonly client: symbol;
  grant: () => void;
  takeAway: () => void;
}

/** Web Locks in one process: each client is a tab, whose locks go when it does. */
export class TestLocks {
  readonly #queues = new Map<string, Place[]>();

  /** Another tab. */
  client(): { locks: Pick<LockManager, 'request'>; drop: () => void } {
    const client = Symbol('tab');
    const request = async (name: string, ...rest: unknown[]): Promise<unknown> => {
      const callback = rest.at(-1) as (lock: Lock | null) => unknown;
      const options = (rest.length > 1 ? rest[0] : {}) as LockOptions;
      options.signal?.throwIfAborted();
      const queue = this.#queues.get(name) ?? [];
      this.#queues.set(name, queue);
      if (options.ifAvailable && queue.length > 0) return callback(null);
      const place: Place = { client, grant: () => undefined, takeAway: () => undefined };
      const isTakenAway = new Promise<never>((_, reject) => {
        place.takeAway = () => {
          reject(new DOMException('the lock was stolen', 'AbortError'));
        };
      });
      isTakenAway.catch(() => undefined); // Anyone who holds it hears of it, if anybody does.
      if (options.steal) {
        queue.shift()?.takeAway();
        queue.unshift(place);
      } else {
        await new Promise<void>((resolve, reject) => {
          place.grant = resolve;
          queue.push(place);
          if (queue[0] === place) resolve();
          options.signal?.addEventListener('abort', () => {
            const index = queue.indexOf(place);
            if (index < 1) return; // It is had, or was.
            queue.splice(index, 1);
            reject(options.signal?.reason as Error);
          });
        });
      }
      try {
        return await Promise.race([callback({ name, mode: 'exclusive' }), isTakenAway]);
      } finally {
        if (queue[0] === place) {
          queue.shift();
          grantFirst(queue);
        }
      }
    };
    const drop = () => {
      for (const queue of this.#queues.values()) {
        const isHolder = queue[0]?.client === client;
        const others = queue.filter((place) => place.client !== client);
        queue.splice(0, queue.length, ...others);
        if (isHolder) grantFirst(queue);
      }
    };
    return { locks: { request: request }, drop };
  }
}

function grantFirst([first]: readonly Place[]): void {
  first?.grant();
}
