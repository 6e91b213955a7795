import { beforeAll, expect } from 'vitest';
import { equalBytes } from '../../../src/lib/bytes.ts';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import { retry } from '../../../src/lib/remote/retry.ts';
import { patternBytes } from '../../crypto/floe-vectors.ts';
import { Client } from '../support/client.ts';
import type { BrokerHook } from '../support/node-browser.ts';
import { row } from '../support/row.ts';
import { setUpHostileWorld } from '../support/world.ts';

// Group D on the real broker and the real local cloud: what is lost on the way, damaged on the way, or left half done.

const CONTENT = patternBytes(3_000);
const world = setUpHostileWorld();
let ada: Client;
let count = 0;

beforeAll(async () => {
  ada = await Client.signUp(world, 'ada');
  await ada.upload('first.bin', CONTENT);
});

const unreachable = (): never => {
  throw new TypeError('fetch failed');
};

/** A device of the same person that has nothing but what the network gives it. */
async function names(): Promise<string[]> {
  ada.cache.record = undefined;
  const { state } = await ada.openJournal();
  return state.entries.names.toSorted();
}

/** Every entry of the journal opens: what is listed can be read. */
async function expectAllReadable(): Promise<void> {
  const { entries } = ada.journal.state;
  for (const [index, file] of entries.ids.entries()) {
    const { bytes, error } = await ada.download(file);
    expect(error, entries.names[index]).toBeUndefined();
    expect(equalBytes(bytes, CONTENT)).toBe(true);
  }
}

row(
  'D1',
  {
    attack: 'lost requests and replies between client, broker and store',
    tried: 'each request of an upload, cut before and after its effect',
  },
  async (t) => {
    const signal = new AbortController().signal;
    // As the app does: what is unreachable is tried again, and nothing else.
    const upload = async (name: string): Promise<void> => {
      const blob = await retry(() => ada.send(CONTENT), signal);
      await retry(() => ada.wrap(blob), signal);
      const version = ada.versionOf(blob);
      const file = blob.blob; // An id like any other.
      await retry(
        () =>
          ada.journal.append((state) =>
            state.entry(file) ? [] : [{ kind: 'file-add', file, folder: '', name, version }],
          ),
        signal,
      );
    };
    ada.browser.sent.length = 0;
    world.store.forget();
    await upload('rehearsal.bin');
    const [brokerRequests, storeRequests] = [ada.browser.sent.length, world.store.seen.length];
    const expected = ['first.bin', 'rehearsal.bin'];
    const step = t.full ? 1 : 3;
    for (const kind of ['drop-request', 'drop-reply'] as const) {
      for (let at = 0; at < brokerRequests; at += t.full ? 1 : 2) {
        let request = 0;
        ada.browser.hook = async (asked, honest) => {
          if (request++ !== at) return honest(asked);
          if (kind === 'drop-reply') await honest(asked);
          return unreachable();
        };
        const name = `broker ${kind} ${String(at)}.bin`;
        await upload(name);
        ada.browser.hook = undefined;
        expected.push(name);
        t.vary(1);
      }
      for (let at = 0; at < storeRequests; at += step) {
        let request = 0;
        world.store.hook = () => (request++ === at ? { kind } : undefined);
        const name = `store ${kind} ${String(at)}.bin`;
        await upload(name);
        world.store.behave();
        expected.push(name);
        t.vary(1);
      }
    }
    expect(await names()).toEqual(expected.toSorted());
    expect(ada.journal.state.skippedOperations).toBe(0);
    t.held('exactly one entry each');
  },
);

row(
  'D7',
  {
    attack: 'crash anywhere',
    tried: 'the client dies before and after each of its requests; then a device that knows nothing looks',
  },
  async (t) => {
    let length = 0;
    for (const kind of ['before', 'after'] as const) {
      for (let at = 0; ; at++) {
        let request = 0;
        const dead: BrokerHook = async (asked, honest) => {
          if (request++ < at) return honest(asked);
          if (kind === 'after' && request === at + 1) await honest(asked);
          return unreachable();
        };
        ada.browser.hook = dead;
        const name = `crash ${String(++count)}.bin`;
        const outcome = await ada.upload(name, CONTENT).then(
          () => 'done',
          (error: unknown) => error,
        );
        ada.browser.hook = undefined;
        const listed = (await names()).includes(name);
        await ada.unlock();
        expect(outcome === 'done' ? listed : outcome instanceof HalfkeyError, name).toBe(true);
        length += listed ? 1 : 0;
        t.vary(1);
        if (outcome === 'done') break;
        t.refused((outcome as HalfkeyError).code);
      }
    }
    await expectAllReadable();
    expect(length).toBeGreaterThanOrEqual(2);
    t.held('every entry is readable, nothing acknowledged is lost, at worst a blob is left over');
  },
);

row(
  'D8',
  {
    attack: 'content damaged on its way up',
    tried: 'bodies flipped, cut, emptied, exchanged behind the signature of their checksum',
  },
  async (t) => {
    const before = await names();
    const damages: ((body: Buffer) => Buffer)[] = [
      (body) => Buffer.from(body.map((byte, index) => (index === 0 ? byte ^ 1 : byte))),
      (body) => Buffer.from(body.map((byte, index) => (index === body.length - 1 ? byte ^ 0x80 : byte))),
      (body) => Buffer.alloc(body.length),
      (body) => Buffer.from(body.toReversed()),
      (body) => Buffer.from(body.map(() => 0xff)),
    ];
    for (const damage of damages) {
      world.store.hook = ({ method, path }) =>
        method === 'PUT' && path.includes('/blobs/') ? { kind: 'replace', replace: damage } : undefined;
      await t.refuses(ada.upload('damaged.bin', CONTENT), 'upload_mismatch');
      world.store.behave();
    }
    expect(await names()).toEqual(before);
  },
);

row(
  'D13',
  {
    attack: 'listings that lie',
    tried: 'a store whose LIST is empty, or names everything twice, during sign-in, upload, download',
  },
  async (t) => {
    const before = await names();
    const empty =
      '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>';
    let listings = 0;
    for (const lie of ['empty', 'double'] as const) {
      world.store.hook = ({ query }) => {
        if (!query.includes('list-type=2') && !query.includes('versions')) return undefined;
        listings += 1;
        if (lie === 'empty') {
          return {
            kind: 'answer',
            reply: { status: 200, headers: { 'content-type': 'application/xml' }, body: Buffer.from(empty) },
          };
        }
        return {
          kind: 'alter',
          alter: (reply) => ({
            ...reply,
            body: Buffer.from(reply.body.toString().replace(/<Contents>[^]*?<\/Contents>/g, '$&$&')),
          }),
        };
      };
      const fresh = await Client.signIn(ada);
      expect(fresh.journal.state.entries.names.toSorted()).toEqual(before);
      const { file } = await fresh.upload(`${lie}.bin`, CONTENT);
      expect(equalBytes(await fresh.read(file), CONTENT)).toBe(true);
      before.push(`${lie}.bin`);
      before.sort();
      world.store.behave();
      t.vary(1);
    }
    expect(await names()).toEqual(before);
    t.held(
      `the same state; ${listings === 0 ? 'nothing of the client rests on a listing' : 'listings change nothing'}`,
    );
  },
);

row(
  'D14',
  {
    attack: 'the device’s storage is evicted',
    tried: 'no local copy, no device keys: passphrase and code alone, as the journal grows',
  },
  async (t) => {
    for (let round = 0; round < (t.full ? 3 : 1); round++) {
      const expected = await names();
      const again = await Client.signIn(ada);
      expect(again.device.id).not.toBe(ada.device.id);
      expect(again.journal.state.entries.names.toSorted()).toEqual(expected);
      const [file = ''] = again.journal.state.entries.ids;
      expect(equalBytes(await again.read(file), CONTENT)).toBe(true);
      await ada.upload(`after eviction ${String(round)}.bin`, CONTENT);
      t.vary(1);
    }
    t.held('everything that was acknowledged comes back by passphrase and code');
  },
);

row(
  'I3',
  {
    attack: 'what sizes of records tell',
    tried: 'names of 1 to 255 bytes, all kinds of edits: the histogram of what went to the broker',
  },
  async (t) => {
    const { file } = await ada.upload('renamed often.bin', CONTENT);
    const sizes = new Map<number, number>();
    for (let length = 1; length <= 250; length += t.full ? 1 : 25) {
      ada.browser.sent.length = 0;
      await ada.journal.append(() => [{ kind: 'rename', entry: file, name: 'x'.repeat(length) }]);
      const { body } = ada.browser.sent.find(
        ({ method, path }) => method === 'POST' && path.endsWith('/log'),
      )!;
      const { segment } = JSON.parse(body) as { segment: string };
      sizes.set(segment.length, (sizes.get(segment.length) ?? 0) + 1);
      t.vary(1);
    }
    expect([...sizes]).toHaveLength(1);
    t.held('one size for all of them');
  },
);
