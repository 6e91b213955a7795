import { createHash } from 'node:crypto';
import { logRead } from '$contract/vault-log.ts';
import { beforeAll, expect } from 'vitest';
import { fromB64Url, utf8 } from '../../../src/lib/bytes.ts';
import { headPhrase } from '../../../src/lib/journal/entries/head-phrase.ts';
import type { Journal } from '../../../src/lib/journal/journal.ts';
import { staleSinceMs } from '../../../src/lib/drive/freshness.ts';
import { MemoryCache } from '../../journal/memory-remote.ts';
import { enrolDevice, fileAdd, idOf, newWorld, NOW_MS, openJournal } from '../../journal/world.ts';
import { Client } from '../support/client.ts';
import { changing } from '../support/node-browser.ts';
import { row, type Trial } from '../support/row.ts';
import { flipped } from '../support/subject.ts';
import { setUpHostileWorld } from '../support/world.ts';

// Group C: a bucket of yesterday, and two histories. The first rows bring back everything that the cloud had, broker's
// records included.

const world = setUpHostileWorld();
let ada: Client;

beforeAll(async () => {
  ada = await Client.signUp(world, 'ada');
  await ada.upload('one.txt', utf8('one'));
});

async function expectReadOnly(t: Trial, journal: Journal, code: string): Promise<void> {
  const appends = ada.browser.sent.length;
  await t.refuses(
    journal.append(() => [fileAdd(1)]),
    code,
  );
  expect(ada.browser.sent.slice(appends).filter(({ method }) => method === 'POST')).toEqual([]);
  expect(journal.problem?.code).toBe(code);
}

row(
  'C3',
  {
    attack: 'rollback, known device',
    tried: 'the whole bucket of one to three edits ago; a device that runs, and one that starts again',
  },
  async (t) => {
    const honest = ada.journal.head.seq;
    const rewinds: (() => Promise<void>)[] = [];
    for (let number = 0; number < 3; number++) {
      rewinds.push(await world.photograph());
      await ada.upload(`edit ${String(number)}.txt`, utf8('x'));
    }
    await ada.journal.flush();
    const today = await world.photograph();
    for (const rewind of rewinds) {
      await rewind();
      await t.refuses(ada.journal.refresh(), 'rollback');
      await expectReadOnly(t, ada.journal, 'rollback');
      const restarted = await ada.openJournal();
      expect(restarted.head.seq).toBe(honest + 3);
      await t.refuses(restarted.refresh(), 'rollback');
      await expectReadOnly(t, restarted, 'rollback');
    }
    await today();
    await ada.journal.refresh();
    expect(ada.journal.problem).toBeUndefined();
  },
);

row(
  'C4',
  {
    attack: 'rollback, fresh device',
    tried: 'the bucket of yesterday; witnesses: the broker’s head at sign-in, the kit’s, another device’s',
  },
  async (t) => {
    // The log alone is of yesterday; the broker still tells the head of today.
    const yesterday = await world.photograph();
    await ada.upload('today.txt', utf8('x'));
    const kit = ada.journal.head;
    const newest = `/log/${String(kit.seq)}`;
    let withheld = 0;
    world.store.hook = ({ method, path }) => {
      if (method !== 'GET' || !path.endsWith(newest)) return undefined;
      withheld += 1;
      const body = Buffer.from('<Error><Code>NoSuchKey</Code></Error>');
      return { kind: 'answer', reply: { status: 404, headers: {}, body } };
    };
    await t.refuses(Client.signIn(ada), 'record_corrupt');
    expect(withheld).toBeGreaterThan(0);
    world.store.behave();
    // The broker shows the log of yesterday, and told the head of today at sign-in.
    const before = await ada.broker.call(logRead, { from: '0' }, { vault: ada.vault });
    const forgetful = world.newBrowser();
    forgetful.hook = changing(/\/log$/, (answer, request) => {
      const from = Number(new URL(request.url).searchParams.get('from'));
      const segments = before.segments.slice(0, -1);
      const last = fromB64Url(segments.at(-1)!);
      const hash = createHash('sha256').update(last).digest('base64url');
      return { ...answer, head: { seq: segments.length - 1, hash }, segments: segments.slice(from) };
    });
    await t.refuses(Client.signIn(ada, forgetful), 'rollback');
    // Everything is of yesterday. Nothing that a new device is told is newer: only a witness from outside can know.
    await yesterday();
    const fresh = await Client.signIn(ada);
    expect(fresh.journal.problem).toBeUndefined();
    await t.refuses(fresh.journal.compareHead(kit), 'rollback', 'fork');
    await t.refuses(
      fresh.journal.append(() => [fileAdd(1)]),
      'rollback',
      'fork',
    );
  },
);

row(
  'C5',
  {
    attack: 'fork',
    tried: 'two devices on histories that part at each of five places, then hear of each other once',
  },
  async (t) => {
    for (let parting = 1; parting <= 5; parting++) {
      const shared = await newWorld();
      const phone = await enrolDevice(shared, 2);
      const caches = [new MemoryCache(), new MemoryCache()] as const;
      const first = await openJournal(shared, shared.first, { cache: caches[0] });
      for (let number = 0; number < parting; number++) await first.append(() => [fileAdd(number)]);
      const remote = shared.remote.fork();
      const second = await openJournal({ ...shared, remote }, phone, { cache: caches[1] });
      await first.append(() => [fileAdd(100)]);
      await second.append(() => [fileAdd(200)]);
      await first.heartbeat();
      await second.heartbeat();
      const [ours, theirs] = [first.head, second.head];
      // By word of mouth: signed heads that a third party carries.
      await t.refuses(first.compareHead(theirs), 'fork');
      await t.refuses(second.compareHead(ours), 'fork');
      for (const journal of [first, second])
        await t.refuses(
          journal.append(() => [fileAdd(300)]),
          'fork',
        );
      // By the log: the server joins the views again, and shows one the other's next segment.
      const watcher = await openJournal({ ...shared, remote: remote.fork() }, phone);
      const joined = remote.fork();
      joined.log.push(shared.remote.log.at(-1)!);
      const rejoined = await openJournal({ ...shared, remote: joined }, phone);
      expect(['fork', 'journal_gap']).toContain(rejoined.problem?.code);
      expect(watcher.problem).toBeUndefined();
      t.vary(1);
      t.refused(rejoined.problem!.code);
    }
  },
);

row(
  'C6',
  {
    attack: 'fork, broker and store together',
    tried: 'the phrases that people compare, of all histories above and of each bit of the first 100',
  },
  async (t) => {
    const hash = new Uint8Array(32).map((_, index) => 7 * index);
    const seen = new Set([headPhrase({ seq: 412, hash })]);
    for (let bit = 0; bit < 96; bit++) seen.add(headPhrase({ seq: 412, hash: flipped(hash, bit) }));
    for (let bit = 100; bit < 104; bit++) seen.add(headPhrase({ seq: 412, hash: flipped(hash, bit) }));
    for (let seq = 0; seq < 412; seq++) seen.add(headPhrase({ seq, hash }));
    expect(seen.size).toBe(1 + 96 + 4 + 412);
    t.vary(seen.size);
    const { remote } = await newWorld();
    expect(remote.log).toHaveLength(1);
    t.held('histories that differ have phrases that differ, and devices with one history the same');
    const shared = await newWorld();
    const [one, other] = [await openJournal(shared), await openJournal(shared)];
    expect(headPhrase(one.head)).toBe(headPhrase(other.head));
    await one.append(() => [fileAdd(1)]);
    expect(headPhrase(one.head)).not.toBe(headPhrase(other.head));
  },
);

row(
  'C7',
  {
    attack: 'freeze: new segments are withheld for ever',
    tried:
      'no foreign segment and no heartbeat for 29, 31 and 60 days, while the broker calls its head current',
  },
  async (t) => {
    const shared = await newWorld();
    const phone = await enrolDevice(shared, 2);
    let nowMs = NOW_MS;
    const journal = await openJournal(shared, shared.first, { nowMs: () => nowMs });
    const other = await openJournal(shared, phone, { nowMs: () => nowMs });
    await other.heartbeat();
    await journal.refresh();
    const frozen = shared.remote.fork();
    await other.append(() => [fileAdd(1)]);
    shared.remote.log.splice(0, shared.remote.log.length, ...frozen.log);
    for (const [days, since] of [
      [29, undefined],
      [31, NOW_MS],
      [60, NOW_MS],
    ] as const) {
      nowMs = NOW_MS + days * 86_400_000;
      await journal.refresh();
      t.vary(1);
      expect(journal.state.entry(idOf('file', 1))).toBeUndefined();
      expect(staleSinceMs(journal.state, shared.first.id, nowMs)).toBe(since);
    }
    t.held('the notice that the others have not been heard of for a month');
  },
);
