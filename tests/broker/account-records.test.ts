import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { eventFields, eventsRead } from '$contract/accounts.ts';
import { LIMITS } from '$contract/limits.ts';
import { createEventLog, EVENTS_PER_READ } from '../../broker/domain/state/event-log.ts';
import { createGrants } from '../../broker/domain/auth/grants.ts';
import { lengthPrefixed } from '../../broker/domain/state/length-prefixed.ts';
import { createRecordCodec, sha256B64url } from '../../broker/domain/state/record-codec.ts';
import { createRecords } from '../../broker/domain/state/records.ts';
import { loadSetup } from '../../broker/domain/state/setup.ts';
import { stateKeys } from '../../broker/domain/state/state-keys.ts';
import type { StateStore } from '../../broker/ports/state.ts';
import { startTestBroker, startTestCloud, TestClock, type TestCloud } from '../support/broker.ts';
import { newAccountId, newGrantId, newSession } from '../support/vault-side.ts';

let cloud: TestCloud;
let state: StateStore;
const macKey = randomBytes(32);
const codec = createRecordCodec(macKey);
const Counted = v.strictObject({ n: v.number() });
const newKey = (): string => `a/${randomBytes(16).toString('base64url')}`;

beforeAll(async () => {
  cloud = await startTestCloud();
  ({ state } = cloud.connect());
});
afterEach(() => {
  vi.useRealTimers();
});
afterAll(() => cloud.end());

describe('length-prefixed fields', () => {
  it('of two lists are the same only when the lists are', () => {
    expect(Buffer.from(lengthPrefixed('a', 'bc')).toString('hex')).toBe('0000000161000000026263');
    expect(lengthPrefixed('ab', 'c')).not.toEqual(lengthPrefixed('a', 'bc'));
    expect(lengthPrefixed('', 'a')).not.toEqual(lengthPrefixed('a', ''));
    expect(lengthPrefixed('ż')).toEqual(lengthPrefixed(Buffer.from('ż')));
  });
});

describe('a record', () => {
  it('comes back as it was written, with one more on its counter at each write', async () => {
    const records = createRecords(state, codec);
    const key = newKey();
    expect(await records.read(key, Counted)).toBeUndefined();
    expect(await records.create(key, { n: 1 })).toBe('created');
    expect(await records.create(key, { n: 1 })).toBe('exists');
    expect(await records.update(key, Counted, (now) => ({ n: now!.n + 1 }))).toEqual({ n: 2 });
    expect(await records.read(key, Counted)).toEqual({ content: { n: 2 }, counter: 1 });
  });

  it('that was just read or written is recalled without asking, and read where it was not', async () => {
    const asked: string[] = [];
    const counting: StateStore = {
      ...state,
      read(key) {
        asked.push(key);
        return state.read(key);
      },
    };
    const key = newKey();
    await createRecords(state, codec).create(key, { n: 1 });
    const records = createRecords(counting, codec);
    expect((await records.recall(key, Counted))?.content).toEqual({ n: 1 });
    expect((await records.recall(key, Counted))?.content).toEqual({ n: 1 });
    await records.update(key, Counted, (now) => ({ n: now!.n + 1 }));
    expect((await records.recall(key, Counted))?.content).toEqual({ n: 2 });
    expect(asked).toEqual([key]);
    expect((await records.read(key, Counted))?.content).toEqual({ n: 2 });
    expect(asked).toEqual([key, key]);
  });

  it('that was written while a read was under way is recalled as it was written', async () => {
    let isFound = false;
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const slow: StateStore = {
      ...state,
      async read(key) {
        const before = await state.read(key);
        isFound = true;
        await answered;
        return before;
      },
    };
    const records = createRecords(slow, codec);
    const key = newKey();
    await records.create(key, { n: 1 });
    const reading = records.read(key, Counted);
    await vi.waitUntil(() => isFound);
    await records.update(key, Counted, () => ({ n: 2 }));
    answer();
    expect((await reading)?.content).toEqual({ n: 1 });
    expect((await records.recall(key, Counted))?.content).toEqual({ n: 2 });
  });

  it('with any byte changed is record_corrupt', () => {
    const key = newKey();
    const bytes = codec.encode(key, 0, { n: 1 });
    expect(codec.decode(key, Counted, bytes).content).toEqual({ n: 1 });
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Uint8Array.from(bytes);
      changed[at]! ^= 1;
      expect(() => codec.decode(key, Counted, changed), `byte ${String(at)}`).toThrow('record_corrupt');
    }
    for (const length of [0, 1, 43, 44, bytes.length - 1]) {
      expect(() => codec.decode(key, Counted, bytes.subarray(0, length))).toThrow('record_corrupt');
    }
    expect(() => codec.decode(key, Counted, Buffer.concat([bytes, Buffer.from(' ')]))).toThrow(
      'record_corrupt',
    );
  });

  it("moved to another key, or under another setup's MAC key, is record_corrupt", async () => {
    const records = createRecords(state, codec);
    const [mine, others] = [newKey(), newKey()];
    await records.create(mine, { n: 1 });
    const { bytes } = (await state.read(mine))!;
    await state.create(others, bytes);
    await expect(records.read(others, Counted)).rejects.toMatchObject({ code: 'record_corrupt' });
    const foreign = createRecords(state, createRecordCodec(randomBytes(32)));
    await expect(foreign.read(mine, Counted)).rejects.toMatchObject({ code: 'record_corrupt' });
    await expect(foreign.update(mine, Counted, () => ({ n: 9 }))).rejects.toMatchObject({
      code: 'record_corrupt',
    });
    expect(await records.read(mine, Counted)).toMatchObject({ content: { n: 1 } });
  });

  it('of another form than expected is record_corrupt', async () => {
    const records = createRecords(state, codec);
    const key = newKey();
    await records.create(key, { m: 'x' });
    await expect(records.read(key, Counted)).rejects.toMatchObject({ code: 'record_corrupt' });
  });

  it('written twice with the same content has other bytes each time', () => {
    expect(codec.encode('a/x', 0, {})).not.toEqual(codec.encode('a/x', 0, {}));
  });

  it('loses no increment of forty writers in three processes’ worth of queues', async () => {
    const key = newKey();
    const writers = [1, 2, 3].map(() => createRecords(cloud.connect().state, codec));
    const increment = (place: number) =>
      writers[place % 3]!.update(key, Counted, (now) => ({ n: (now?.n ?? 0) + 1 }));
    const outcomes = await Promise.allSettled(Array.from({ length: 40 }, (_, place) => increment(place)));
    const done = outcomes.filter(({ status }) => status === 'fulfilled').length;
    const stored = (await writers[0]!.read(key, Counted))?.content.n;
    expect(stored).toBe(done);
    expect(done).toBeGreaterThan(0);
  });

  /** Notes what is asked of the store. */
  function noting() {
    const asked: string[] = [];
    const noted: StateStore = {
      ...state,
      read: (...args) => (asked.push('read'), state.read(...args)),
      create: (...args) => (asked.push('create'), state.create(...args)),
      replace: (...args) => (asked.push('replace'), state.replace(...args)),
    };
    return { asked, records: createRecords(noted, codec) };
  }
  const add = (now: { n: number } | undefined) => ({ n: (now?.n ?? 0) + 1 });

  it('is not read again to be changed, when it was read or written within two seconds', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { asked, records } = noting();
    const key = newKey();
    await records.create(key, { n: 0 });
    await records.update(key, Counted, add);
    expect(await records.update(key, Counted, add)).toEqual({ n: 2 });
    await records.read(key, Counted);
    await records.update(key, Counted, add);
    expect(asked).toEqual(['create', 'replace', 'replace', 'read', 'replace']);
    vi.advanceTimersByTime(2_001);
    asked.length = 0;
    await records.update(key, Counted, add);
    expect(asked).toEqual(['read', 'replace']);
    expect(await createRecords(state, codec).read(key, Counted)).toEqual({ content: { n: 4 }, counter: 4 });
  });

  it('that another has changed since is read anew, and so is one of which the change says no', async () => {
    const { asked, records } = noting();
    const other = createRecords(state, codec);
    const key = newKey();
    await records.create(key, { n: 0 });
    await other.update(key, Counted, add);
    expect(await records.update(key, Counted, add)).toEqual({ n: 2 });

    await other.update(key, Counted, () => ({ n: 100 }));
    const upTo = (limit: number) =>
      records.update(key, Counted, (now) => {
        if (now!.n < limit) throw new Error(`only ${String(now!.n)}`);
        return { n: now!.n - limit };
      });
    expect(await upTo(50)).toEqual({ n: 50 });
    await other.update(key, Counted, () => ({ n: 7 }));
    await expect(upTo(50)).rejects.toThrow('only 7');
    expect(await records.update(key, Counted, (now) => (now!.n === 7 ? undefined : now))).toEqual({ n: 7 });

    await records.erase(key);
    asked.length = 0;
    expect(await records.update(key, Counted, add)).toEqual({ n: 1 });
    expect(asked).toEqual(['read', 'create']);
  });

  it('that was put back while this process knows a newer one is not built on', async () => {
    const { records } = noting();
    const key = newKey();
    await records.create(key, { n: 0 });
    const old = await state.read(key);
    await records.update(key, Counted, add);
    const now = await state.read(key);
    expect(await state.replace(key, old!.bytes, now!.etag)).toBe('replaced');
    await expect(records.update(key, Counted, add)).rejects.toMatchObject({ code: 'record_corrupt' });
    expect((await state.read(key))?.bytes).toEqual(old!.bytes);
  });

  it('is erased with every version, or all but the newest', async () => {
    const records = createRecords(state, codec);
    const key = newKey();
    await records.create(key, { n: 0 });
    await records.update(key, Counted, () => ({ n: 1 }));
    await state.eraseHistory(key);
    expect((await records.read(key, Counted))?.content).toEqual({ n: 1 });
    await records.erase(key);
    expect(await records.read(key, Counted)).toBeUndefined();
  });
});

describe('a grant', () => {
  const clock = new TestClock();
  const grants = () =>
    createGrants(createRecords(state, codec), clock.read, { grantSeconds: 300, grantReleases: 10 });

  it('is spent to the last release by exactly as many as it has, at any number of brokers', async () => {
    const session = newSession();
    const [one, other] = [
      grants(),
      createGrants(createRecords(cloud.connect().state, codec), clock.read, {
        grantSeconds: 300,
        grantReleases: 10,
      }),
    ];
    const { id, releases } = await one.issue(session, { kind: 'release', releases: 1000 });
    expect(releases).toBe(10);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 30 }, (_, place) => (place % 2 ? one : other).spend(session, id, 'release', 1)),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    await expect(one.spend(session, id, 'release', 1)).rejects.toMatchObject({ code: 'grant_spent' });
  });

  it('gives all of a batch or nothing', async () => {
    const session = newSession();
    const { id } = await grants().issue(session, { kind: 'release' });
    await expect(grants().spend(session, id, 'release', 11)).rejects.toMatchObject({ code: 'grant_spent' });
    await grants().spend(session, id, 'release', 10);
  });

  it('counts the halves that are made apart from those that are released', async () => {
    const session = newSession();
    const { id } = await grants().issue(session, { kind: 'release', releases: 1 });
    await grants().spend(session, id, 'generate', LIMITS.grantGenerations - 1);
    await expect(grants().spend(session, id, 'generate', 2)).rejects.toMatchObject({ code: 'grant_spent' });
    await grants().spend(session, id, 'generate', 1);
    await grants().spend(session, id, 'release', 1);
    const deleting = await grants().issue(session, { kind: 'purge' });
    await expect(grants().spend(session, deleting.id, 'generate', 1)).rejects.toMatchObject({
      code: 'grant_missing',
    });
  });

  it('has one place for the notice that it was spent, until that is there', async () => {
    const session = newSession();
    const { id } = await grants().issue(session, { kind: 'release' });
    expect(await grants().refusedFrom(session, id, 3)).toBe(3);
    expect(await grants().refusedFrom(session, id, 7)).toBe(3);
    await grants().noteRefusal(session, id);
    expect(await grants().refusedFrom(session, id, 9)).toBeUndefined();
    await expect(grants().refusedFrom(newSession(), id, 0)).rejects.toMatchObject({ code: 'grant_missing' });
    await grants().spend(session, id, 'release', 10);
  });

  it('is nothing to another session, for another kind, once ended, or over', async () => {
    const session = newSession();
    const missing = { code: 'grant_missing' };
    const { id, expiresAtMs } = await grants().issue(session, { kind: 'release' });
    await expect(grants().spend({ ...session, sessionId: 'other' }, id, 'release', 1)).rejects.toMatchObject(
      missing,
    );
    await expect(grants().spend(newSession(), id, 'release', 1)).rejects.toMatchObject(missing);
    await expect(grants().spend(session, id, 'purge', 1)).rejects.toMatchObject(missing);
    await expect(grants().spend(session, newGrantId(), 'release', 1)).rejects.toMatchObject(missing);
    // Another session's Lock does not reach it either.
    await grants().end({ ...session, sessionId: 'other' }, id);
    clock.nowMs = expiresAtMs - 1;
    await grants().spend(session, id, 'release', 1);
    clock.nowMs = expiresAtMs;
    await expect(grants().spend(session, id, 'release', 1)).rejects.toMatchObject(missing);
    const next = await grants().issue(session, { kind: 'release' });
    await grants().end(session, next.id);
    await expect(grants().spend(session, next.id, 'release', 1)).rejects.toMatchObject(missing);
    const purge = await grants().issue(session, { kind: 'purge' });
    await expect(grants().spend(session, purge.id, 'release', 1)).rejects.toMatchObject(missing);
  });
});

describe('the event log', () => {
  const clock = new TestClock();
  const newLog = () => createEventLog(cloud.connect().state, codec, clock.read);

  it('is one chain, whoever appends', async () => {
    const account = newAccountId();
    const [one, other] = [newLog(), newLog()];
    expect(await one.head(account)).toBeUndefined();
    await Promise.all(
      Array.from({ length: 12 }, (_, place) =>
        (place % 2 ? one : other).append(account, { kind: 'granted' }),
      ),
    );
    const { events, head } = await newLog().read(account, 0);
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 12 }, (_, seq) => seq));
    expect(events[0]!.prevHash).toBe('A'.repeat(43));
    expect(events.slice(1).map(({ prevHash }) => prevHash)).toEqual(
      events.slice(0, -1).map(({ hash }) => hash),
    );
    expect(head).toEqual({ seq: 11, hash: events[11]!.hash });
    expect((await newLog().read(account, 10)).events.map(({ seq }) => seq)).toEqual([10, 11]);
    expect((await newLog().read(account, 99)).events).toEqual([]);
  });

  it('takes what is wanted once from any number of brokers once, whatever else is appended', async () => {
    const account = newAccountId();
    const [grant, other] = [newGrantId(), newGrantId()];
    const logs = [newLog(), newLog(), newLog()];
    await logs[0]!.append(account, { kind: 'granted' });
    await Promise.all(
      Array.from({ length: 12 }, (_, place) => [
        logs[place % 3]!.appendOnce(account, { kind: 'release-refused', grant }, 1),
        logs[place % 3]!.append(account, { kind: 'released' }),
      ]).flat(),
    );
    await newLog().appendOnce(account, { kind: 'release-refused', grant }, 0);
    await newLog().appendOnce(account, { kind: 'release-refused', grant: other }, 0);
    const { events } = await newLog().read(account, 0);
    const told = events.filter(({ kind }) => kind === 'release-refused').map((event) => event.grant);
    expect(told).toEqual([grant, other]);
    expect(events).toHaveLength(1 + 12 + 2);
  });

  it('is read and gone on with where a newer broker has logged what this one does not know', async () => {
    const account = newAccountId();
    const { hash } = await newLog().append(account, { kind: 'granted' });
    const key = stateKeys.event(account, 1);
    const newer = { seq: 1, atMs: 5, kind: 'something-newer', prevHash: hash, moreOfIt: true };
    await state.create(key, codec.encode(key, 0, newer));
    await newLog().append(account, { kind: 'released' });
    const { events } = await newLog().read(account, 0);
    const answer = v.parse(eventsRead.answer, JSON.parse(JSON.stringify({ events })));
    expect(answer.events.map(({ kind }) => kind)).toEqual(['granted', 'something-newer', 'released']);
  });

  it.each([1, 2, 3, 4, 5, 7, 8, 9, 16, 17])(
    'of %i events is found to its end by a broker that knows nothing',
    async (length) => {
      const account = newAccountId();
      const log = newLog();
      let last;
      for (let seq = 0; seq < length; seq += 1) last = await log.append(account, { kind: 'granted' });
      expect(await newLog().head(account)).toEqual(last);
      await log.append(account, { kind: 'granted' });
      expect((await log.head(account))?.seq).toBe(length);
    },
  );

  it('of thousands of events is found in few rounds of reads, and from a head that the account names in one', async () => {
    const account = newAccountId();
    const count = 5000;
    const stored = new Map<string, Uint8Array>();
    let prevHash = 'A'.repeat(43);
    for (let seq = 0; seq < count; seq += 1) {
      const event = { seq, atMs: 1, kind: 'granted', prevHash };
      const key = stateKeys.event(account, seq);
      stored.set(key, codec.encode(key, 0, event));
      prevHash = sha256B64url(lengthPrefixed(...eventFields(account, event)));
    }
    let rounds = 0;
    let isInRound = false;
    const counting = {
      async read(key: string) {
        if (!isInRound) rounds += 1;
        isInRound = true;
        await new Promise(setImmediate);
        isInRound = false;
        const bytes = stored.get(key);
        return bytes && { bytes, etag: '"x"' };
      },
    } as unknown as StateStore;
    const last = { seq: count - 1, hash: prevHash };
    expect(await createEventLog(counting, codec, clock.read).head(account)).toEqual(last);
    expect(rounds).toBeLessThanOrEqual(4);
    rounds = 0;
    const told = createEventLog(counting, codec, clock.read);
    told.learn(account, last);
    expect(await told.head(account)).toEqual(last);
    expect(rounds).toBe(1);
  });

  it('stops at an event that was changed or taken away', async () => {
    const account = newAccountId();
    for (let seq = 0; seq < 5; seq += 1) await newLog().append(account, { kind: 'granted' });
    await state.erase(stateKeys.event(account, 2));
    await state.create(stateKeys.event(account, 2), (await state.read(stateKeys.event(account, 1)))!.bytes);
    await expect(newLog().read(account, 0)).rejects.toMatchObject({ code: 'record_corrupt' });
    expect(EVENTS_PER_READ).toBeGreaterThan(5);
  });
});

describe('the setup', () => {
  it('is made once by the first of several brokers, and the same for all', async () => {
    const own = await startTestCloud();
    const ports = Array.from({ length: 4 }, () => own.connect());
    const all = await Promise.all(ports.map((port) => loadSetup(port.state, port.kms)));
    for (const { setup } of all) expect(setup).toEqual(all[0]!.setup);
    const { bytes } = (await ports[0]!.state.read(stateKeys.setup))!;
    const stored = Buffer.from(bytes).toString('latin1');
    expect(stored).not.toContain(all[0]!.setup.opaqueServerSetup);
    await own.end();
  });

  it('of another version says what to do, and nothing is written beside it', async () => {
    const own = await startTestCloud();
    const { state: store, kms } = own.connect();
    const before = Buffer.from(JSON.stringify({ version: 1, macKey: 'A'.repeat(43) }));
    await store.create(stateKeys.setup, await kms.encrypt(before, { app: 'halfkey', purpose: 'setup' }));
    let isProbed = false;
    const conformance = () => {
      isProbed = true;
      return Promise.resolve();
    };
    await expect(startTestBroker(own, new TestClock(), { ports: { conformance } })).rejects.toThrow(
      /^setup_mismatch: .* is of another version of Halfkey: begin with an empty data folder/,
    );
    // Probing a store writes into it.
    expect(isProbed).toBe(false);
    await own.end();
  });

  it('is not made, and not called wrong, while KMS is away', async () => {
    const own = await startTestCloud();
    const { state: store, kms: working } = own.connect();
    await loadSetup(store, working);
    const gone = await startTestCloud();
    const { kms } = gone.connect();
    await gone.stop();
    await expect(loadSetup(store, kms)).rejects.toMatchObject({ code: 'kms_unreachable' });
    await own.end();
    await gone.end();
  });
});
