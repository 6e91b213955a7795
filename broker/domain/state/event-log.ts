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
 * What the broker did for an account: `e/<account>/<seq>`, create-only, each event with the hash of the one before.
 * Whatever is logged is logged BEFORE it takes effect: a log that cannot be written stops the effect.
 */
export interface EventLog {
  /** @returns the new head. @throws BrokerProblem `store_unreachable` */
  append(account: AccountId, event: NewEvent): Promise<EventHead>;
  /**
   * As `append`, but for nothing when the log has an event of this kind about this grant at `from` (0-based) or later:
   * any number of callers, at any number of brokers, leave one.
   */
  appendOnce(account: AccountId, event: NewEvent & { grant: GrantId }, from: number): Promise<void>;
  /** `undefined` before the first event. */
  head(account: AccountId): Promise<EventHead | undefined>;
  /** What this broker knows of the head without asking. */
  known(account: AccountId): EventHead | undefined;
  /** A head that the account's own record names: it is searched from there. */
  learn(account: AccountId, head: EventHead | undefined): void;
  /** Up to EVENTS_PER_READ events from `from` (0-based) on. */
  read(account: AccountId, from: number): Promise<{ events: AccountEvent[]; head: EventHead | undefined }>;
}

export const EVENTS_PER_READ = 200;
/** Events of one page that are read at a time. */
const PARALLEL = 16;
const MAX_TRIES = 64;
/**
 * Places looked at at a time for the head, by doubling steps: few behind one that is known, for as a rule there is
 * little more.
 */
const STEPS = { known: 4, unknown: 17 } as const;
/** And then so many between the last that is there and the first that is not. */
const BETWEEN = 15;
/** Heads are remembered for so many accounts; another's is searched for in the bucket. */
const MAX_REMEMBERED = 10_000;

const StoredEvent = v.omit(AccountEvent, ['hash']);
type StoredEvent = v.InferOutput<typeof StoredEvent>;

/** Of what is told, not of how it is stored: clients compute it, too. */
function hashOf(account: AccountId, event: StoredEvent): string {
  return sha256B64url(lengthPrefixed(...eventFields(account, event)));
}

const NOTHING_BEFORE = Buffer.alloc(32).toString('base64url');

export function createEventLog(store: StateStore, codec: RecordCodec, clock: Clock): EventLog {
  /** Of those that are known to have none, undefined. */
  const remembered = new Map<AccountId, EventHead | undefined>();

  function remember<Known extends EventHead | undefined>(account: AccountId, head: Known): Known {
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

  /** Under way: anyone who asks meanwhile waits for the same. */
  const finding = new Map<AccountId, Promise<EventHead | undefined>>();

  function findHead(account: AccountId): Promise<EventHead | undefined> {
    const under = finding.get(account) ?? searchHead(account).finally(() => finding.delete(account));
    finding.set(account, under);
    return under;
  }

  /**
   * There are no gaps, so the last one is right before the first place that is empty: several are looked at at once.
   */
  async function searchHead(account: AccountId): Promise<EventHead | undefined> {
    let last: EventHead | undefined = remembered.get(account);
    let absent = Number.POSITIVE_INFINITY;
    while (absent - (last?.seq ?? -1) > 1) {
      const isKnown = remembered.has(account) && last === remembered.get(account);
      const steps = isKnown ? STEPS.known : STEPS.unknown;
      const places = placesBetween(last?.seq ?? -1, absent, steps);
      const events = await Promise.all(places.map((seq) => load(account, seq)));
      const firstAbsent = events.findIndex((event) => event === undefined);
      const there = events[(firstAbsent === -1 ? events.length : firstAbsent) - 1];
      if (there) last = { seq: there.seq, hash: there.hash };
      absent = places[firstAbsent] ?? absent;
    }
    return remember(account, last);
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
    let head = remembered.has(account) ? remembered.get(account) : await findHead(account);
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
    known: (account) => remembered.get(account),
    learn(account, head) {
      if (head && head.seq > (remembered.get(account)?.seq ?? -1)) remember(account, head);
    },
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

/** Ascending places behind `last` (-1: none), all before `absent`. */
function placesBetween(last: number, absent: number, steps: number): number[] {
  if (absent === Number.POSITIVE_INFINITY)
    return Array.from({ length: steps }, (_, step) => last + 2 ** step);
  const gap = absent - last;
  const count = Math.min(BETWEEN, gap - 1);
  return Array.from({ length: count }, (_, index) => last + Math.ceil(((index + 1) * gap) / (count + 1)));
}
