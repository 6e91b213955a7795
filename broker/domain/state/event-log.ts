import * as v from 'valibot';
import { AccountEvent, type AccountEventKind, eventFields, type EventHead } from '../../contract/accounts.ts';
import type { AccountId, BlobId, DeviceId, GrantId, VaultId } from '../../contract/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { StateStore } from '../../ports/state.ts';
import { BrokerProblem } from '../problem.ts';
import { lengthPrefixed } from './length-prefixed.ts';
import { type RecordCodec, sha256B64url } from './record-codec.ts';
import { mapBounded } from '../bounded.ts';
import { stateKeys } from './state-keys.ts';

/** What happened; its place in the chain is given by `append`. */
interface NewEvent {
  readonly kind: AccountEventKind;
  readonly device?: DeviceId | undefined;
  readonly vault?: VaultId | undefined;
  readonly blobs?: readonly BlobId[] | undefined;
  readonly grant?: GrantId | undefined;
}

/**
 * What the broker did for an account: `e/<account>/<seq>`, create-only, each event with the hash of the one before. Whatever is logged is logged BEFORE it takes effect: a log that cannot be written stops the effect.
 */
export interface EventLog {
  /** @returns the new head. @throws BrokerProblem `store_unreachable` */
  append(account: AccountId, event: NewEvent): Promise<EventHead>;
  /**
   * As `append`, but for nothing when the log has an event of this kind about this grant at `from` (0-based) or later: any number
   * of callers, at any number of brokers, leave one.
   */
  appendOnce(account: AccountId, event: NewEvent & { grant: GrantId }, from: number): Promise<void>;
  /** `undefined` before the first event. */
  head(account: AccountId): Promise<EventHead | undefined>;
  /** Up to EVENTS_PER_READ events from `from` (0-based) on. */
  read(account: AccountId, from: number): Promise<{ events: AccountEvent[]; head: EventHead | undefined }>;
}

export const EVENTS_PER_READ = 200;
/** Events of one page that are read at a time. */
const PARALLEL = 16;
const MAX_TRIES = 64;
/** Heads are remembered for so many accounts; another's is searched for in the bucket. */
const MAX_REMEMBERED = 10_000;

const StoredEvent = v.omit(AccountEvent, ['hash']);
type StoredEvent = v.InferOutput<typeof StoredEvent>;

/** Of what is told, and not of how it rests: clients compute it, too. */
function hashOf(account: AccountId, event: StoredEvent): string {
  return sha256B64url(lengthPrefixed(...eventFields(account, event)));
}

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
    return { ...content, hash: hashOf(account, content) };
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

  /** @returns the new head, or undefined when another writer was first */
  async function tryAppend(
    account: AccountId,
    event: NewEvent,
    head: EventHead | undefined,
  ): Promise<EventHead | undefined> {
    const content: StoredEvent = {
      seq: head ? head.seq + 1 : 0,
      atMs: clock(),
      kind: event.kind,
      prevHash: head ? head.hash : NOTHING_BEFORE,
      ...(event.device && { device: event.device }),
      ...(event.vault && { vault: event.vault }),
      ...(event.blobs && { blobs: [...event.blobs] }),
      ...(event.grant && { grant: event.grant }),
    };
    const key = stateKeys.event(account, content.seq);
    const bytes = codec.encode(key, 0, content);
    if ((await store.create(key, bytes)) !== 'created') return undefined;
    return remember(account, { seq: content.seq, hash: hashOf(account, content) });
  }

  /** @param isThere looks at all up to the head before each try; when it says yes nothing is appended */
  async function appendUnless(
    account: AccountId,
    event: NewEvent,
    isThere: (head: EventHead | undefined) => Promise<boolean>,
  ): Promise<EventHead | undefined> {
    let head = remembered.get(account) ?? (await findHead(account));
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      if (await isThere(head)) return undefined;
      const appended = await tryAppend(account, event, head);
      if (appended) return appended;
      head = await findHead(account);
    }
    throw new BrokerProblem('store_unreachable', { retryAfterSeconds: 1 });
  }

  return {
    head: findHead,
    async append(account, event) {
      const head = await appendUnless(account, event, () => Promise.resolve(false));
      if (!head) throw new TypeError('expected an event to be appended');
      return head;
    },
    async appendOnce(account, event, from) {
      let next = from;
      await appendUnless(account, event, async (head) => {
        for (; next <= (head?.seq ?? -1); next += 1) {
          const there = await load(account, next);
          if (!there) throw new BrokerProblem('record_corrupt');
          if (there.kind === event.kind && there.grant === event.grant) return true;
        }
        return false;
      });
    },
    async read(account, from) {
      const head = await findHead(account);
      const end = Math.min(head ? head.seq + 1 : 0, from + EVENTS_PER_READ);
      const seqs = Array.from({ length: Math.max(0, end - from) }, (_, index) => from + index);
      const events = await mapBounded(seqs, PARALLEL, async (seq) => {
        const event = await load(account, seq);
        if (!event) throw new BrokerProblem('record_corrupt');
        return event;
      });
      return { events, head };
    },
  };
}
