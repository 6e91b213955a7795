import { setTimeout as delay } from 'node:timers/promises';
import type * as v from 'valibot';
import type { StateStore } from '../ports/state.ts';
import { BrokerProblem } from './problem.ts';
import type { RecordCodec, Stored } from './record-codec.ts';

type Schema = v.GenericSchema;

/**
 * The broker's own JSON records, authenticated by a RecordCodec and changed by conditional writes only. Every method throws
 * BrokerProblem `store_unreachable` when the store gives no answer, and `record_corrupt` for a record that is not ours.
 */
export interface Records {
  /** `undefined` when there is no such record. */
  read<S extends Schema>(key: string, schema: S): Promise<Stored<v.InferOutput<S>> | undefined>;
  /** Create-only: exactly one of any number of callers gets `created`. */
  create(key: string, content: unknown): Promise<'created' | 'exists'>;
  /**
   * Reads, changes, writes by condition, and begins again when another writer was first. `change` is called once per try,
   * must have no effect of its own, and yields the next content, or `undefined` to leave the record as it is; what it throws
   * comes through. Its argument is `undefined` where there is no record yet.
   * @returns the content now stored, as this call wrote or left it
   * @throws BrokerProblem `store_unreachable` when other writers were first at every try, or the ones before took too long
   */
  update<S extends Schema>(
    key: string,
    schema: S,
    change: (content: v.InferOutput<S> | undefined) => v.InferOutput<S> | undefined,
  ): Promise<v.InferOutput<S> | undefined>;
  /** Removes the record with all its versions. */
  erase(key: string): Promise<void>;
}

/** Writers of one process wait for each other, so only those of other processes are met at a conditional write. */
const MAX_TRIES = 16;
const MAX_WAIT_MS = 200;
/** Who waited longer for the writers before it is not waited for any more: what it asks must not happen later, unseen. */
const MAX_QUEUED_MS = 20_000;

export function createRecords(store: StateStore, codec: RecordCodec): Records {
  const queue = createQueue();

  async function updateAlone<S extends Schema>(
    key: string,
    schema: S,
    change: (content: v.InferOutput<S> | undefined) => v.InferOutput<S> | undefined,
  ): Promise<v.InferOutput<S> | undefined> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      if (tries > 0) await delay(Math.random() * Math.min(MAX_WAIT_MS, 5 * 2 ** tries));
      const state = await store.read(key);
      const stored = state && codec.decode(key, schema, state.bytes);
      const next = change(stored?.content);
      if (next === undefined) return stored?.content;
      if (state && stored) {
        const bytes = codec.encode(key, stored.counter + 1, next);
        if ((await store.replace(key, bytes, state.etag)) === 'replaced') return next;
      } else if ((await store.create(key, codec.encode(key, 0, next))) === 'created') {
        return next;
      }
    }
    throw new BrokerProblem('store_unreachable', { retryAfterSeconds: 1 });
  }

  return {
    async read(key, schema) {
      const state = await store.read(key);
      return state && codec.decode(key, schema, state.bytes);
    },
    create: (key, content) => store.create(key, codec.encode(key, 0, content)),
    update: (key, schema, change) => queue(key, () => updateAlone(key, schema, change)),
    erase: (key) => store.erase(key),
  };
}

/** Runs what concerns one key one after another, in the order of the calls. */
function createQueue() {
  const tails = new Map<string, Promise<unknown>>();
  return async <Result>(key: string, run: () => Promise<Result>): Promise<Result> => {
    const before = tails.get(key) ?? Promise.resolve();
    const begunAt = performance.now();
    const result = before.then(() => {
      if (performance.now() - begunAt <= MAX_QUEUED_MS) return run();
      throw new BrokerProblem('store_unreachable', { retryAfterSeconds: 1 });
    });
    const tail = result.catch(() => undefined);
    tails.set(key, tail);
    void tail.then(() => {
      if (tails.get(key) === tail) tails.delete(key);
    });
    return result;
  };
}
