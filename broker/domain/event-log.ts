import * as v from 'valibot';
import { AccountEvent, type EventHead } from '../contract/account.ts';
import type { AccountId, BlobId, DeviceId, VaultId } from '../contract/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { StateStore } from '../ports/state.ts';
import { BrokerProblem } from './problem.ts';
import { type RecordCodec, sha256B64url } from './record-codec.ts';
import { stateKeys } from './state-keys.ts';

/** What happened; its place in the chain is given by `append`. */
interface NewEvent {
  readonly kind: AccountEvent['kind'];
  readonly device?: DeviceId | undefined;
  readonly vault?: VaultId | undefined;
  readonly blobs?: readonly BlobId[] | undefined;
}

/**
 * What the broker did for an account: `e/<account>/<seq>`, create-only, each event with the hash of the stored bytes of the
 * one before. Whatever is logged is logged BEFORE it takes effect: a log that cannot be written stops the effect.
 */
export interface EventLog {
  /** @returns the new head. @throws BrokerProblem `store_unreachable` */
  append(account: AccountId, event: NewEvent): Promise<EventHead>;
  /** `undefined` before the first event. */
  head(account: AccountId): Promise<EventHead | undefined>;
  /** Up to EVENTS_PER_READ events from `from` (0-based) on. */
  read(account: AccountId, from: number): Promise<{ events: AccountEvent[]; head: EventHead | undefined }>;
}

export const EVENTS_PER_READ = 200;
const MAX_TRIES = 64;
/** Heads are remembered for so many accounts; another's is searched for in the bucket. */
const MAX_REMEMBERED = 10_000;

const StoredEvent = v.omit(AccountEvent, ['hash']);
type StoredEvent = v.InferOutput<typeof StoredEvent>;

const NOTHING_BEFORE = Buffer.alloc(32).toString('base64url');

export function createEventLog(store: StateStore, codec: RecordCodec, clock: Clock): EventLog {
  const remembered = new Map<AccountId, EventHead>();

  function remember(account: AccountId, head: EventHead): EventHead {
    remembered.delete(account);
    remembered.set(account, head);
    const oldest = remembered.size > MAX_REMEMBERED ? remembered.keys().next().value : undefined;
    if (oldest !== undefined) remembered.delete(oldest);
    return head;
  }

  async function load(account: AccountId, seq: number): Promise<AccountEvent | undefined> {
    const key = stateKeys.event(account, seq);
    const state = await store.read(key);
    if (!state) return undefined;
    const { content } = codec.decode(key, StoredEvent, state.bytes);
    if (content.seq !== seq) throw new BrokerProblem('record_corrupt');
    return { ...content, hash: sha256B64url(state.bytes) };
  }

  /** There are no gaps, so the last one is found by doubling steps and then halving them. */
  async function findHead(account: AccountId): Promise<EventHead | undefined> {
    let last: EventHead | undefined = remembered.get(account);
    let absent = Number.POSITIVE_INFINITY;
    for (let step = 1; ;) {
      const seq = (last?.seq ?? -1) + step;
      const event = seq < absent ? await load(account, seq) : undefined;
      if (event) {
        last = { seq, hash: event.hash };
        step = absent === Number.POSITIVE_INFINITY ? step * 2 : step;
        continue;
      }
      absent = Math.min(absent, seq);
      if (step === 1) break;
      step = Math.max(1, Math.floor(step / 2));
    }
    return last && remember(account, last);
  }

  return {
    head: findHead,
    async append(account, event) {
      let head = remembered.get(account) ?? (await findHead(account));
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const content: StoredEvent = {
          seq: head ? head.seq + 1 : 0,
          atMs: clock(),
          kind: event.kind,
          prevHash: head ? head.hash : NOTHING_BEFORE,
          ...(event.device && { device: event.device }),
          ...(event.vault && { vault: event.vault }),
          ...(event.blobs && { blobs: [...event.blobs] }),
        };
        const key = stateKeys.event(account, content.seq);
        const bytes = codec.encode(key, 0, content);
        if ((await store.create(key, bytes)) === 'created') {
          return remember(account, { seq: content.seq, hash: sha256B64url(bytes) });
        }
        head = await findHead(account);
      }
      throw new BrokerProblem('store_unreachable', { retryAfterSeconds: 1 });
    },
    async read(account, from) {
      const head = await findHead(account);
      const events: AccountEvent[] = [];
      const end = Math.min(head ? head.seq + 1 : 0, from + EVENTS_PER_READ);
      for (let seq = from; seq < end; seq += 1) {
        const event = await load(account, seq);
        if (!event) throw new BrokerProblem('record_corrupt');
        events.push(event);
      }
      return { events, head };
    },
  };
}
