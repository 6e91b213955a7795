/** Web Locks in one process: each client is a tab, whose locks go when it does. */
export class TestLocks {
  readonly #queues = new Map<string, { readonly client: symbol; readonly grant: () => void }[]>();

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
      await new Promise<void>((resolve, reject) => {
        const place = { client, grant: resolve };
        queue.push(place);
        if (queue[0] === place) resolve();
        options.signal?.addEventListener('abort', () => {
          if (queue[0] === place) return;
          queue.splice(queue.indexOf(place), 1);
          reject(options.signal?.reason as Error);
        });
      });
      try {
        return await callback({ name, mode: 'exclusive' });
      } finally {
        if (queue[0]?.client === client) {
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

function grantFirst([first]: readonly { readonly grant: () => void }[]): void {
  first?.grant();
}
