import { setTimeout as delay } from 'node:timers/promises';
import type * as v from 'valibot';
import type { StateStore, StoredState } from '../../ports/state.ts';
import { BrokerProblem } from '../problem.ts';
import { createQueue } from '../queue.ts';
import type { RecordCodec, Stored } from './record-codec.ts';

type Schema = v.GenericSchema;

/**
 * The broker's own JSON records, authenticated by a RecordCodec and changed by conditional writes only. Every method
 * throws BrokerProblem `store_unreachable` when the store gives no answer, and `record_corrupt` for a record that is
 * not ours, or older than one that this process has seen.
 */
export interface Records {
  /** `undefined` when there is no such record. */
  read<S extends Schema>(key: string, schema: S): Promise<Stored<v.InferOutput<S>> | undefined>;
  /**
   * What this process has read or written within the last two seconds, else as `read`. For what is decided by a
   * condition later on, or depends on what this very request was admitted with; never for whether a session is still
   * good.
   */
  recall<S extends Schema>(key: string, schema: S): Promise<Stored<v.InferOutput<S>> | undefined>;
  /** The same without asking the store: `undefined`, too, where nothing was read or written just now. */
  justSeen<S extends Schema>(key: string, schema: S): v.InferOutput<S> | undefined;
  /** Create-only: exactly one of any number of callers gets `created`. */
  create(key: string, content: unknown): Promise<'created' | 'exists'>;
  /**
   * Reads, changes, writes by condition, and begins again when another writer was first; what this process has just
   * read or written itself is tried first, without reading it again. `change` is called once per try, must have no
   * effect of its own, and yields the next content, or `undefined` to leave the record as it is; what it throws comes
   * through. Its argument is `undefined` where there is no record yet.
   * @returns the content now stored, as this call wrote or left it
   * @throws BrokerProblem `store_unreachable` when other writers were first at every try, or the ones before took too
   *   long
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
/** Newest counters are remembered for so many records, of keys that are never made anew: `a/` and `m/`. */
const MAX_REMEMBERED = 10_000;
const NEVER_ANEW = /^[am]\//;
/**
 * What was just read or written is kept for a moment: a request reads its account and then changes it, and a code is
 * followed by a release. Beyond that another broker is as likely to have written.
 */
const KEPT_MS = 2_000;
const MAX_KEPT = 1_000;

export function createRecords(store: StateStore, codec: RecordCodec): Records {
  const queue = createQueue();
  const newest = createNewest();
  const justSeen = createJustSeen();

  /** S3 reads what was written last: an older counter than was seen before the read began has been put back. */
  async function load<S extends Schema>(key: string, schema: S) {
    const atLeast = newest.of(key);
    const state = await store.read(key);
    if (!state) return undefined;
    const stored = codec.decode(key, schema, state.bytes);
    if (stored.counter < atLeast) throw new BrokerProblem('record_corrupt');
    newest.note(key, stored.counter);
    justSeen.note(key, stored.counter, state);
    return { stored, etag: state.etag };
  }

  /** @returns whether it was written, and by no other since the ETag was read */
  async function replace(key: string, etag: string, counter: number, content: unknown): Promise<boolean> {
    const bytes = codec.encode(key, counter, content);
    const outcome = await store.replace(key, bytes, etag, (now) => {
      justSeen.note(key, counter, { bytes, etag: now });
    });
    if (outcome === 'replaced') newest.note(key, counter);
    return outcome === 'replaced';
  }

  async function create(key: string, content: unknown): Promise<'created' | 'exists'> {
    const bytes = codec.encode(key, 0, content);
    return store.create(key, bytes, (etag) => {
      justSeen.note(key, 0, { bytes, etag });
    });
  }

  /** @returns undefined when nothing was written, because what was kept may be out of date; a refusal may be too */
  async function updateJustSeen<S extends Schema>(
    key: string,
    schema: S,
    change: (content: v.InferOutput<S> | undefined) => v.InferOutput<S> | undefined,
  ): Promise<v.InferOutput<S> | undefined> {
    const state = justSeen.take(key);
    if (!state) return undefined;
    const { content, counter } = codec.decode(key, schema, state.bytes);
    let next: v.InferOutput<S> | undefined;
    try {
      next = change(content);
    } catch {
      return undefined;
    }
    if (next === undefined) return undefined;
    return (await replace(key, state.etag, counter + 1, next)) ? next : undefined;
  }

  async function updateAlone<S extends Schema>(
    key: string,
    schema: S,
    change: (content: v.InferOutput<S> | undefined) => v.InferOutput<S> | undefined,
  ): Promise<v.InferOutput<S> | undefined> {
    const early = await updateJustSeen(key, schema, change);
    if (early !== undefined) return early;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      if (tries > 0) await delay(Math.random() * Math.min(MAX_WAIT_MS, 5 * 2 ** tries));
      const there = await load(key, schema);
      const next = change(there?.stored.content);
      if (next === undefined) return there?.stored.content;
      if (there) {
        if (await replace(key, there.etag, there.stored.counter + 1, next)) return next;
      } else if ((await create(key, next)) === 'created') {
        return next;
      }
    }
    throw new BrokerProblem('store_unreachable', { retryAfterSeconds: 1 });
  }

  return {
    async read(key, schema) {
      return (await load(key, schema))?.stored;
    },
    async recall(key, schema) {
      const state = justSeen.look(key);
      return state ? codec.decode(key, schema, state.bytes) : (await load(key, schema))?.stored;
    },
    justSeen(key, schema) {
      const state = justSeen.look(key);
      return state && codec.decode(key, schema, state.bytes).content;
    },
    create,
    update: (key, schema, change) => queue(key, () => updateAlone(key, schema, change)),
    erase(key) {
      justSeen.take(key);
      return store.erase(key);
    },
  };
}

/** The newest counter seen of each record; the one that was not looked at for longest is forgotten first. */
function createNewest() {
  const counters = new Map<string, number>();
  return {
    /** 0 where nothing was seen. */
    of: (key: string): number => counters.get(key) ?? 0,
    note(key: string, counter: number): void {
      if (!NEVER_ANEW.test(key)) return;
      const newest = Math.max(counter, counters.get(key) ?? 0);
      counters.delete(key);
      counters.set(key, newest);
      const oldest = counters.size > MAX_REMEMBERED ? counters.keys().next().value : undefined;
      if (oldest !== undefined) counters.delete(oldest);
    },
  };
}

/** What this process has just read or written; the condition of a write is taken once. */
function createJustSeen() {
  const kept = new Map<string, { counter: number; state: StoredState; atMs: number }>();
  const look = (key: string): StoredState | undefined => {
    const found = kept.get(key);
    return found && performance.now() - found.atMs <= KEPT_MS ? found.state : undefined;
  };
  return {
    /** A read that began before the last write may end after it. */
    note(key: string, counter: number, state: StoredState): void {
      if ((kept.get(key)?.counter ?? 0) > counter) return;
      kept.delete(key);
      kept.set(key, { counter, state, atMs: performance.now() });
      const oldest = kept.size > MAX_KEPT ? kept.keys().next().value : undefined;
      if (oldest !== undefined) kept.delete(oldest);
    },
    look,
    take(key: string): StoredState | undefined {
      const found = look(key);
      kept.delete(key);
      return found;
    },
  };
}
