import { beforeAll, describe, expect, test, vi } from 'vitest';
import { concat, u32be, type Bytes } from '../../src/lib/bytes.ts';
import { sealAad } from '../../src/lib/crypto/aad.ts';
import { sha256 } from '../../src/lib/crypto/digest.ts';
import { seal } from '../../src/lib/crypto/floe.ts';
import { deriveKey } from '../../src/lib/crypto/hkdf.ts';
import { sign } from '../../src/lib/crypto/signing.ts';
import type { Journal } from '../../src/lib/journal/journal.ts';
import { encodeOperation } from '../../src/lib/journal/entries/operation-codec.ts';
import type { Operation } from '../../src/lib/journal/entries/operations.ts';
import { journalKey, sealSegment, type JournalHead } from '../../src/lib/journal/entries/segment.ts';
import { sealSnapshot } from '../../src/lib/journal/snapshot.ts';
import { encodeState } from '../../src/lib/journal/state/state-encoding.ts';
import { refusal, refusalCode } from '../crypto/refusal.ts';
import { MemoryCache } from './memory-remote.ts';
import {
  enrolDevice,
  fileAdd,
  identityOf,
  idOf,
  newWorld,
  NOW_MS,
  openJournal,
  VAULT,
  versionOf,
  type TestDevice,
  type World,
} from './world.ts';

const FILE = idOf('file', 1);
const encoded = ({ state, head }: Journal): Bytes => encodeState(state, head);

async function headOf({ remote }: World): Promise<JournalHead> {
  return { seq: remote.log.length - 1, hash: await sha256(remote.log.at(-1)!) };
}

interface Forgery {
  readonly by?: TestDevice;
  readonly privateKey?: CryptoKey;
  readonly before?: JournalHead;
  readonly epoch?: number;
  readonly vaultKey?: Bytes;
}

/** A segment at the log's end as no program writes it. */
async function forge(world: World, sequence: Bytes, more: Forgery = {}): Promise<void> {
  const { by = world.first, epoch = 0, vaultKey = world.vaultKey } = more;
  const key = await journalKey(VAULT, epoch, vaultKey);
  const signer = { device: by.id, privateKey: more.privateKey ?? by.keys.privateKey };
  world.remote.log.push(await sealSegment(key, more.before ?? (await headOf(world)), sequence, signer));
}

const rename = (name: string): Bytes => encodeOperation({ kind: 'rename', entry: FILE, name });

/** A file, and a second device that is revoked. */
async function worldWithRevoked(): Promise<{ world: World; stolen: TestDevice }> {
  const world = await newWorld();
  const stolen = await enrolDevice(world, 2);
  const journal = await openJournal(world);
  await journal.append(() => [fileAdd(1)]);
  await journal.revoke(world.identity.privateKey, { device: stolen.id });
  return { world, stolen };
}

describe('a void segment', () => {
  const forgeries: [string, boolean, (world: World, stolen: TestDevice) => Promise<Forgery>][] = [
    ['of a revoked device', true, (_, by) => Promise.resolve({ by })],
    ['in another’s name', false, (_, { keys }) => Promise.resolve({ privateKey: keys.privateKey })],
    ['of another epoch than the state’s', true, () => Promise.resolve({ epoch: 1 })],
    ['under another key', true, () => Promise.resolve({ vaultKey: new Uint8Array(32).fill(9) })],
  ];

  test.each(forgeries)(
    '%s counts for nothing, is told of, and the chain goes on',
    async (_, isSigned, make) => {
      const { world, stolen } = await worldWithRevoked();
      const watching = await openJournal(world);
      await forge(world, rename('theirs'), await make(world, stolen));
      const told = vi.fn();
      watching.onChange(told);
      await watching.refresh();
      expect(watching.problem).toBeUndefined();
      expect(watching.state.entry(FILE)?.name).toBe('file 1.txt');
      expect(watching.state.skippedOperations).toBe(1);
      expect(watching.voided).toMatchObject([{ seq: watching.head.seq, isSigned }]);
      expect(told).toHaveBeenCalled();
      await watching.append(() => [fileAdd(2)]);
      expect(encoded(await openJournal(world))).toEqual(encoded(watching));
    },
  );

  test('stops the chain where it does not follow: a fork only under a trusted signature', async () => {
    const { world, stolen } = await worldWithRevoked();
    const before = { seq: world.remote.log.length - 1, hash: new Uint8Array(32).fill(7) };
    for (const [by, code] of [
      [stolen, 'journal_corrupt'],
      [world.first, 'fork'],
    ] as const) {
      const forked = { ...world, remote: world.remote.fork() };
      await forge(forked, rename('theirs'), { by, before });
      expect((await openJournal(forked)).problem?.code).toBe(code);
    }
  });

  test('is none where the seal opens: wrong padding is one operation that makes no sense', async () => {
    const world = await newWorld();
    const head = await headOf(world);
    const { key } = await journalKey(VAULT, 0, world.vaultKey);
    const padded = concat(u32be(1), new Uint8Array(507).fill(1));
    const ciphertext = await seal(key, sealAad('journal', VAULT, '1', 0), padded);
    const whole = await sealSegment({ vault: VAULT, epoch: 0, key }, head, rename('x'), {
      device: world.first.id,
      privateKey: world.first.keys.privateKey,
    });
    const { signed } = await signedOver(whole, ciphertext);
    const signature = await sign(world.first.keys.privateKey, signed);
    world.remote.log.push(concat(whole.slice(0, 64), signature, ciphertext));
    const journal = await openJournal(world);
    expect([journal.voided, journal.state.skippedOperations, journal.problem]).toEqual([[], 1, undefined]);
  });

  test('is found again by whoever failed at it for a reason of his own, and then folds nothing', async () => {
    const world = await newWorld();
    const journal = await openJournal(world);
    await forge(world, rename('x'));
    const failing = vi.spyOn(crypto.subtle, 'importKey').mockRejectedValue(new RangeError('no memory'));
    try {
      await expect(journal.refresh()).rejects.toThrow(RangeError);
    } finally {
      failing.mockRestore();
    }
    expect([journal.head.seq, journal.voided]).toEqual([0, []]);
    await journal.refresh();
    expect([journal.head.seq, journal.voided]).toEqual([1, []]);
  });

  test('of this device’s own stops it, and loses nothing', async () => {
    const world = await newWorld();
    const journal = await openJournal(world);
    const sign = crypto.subtle.sign.bind(crypto.subtle);
    // What is signed is damaged in this device's memory, and sent as it is.
    const damaging = vi.spyOn(crypto.subtle, 'sign').mockImplementation(async (algorithm, key, message) => {
      const signature = await sign(algorithm, key, message);
      if (algorithm === 'Ed25519') new Uint8Array(signature).fill(0);
      return signature;
    });
    const failure = await refusal(journal.append(() => [fileAdd(1)])).finally(() => {
      damaging.mockRestore();
    });
    expect(failure).toMatchObject({ code: 'device_state_lost', detail: { seq: 1 } });
    expect(await refusalCode(journal.append(() => [fileAdd(1)]))).toBe('device_state_lost');
    await journal.refresh();
    expect(journal.problem?.code).toBe('device_state_lost');
    expect(world.remote.log).toHaveLength(2);
    const again = await openJournal(world);
    await again.append(() => [fileAdd(1)]);
    expect(again.state.entry(FILE)).toBeDefined();
  });
});

/** What a signature is over, with another ciphertext than the segment's. */
async function signedOver(segment: Bytes, ciphertext: Bytes): Promise<{ signed: Bytes }> {
  const { readSegment } = await import('../../src/lib/journal/entries/segment.ts');
  const { signed } = await readSegment(VAULT, () => undefined, 1, concat(segment.slice(0, 128), ciphertext));
  return { signed };
}

/** A snapshot of the journal as it is, named by its device. */
async function nameSnapshot(world: World, journal: Journal): Promise<void> {
  const key = await journalKey(VAULT, 0, world.vaultKey);
  const { snapshot, pages } = await sealSnapshot(key, journal.state, journal.head);
  await world.remote.putPages(snapshot.seq, pages);
  await journal.append(() => [{ kind: 'snapshot', snapshot }]);
}

describe('revoking a device since a moment', () => {
  /** The thief's device wrote from segment 3 on; the owner's in between. */
  async function stolenWorld(): Promise<{ world: World; thief: TestDevice; cache: MemoryCache }> {
    const world = await newWorld();
    const thief = await enrolDevice(world, 2);
    const cache = new MemoryCache();
    const [own, theirs] = [await openJournal(world, world.first, { cache }), await openJournal(world, thief)];
    await own.append(() => [fileAdd(1), fileAdd(2)]);
    await theirs.refresh();
    await theirs.append((): Operation[] => [
      { kind: 'purge', entry: FILE },
      { kind: 'rename', entry: idOf('file', 2), name: 'theirs' },
      fileAdd(5),
      {
        kind: 'inbox-key',
        inbox: { blob: idOf('inbox', 1), publicKey: new Uint8Array(32), epoch: 1 },
        atMs: 1,
      },
    ]);
    await theirs.heartbeat(0);
    await own.refresh();
    await own.append(() => [fileAdd(7)]);
    await own.flush();
    return { world, thief, cache };
  }

  test('voids what it signed from there on, on every device, whatever it had folded', async () => {
    const { world, thief, cache } = await stolenWorld();
    const own = await openJournal(world, world.first, { cache });
    expect(own.state.entry(FILE)).toBeUndefined();
    await own.revoke(world.identity.privateKey, { device: thief.id, since: 3 });
    expect(own.state.entry(FILE)?.name).toBe('file 1.txt');
    expect(own.state.entry(idOf('file', 2))?.name).toBe('file 2.txt');
    expect(own.state.entry(idOf('file', 5))).toBeUndefined();
    expect(own.state.entry(idOf('file', 7))).toBeDefined();
    expect(own.state.trustedDevice(thief.id)).toBeUndefined();
    // What others seal to is numbered after its inbox key, and is adopted: that one stays.
    expect(own.state.newestInboxKey).toMatchObject({ epoch: 1, writer: thief.id, seq: 3 });
    expect(own.state.heartbeats.has(thief.id)).toBe(true);
    expect(own.state.skippedOperations).toBe(2);
    const cold = await openJournal(world);
    expect(encoded(cold)).toEqual(encoded(own));
    const copied = await openJournal(world, world.first, { cache });
    await copied.refresh();
    expect(encoded(copied)).toEqual(encoded(own));
    await own.append(() => [fileAdd(8)]);
    expect((await openJournal(world)).state.entry(idOf('file', 8))).toBeDefined();
  });

  test('makes a version the newest again that another one was put in the place of', async () => {
    const { world, thief } = await stolenWorld();
    const own = await openJournal(world);
    const file = idOf('file', 2);
    await own.append(() => [{ kind: 'version-add', file, version: versionOf(20) }]);
    const since = own.head.seq + 1;
    const theirs = await openJournal(world, thief);
    await theirs.append(() => [{ kind: 'version-restore', file, blob: versionOf(2).blob }]);
    await own.refresh();
    expect(own.state.newestVersion(file)?.blob).toBe(versionOf(2).blob);
    await own.revoke(world.identity.privateKey, { device: thief.id, since });
    expect(own.state.newestVersion(file)?.blob).toBe(versionOf(20).blob);
    expect(own.state.versionsOf(file)).toHaveLength(2);
    expect(encoded(await openJournal(world))).toEqual(encoded(own));
  });

  test('is the identity key’s to say, at most from its own segment on, and may be moved back later', async () => {
    const { world, thief } = await stolenWorld();
    const own = await openJournal(world);
    const bad = own.append(() => [{ kind: 'device-revoke', device: thief.id, since: 0 }]);
    await expect(bad).rejects.toThrow(TypeError);
    await own.appendByIdentity(world.identity.privateKey, [
      { kind: 'device-revoke', device: thief.id, since: 99 },
    ]);
    expect([own.state.trustedDevice(thief.id)?.device, own.state.skippedOperations]).toEqual([thief.id, 1]);
    await own.revoke(world.identity.privateKey, { device: thief.id });
    expect(own.state.entry(FILE)).toBeUndefined();
    const { seq } = own.state.devices.get(thief.id)!.revoked!;
    await own.revoke(world.identity.privateKey, { device: thief.id, since: 3 });
    expect(own.state.entry(FILE)).toBeDefined();
    expect(own.state.devices.get(thief.id)?.revoked).toEqual({ seq, since: 3 });
    expect(encoded(await openJournal(world))).toEqual(encoded(own));
  });

  test('never un-enrols another device, because devices enrol nobody', async () => {
    const { world, thief } = await stolenWorld();
    const later = await enrolDevice(world, 3);
    const own = await openJournal(world);
    await own.revoke(world.identity.privateKey, { device: thief.id, since: 0 });
    expect(own.state.trustedDevice(later.id)).toBeDefined();
  });

  test('what was erased behind a code meanwhile comes back as deleted for good', async () => {
    const { world, thief } = await stolenWorld();
    const own = await openJournal(world);
    await own.append(() => [{ kind: 'purged', blobs: [versionOf(1).blob] }]);
    expect(own.state.erased.has(FILE)).toBe(true);
    await own.revoke(world.identity.privateKey, { device: thief.id, since: 3 });
    expect(own.state.entry(FILE)?.name).toBe('file 1.txt');
    expect(own.state.isGone(FILE)).toBe(true);
  });

  test('is not done by half: without the log the journal stays as it was', async () => {
    const { world, thief } = await stolenWorld();
    const [own, other] = [await openJournal(world), await openJournal(world)];
    await own.revoke(world.identity.privateKey, { device: thief.id, since: 3 });
    const before = encoded(other);
    let reads = 0;
    world.remote.faultOf = (request) => (request === 'read' && ++reads > 1 ? 'before' : undefined);
    expect(await refusalCode(other.refresh())).toBe('broker_unreachable');
    expect(encoded(other)).toEqual(before);
    world.remote.faultOf = () => undefined;
    await other.refresh();
    expect(encoded(other)).toEqual(encoded(own));
  });

  test('is a fork where the log that is folded anew for it is another one', async () => {
    const { world, thief } = await stolenWorld();
    const watcher = await openJournal(world);
    const before = encoded(watcher);
    const other: World = { ...world, remote: world.remote.fork() };
    other.remote.log.pop();
    await (await openJournal(other)).append(() => [fileAdd(8)]);
    await (await openJournal(world)).revoke(world.identity.privateKey, { device: thief.id, since: 3 });
    await (await openJournal(other)).revoke(world.identity.privateKey, { device: thief.id, since: 3 });
    // Once asked for what comes next, the remote goes on with the history that this device does not know.
    const read = world.remote.read.bind(world.remote);
    let reads = 0;
    world.remote.read = (fromSeq) => (reads++ === 0 ? read(fromSeq) : other.remote.read(fromSeq));
    expect(await refusalCode(watcher.refresh())).toBe('fork');
    expect(encoded(watcher)).toEqual(before);
  });

  test('makes nothing of snapshots from then on', async () => {
    const { world, thief } = await stolenWorld();
    const own = await openJournal(world);
    await nameSnapshot(world, own);
    expect(own.state.snapshot).toBeDefined();
    await own.revoke(world.identity.privateKey, { device: thief.id, since: 3 });
    expect(own.state.snapshot).toBeUndefined();
    expect(own.notes).toEqual([]); // It was right as long as that device was believed.
    const cold = await openJournal(world);
    expect([cold.notes, cold.problem]).toEqual([[], undefined]);
    expect(cold.state.entry(FILE)).toBeDefined();
    expect(encoded(cold)).toEqual(encoded(own));
  });
});

describe('a snapshot', () => {
  // So many segments take their time: each test goes on from here in a log of its own.
  let whole: World;
  let thief: TestDevice;
  beforeAll(async () => {
    whole = await newWorld();
    thief = await enrolDevice(whole, 2);
    const own = await openJournal(whole);
    for (let number = 0; number < 258; number++) await own.append(() => [fileAdd(number)]);
    await own.flush();
  });

  async function longWorld(): Promise<{ world: World; own: Journal }> {
    const world = { ...whole, remote: whole.remote.fork() };
    return { world, own: await openJournal(world) };
  }

  async function lie(world: World, { state, head }: Journal, sign: Forgery): Promise<void> {
    state.entries.names[7] = 'somewhere else';
    const key = await journalKey(VAULT, 0, world.vaultKey);
    const { snapshot, pages } = await sealSnapshot(key, state, head);
    await world.remote.putPages(snapshot.seq, pages);
    await forge(world, encodeOperation({ kind: 'snapshot', snapshot }), sign);
  }

  test.each([
    ['after the one that counts', (seq: number) => seq + 1],
    ['of the same place as the one that counts', (seq: number) => seq],
    ['of before the one that counts', (seq: number) => seq - 1],
  ])('that a void segment names does not count: %s', async (_, placeOf) => {
    const { world, own } = await longWorld();
    const place = placeOf(own.state.snapshot!.seq);
    await own.revoke(world.identity.privateKey, { device: thief.id });
    const upToThere: World = { ...world, remote: world.remote.fork() };
    upToThere.remote.log.length = place + 1;
    await lie(world, await openJournal(upToThere), { by: thief });
    const cold = await openJournal(world);
    expect(cold.state.entry(idOf('file', 7))?.name).toBe('file 7.txt');
    expect(cold.needsAudit).toBe(true); // It began from the true one.
  });

  test('that the identity key names is as far back as an audit goes', async () => {
    const { world, own } = await longWorld();
    const key = await journalKey(VAULT, 0, world.vaultKey);
    const { snapshot, pages } = await sealSnapshot(key, own.state, own.head);
    await world.remote.putPages(snapshot.seq, pages);
    await own.appendByIdentity(world.identity.privateKey, [{ kind: 'snapshot', snapshot }]);
    expect(own.state.base).toEqual({ snapshot, seq: own.head.seq });
    const cold = await openJournal(world);
    expect(cold.needsAudit).toBe(true);
    const seen = new Set<number>();
    world.remote.tamper = (seq, bytes) => {
      seen.add(seq);
      return bytes;
    };
    await cold.audit();
    expect([cold.needsAudit, cold.notes, Math.min(...seen)]).toEqual([false, [], snapshot.seq + 1]);
  });

  test('that only claims to be such a base is found out', async () => {
    const { world } = await longWorld();
    const liar = await openJournal(world);
    liar.state.base = { snapshot: liar.state.snapshot!, seq: liar.state.snapshot!.seq + 1 };
    await lie(world, liar, {});
    const cold = await openJournal(world);
    expect(cold.state.entry(idOf('file', 7))?.name).toBe('somewhere else');
    await cold.ensureAudited();
    expect(cold.state.entry(idOf('file', 7))?.name).toBe('file 7.txt');
    expect(cold.notes.map(({ code }) => code)).toEqual(['snapshot_wrong']);
  });
});

describe('another vault key', () => {
  const NEXT = new Uint8Array(32).fill(22);
  const ROTATION = idOf('turn', 1);

  async function turned(boxed: (devices: string[]) => string[] = (all) => all) {
    const world = await newWorld();
    const phone = await enrolDevice(world, 2);
    const own = await openJournal(world);
    await own.append(() => [fileAdd(1)]);
    const key = await deriveKey(NEXT, 'previous-key', VAULT, u32be(1));
    const previous = await seal(key, sealAad('previous-key', VAULT, ROTATION, 1), world.vaultKey);
    const hash = await sha256(previous);
    const boxes = boxed([world.first.id, phone.id]).map((device) => ({ device, hash }));
    await own.appendByIdentity(world.identity.privateKey, [
      { kind: 'epoch', epoch: 1, rotation: ROTATION, hash, boxes },
    ]);
    const vaultKeys = [
      { epoch: 0, vaultKey: world.vaultKey },
      { epoch: 1, vaultKey: NEXT, previous },
    ];
    const identity = identityOf(world, world.first);
    const openWith = (keys: typeof vaultKeys) =>
      openJournal(world, world.first, { identity: { ...identity, vaultKeys: keys } });
    return { world, own, vaultKeys, openWith };
  }

  test('seals and opens all that comes after the segment that names it', async () => {
    const { own, vaultKeys, openWith, world } = await turned();
    expect(own.state.epoch).toBe(1);
    const journal = await openWith(vaultKeys);
    await journal.append(() => [fileAdd(2)]);
    await forge(world, rename('under the old key'));
    await journal.refresh();
    expect(journal.voided).toHaveLength(1);
    const again = await openWith(vaultKeys);
    expect(again.state.entry(idOf('file', 2))).toBeDefined();
    expect(encoded(again)).toEqual(encoded(journal));
  });

  test('stops whoever does not have it, or has one that the chain does not pin', async () => {
    const { own, vaultKeys, openWith } = await turned();
    await (await openWith(vaultKeys)).append(() => [fileAdd(2)]);
    expect(await refusalCode(own.append(() => [fileAdd(3)]))).toBe('epoch_key_missing');
    expect(await refusalCode(own.refresh())).toBe('epoch_key_missing');
    expect(own.problem?.code).toBe('epoch_key_missing');
    const [first, second] = vaultKeys as [(typeof vaultKeys)[0], (typeof vaultKeys)[1]];
    const others = [
      [first],
      [first, { ...second, vaultKey: new Uint8Array(32) }],
      [first, { ...second, previous: new Uint8Array(138) }],
      [
        { ...first, vaultKey: first.vaultKey },
        { epoch: 1, vaultKey: NEXT },
      ],
    ];
    for (const keys of others) {
      const journal = await openWith(keys);
      expect(journal.problem?.code).toBe('epoch_key_missing');
      expect(journal.state.entry(FILE)).toBeDefined();
      expect(journal.state.entry(idOf('file', 2))).toBeUndefined();
    }
  });

  test('counts only from the identity key, as the next one, and with a box for each trusted device', async () => {
    for (const boxed of [
      (all: string[]) => all.slice(1),
      (all: string[]) => [...all, idOf('device', 9)],
      ([first]: string[]) => [first!, first!],
    ]) {
      const { own } = await turned(boxed);
      expect([own.state.epoch, own.state.skippedOperations]).toEqual([0, 1]);
    }
    const world = await newWorld();
    const journal = await openJournal(world);
    const hash = new Uint8Array(32);
    const boxes = [{ device: world.first.id, hash }];
    const turn = (epoch: number): Operation => ({ kind: 'epoch', epoch, rotation: ROTATION, hash, boxes });
    await expect(journal.append(() => [turn(1)])).rejects.toThrow(TypeError);
    await journal.appendByIdentity(world.identity.privateKey, [turn(2)]);
    await forge(world, encodeOperation(turn(1)));
    await journal.refresh();
    expect([journal.state.epoch, journal.state.skippedOperations]).toEqual([0, 2]);
  });
});

test('what a device did since a moment can be told from the log', async () => {
  const world = await newWorld();
  const phone = await enrolDevice(world, 2);
  const own = await openJournal(world, world.first, { nowMs: () => NOW_MS });
  await own.append(() => [fileAdd(1, 'a')]);
  await own.heartbeat();
  const theirs = await openJournal(world, phone);
  await theirs.append((): Operation[] => [
    { kind: 'rename', entry: FILE, name: 'b' },
    { kind: 'purge', entry: FILE },
  ]);
  const { doubtFrom, undoneBy } = await import('../../src/lib/journal/activity.ts');
  const activity = await own.activityOf(phone.id);
  expect(activity.deeds).toEqual([
    { seq: 4, kind: 'rename', name: 'a', newName: 'b' },
    { seq: 4, kind: 'purge', name: 'b' },
  ]);
  expect(doubtFrom(activity, NOW_MS + 1)).toBe(4);
  expect(doubtFrom(activity, NOW_MS)).toBe(0);
  expect(undoneBy(activity, 5)).toEqual([]);
  expect(undoneBy(activity, 4)).toHaveLength(2);
});
