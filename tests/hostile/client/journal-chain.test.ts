import { SEGMENT_HEAD } from '$contract/segment.ts';
import { expect } from 'vitest';
import { concat, u64be, type Bytes } from '../../../src/lib/bytes.ts';
import { sha256 } from '../../../src/lib/crypto/digest.ts';
import { encodeState } from '../../../src/lib/journal/state/state-encoding.ts';
import type { ErrorCode, HalfkeyError } from '../../../src/lib/errors.ts';
import type { Journal } from '../../../src/lib/journal/journal.ts';
import { createGenesis } from '../../../src/lib/journal/entries/genesis.ts';
import { encodeOperation } from '../../../src/lib/journal/entries/operation-codec.ts';
import { journalKey, sealSegment } from '../../../src/lib/journal/entries/segment.ts';
import type { Operation } from '../../../src/lib/journal/entries/operations.ts';
import {
  certifiedDevice,
  enrolDevice,
  enrolment,
  fileAdd,
  folderAdd,
  idOf,
  identityOf,
  newWorld,
  openJournal,
  VAULT,
  type TestDevice,
  type World,
} from '../../journal/world.ts';
import { row, type Trial } from '../support/row.ts';
import { randomOf } from '../support/subject.ts';

// Group C: the log as a hostile bucket shows it. Every variant opens the vault anew, as a device without a copy does.

async function worldOfEdits(): Promise<World> {
  const world = await newWorld();
  const journal = await openJournal(world);
  await journal.append(() => [folderAdd(1, 'folder'), fileAdd(1)]);
  await journal.append(() => [{ kind: 'rename', entry: idOf('file', 1), name: 'renamed.txt' }]);
  await journal.append(() => [{ kind: 'move', entry: idOf('file', 1), folder: idOf('folder', 1) }]);
  await journal.append(() => [fileAdd(2)]);
  return world;
}

/** Read-only from `seq` on, good before it, and nothing is written any more. */
async function expectStopped(
  t: Trial,
  world: World,
  seq: number,
  ...codes: ErrorCode[]
): Promise<HalfkeyError> {
  const writes = world.remote.appends;
  const journal = await openJournal(world);
  const { problem } = journal;
  expect(codes).toContain(problem?.code);
  expect(problem?.detail.seq).toBe(seq);
  expect(journal.head.seq).toBe(seq - 1);
  await t.refuses(
    journal.append(() => [fileAdd(99)]),
    ...codes,
  );
  expect(world.remote.appends).toBe(writes);
  return problem!;
}

/** The segment at the log's end says nothing, by whatever device: every device goes on after it, and is told of it. */
async function expectVoid(t: Trial, world: World, before: World, isSigned: boolean): Promise<void> {
  const seq = world.remote.log.length - 1;
  const [then, journal] = [await openJournal({ ...world, remote: before.remote }), await openJournal(world)];
  expect(journal.problem).toBeUndefined();
  expect(journal.voided).toMatchObject([{ seq, isSigned }]);
  then.state.skippedOperations += 1;
  expect(encodeState(journal.state, journal.head)).toEqual(encodeState(then.state, journal.head));
  await journal.append(() => [fileAdd(99)]);
  expect((await openJournal(world)).state.entry(idOf('file', 99))).toBeDefined();
  t.vary(1);
  t.held('nothing of it counts, it is told of, and the vault is written on');
}

/** A segment behind the log's end, made by hand as any holder of the vault key could. */
async function forge(world: World, signer: TestDevice | undefined, operations: Operation[]): Promise<Bytes> {
  const { head } = await openJournal(world);
  const key = await journalKey(VAULT, 0, world.vaultKey);
  const by = { device: signer?.id, privateKey: signer?.keys.privateKey ?? world.identity.privateKey };
  return sealSegment(key, head, concat(...operations.map(encodeOperation)), by);
}

row(
  'C1',
  {
    attack: 'a record changed or forged',
    tried: 'each bit of a segment; segments sealed under other keys, of any length',
  },
  async (t) => {
    const world = await worldOfEdits();
    const original = world.remote.log[3]!;
    const bits = Array.from({ length: 8 * original.length }, (_, bit) => bit);
    // In short one bit of each byte of the head and of FLOE's header, and some behind them.
    const isOfShort = (bit: number) =>
      bit >> 3 < SEGMENT_HEAD.ciphertextOffset + 74 ? (bit & 7) === (bit >> 3) % 8 : bit % 29 === 0;
    for (const bit of t.full ? bits : bits.filter(isOfShort)) {
      const remote = world.remote.fork();
      const bytes = original.slice();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      remote.log[3] = bytes;
      const { seq, codes } = damageAt(bit >> 3);
      await expectStopped(t, { ...world, remote }, seq, ...codes);
    }
    const stranger = { ...world, vaultKey: new Uint8Array(32).fill(9) };
    const foreign = await sealSegment(
      await journalKey(VAULT, 0, stranger.vaultKey),
      { seq: 2, hash: await sha256(world.remote.log[2]!) },
      encodeOperation(fileAdd(7)),
      { device: world.first.id, privateKey: world.first.keys.privateKey },
    );
    const random = randomOf(1);
    // They follow what is there, so they would be void; but the next one that counts follows another.
    for (const forgery of [foreign, original.slice(0, -1), concat(original, Uint8Array.of(0))]) {
      const remote = world.remote.fork();
      remote.log[3] = forgery;
      await expectStopped(t, { ...world, remote }, 4, 'fork');
    }
    const forgeries = [new Uint8Array(0), original.slice(0, SEGMENT_HEAD.ciphertextOffset)];
    for (let count = 0; count < (t.full ? 500 : 20); count++) {
      forgeries.push(
        Uint8Array.from({ length: Math.floor(random() * 2000) }, () => Math.floor(random() * 256)),
      );
    }
    for (const forgery of forgeries) {
      const remote = world.remote.fork();
      remote.log[3] = forgery;
      await expectStopped(t, { ...world, remote }, 3, 'journal_corrupt', 'journal_gap');
    }
  },
);

/**
 * What segment 3 with a changed byte comes to: without its form, number or what it follows it is refused; with any
 * other damage it is void, and segment 4 does not follow it.
 */
function damageAt(offset: number): { seq: number; codes: ErrorCode[] } {
  const { epochOffset, seqOffset, prevHashOffset, writerOffset } = SEGMENT_HEAD;
  if (offset < epochOffset) return { seq: 3, codes: ['journal_corrupt'] };
  // A place beyond 2^53 is none.
  if (offset >= seqOffset && offset < prevHashOffset)
    return { seq: 3, codes: ['journal_gap', 'journal_corrupt'] };
  if (offset >= prevHashOffset && offset < writerOffset) return { seq: 3, codes: ['journal_corrupt'] };
  return { seq: 4, codes: ['fork'] };
}

row(
  'C2',
  {
    attack: 'reorder, gap, duplicate',
    tried: 'every pair of segments swapped, each left out, doubled, or put anywhere',
  },
  async (t) => {
    const world = await worldOfEdits();
    const { length } = world.remote.log;
    const histories: [number, Bytes[]][] = [];
    for (let i = 1; i < length; i++) {
      for (let j = 1; j < length; j++) {
        const log = [...world.remote.log];
        if (i < j) [log[i], log[j]] = [log[j]!, log[i]!];
        else if (i === j) log.splice(i, 0, log[i]!);
        else log.splice(j, 0, ...log.splice(i, 1));
        histories.push([i === j ? i + 1 : Math.min(i, j), log]);
      }
      if (i < length - 1) histories.push([i, world.remote.log.toSpliced(i, 1)]);
    }
    for (const [seq, log] of histories) {
      const remote = world.remote.fork();
      remote.log.splice(0, remote.log.length, ...log);
      await expectStopped(t, { ...world, remote }, seq, 'journal_gap', 'fork');
      // The number in the head set right: then the signature, or what it follows, is wrong.
      const bytes = remote.log[seq]!.slice();
      bytes.set(u64be(seq), SEGMENT_HEAD.seqOffset);
      remote.log[seq] = bytes;
      await expectStopped(t, { ...world, remote }, seq, 'journal_corrupt', 'fork');
    }
    for (let held = 1; held < length; held++) {
      const remote = world.remote.fork();
      remote.tamper = (seq, bytes) => (seq === held ? undefined : bytes);
      await expectStopped(t, { ...world, remote }, held, 'journal_gap');
    }
  },
);

row(
  'C9',
  {
    attack: 'a device that nobody enrolled',
    tried: 'the broker’s own device, with certificates of others, of another account, of none',
  },
  async (t) => {
    const world = await worldOfEdits();
    const stranger = await certifiedDevice(world.identity, 7);
    const other = await certifiedDevice(world.identity, 8);
    const brokers = await certifiedDevice(other.keys, 9); // Certified by a key of its own.
    const enrolments = [
      { ...stranger, certificate: other.certificate },
      { ...stranger, certificate: new Uint8Array(64) },
      brokers,
      { ...brokers, certificate: stranger.certificate },
    ];
    for (const device of enrolments) {
      const remote = world.remote.fork();
      const forked = { ...world, remote };
      // A trusted device enrols nobody, and the identity key nobody whom it did not certify.
      for (const signer of [world.first, undefined]) {
        remote.log.push(await forge(forked, signer, [enrolment(device)]));
        expect((await openJournal(forked)).state.devices.has(device.id)).toBe(false);
      }
      const before = { ...world, remote: remote.fork() };
      remote.log.push(await forge(forked, device, [fileAdd(50)]));
      await expectVoid(t, forked, before, false);
    }
    const remote = world.remote.fork();
    remote.log.push(await forge({ ...world, remote }, stranger, [fileAdd(50)]));
    await expectVoid(t, { ...world, remote }, world, false);
  },
);

row(
  'C10',
  {
    attack: 'a revoked device goes on writing',
    tried: 'every kind of edit after the revocation; what came before stays',
  },
  async (t) => {
    const world = await newWorld();
    const stolen = await enrolDevice(world, 2);
    const onStolen = await openJournal(world, stolen);
    await onStolen.append(() => [fileAdd(1)]);
    await (await openJournal(world)).revoke(world.identity.privateKey, { device: stolen.id });
    await t.refuses(
      onStolen.append(() => [fileAdd(2)]),
      'device_untrusted',
    );
    const edits: Operation[] = [
      fileAdd(50),
      { kind: 'rename', entry: idOf('file', 1), name: 'mine now' },
      { kind: 'trash', entry: idOf('file', 1), atMs: 1 },
      { kind: 'purge', entry: idOf('file', 1) },
      { kind: 'device-revoke', device: world.first.id, since: 0 },
      enrolment(stolen),
    ];
    for (const edit of edits) {
      const remote = world.remote.fork();
      remote.log.push(await forge({ ...world, remote }, stolen, [edit]));
      await expectVoid(t, { ...world, remote }, world, true);
      const opened = await openJournal({ ...world, remote });
      expect(opened.state.entry(idOf('file', 1))?.name).toBe('file 1.txt');
      expect(opened.state.entry(idOf('file', 50))).toBeUndefined();
    }
  },
);

row(
  'C13',
  {
    attack: 'metadata changed by the server',
    tried: 'names, parents and times of a member’s edits, re-sealed with the vault key but not signed by him',
  },
  async (t) => {
    const world = await worldOfEdits();
    const key = await journalKey(VAULT, 0, world.vaultKey);
    const thief = await certifiedDevice(world.identity, 7);
    const edits: Operation[] = [
      { kind: 'rename', entry: idOf('file', 1), name: 'other.txt' },
      { kind: 'move', entry: idOf('file', 1), folder: '' },
      folderAdd(3, 'another'),
      { ...fileAdd(1), folder: '' } as Operation,
    ];
    for (const edit of edits) {
      const remote = world.remote.fork();
      // Under the name of the first device, signed by somebody else's key, at the last place.
      const before = await openJournal({ ...world, remote: withoutLast(world) });
      const signer = { device: world.first.id, privateKey: thief.keys.privateKey };
      remote.log[remote.log.length - 1] = await sealSegment(key, before.head, encodeOperation(edit), signer);
      await expectVoid(t, { ...world, remote }, { ...world, remote: withoutLast(world) }, false);
    }
  },
);

function withoutLast(world: World): World['remote'] {
  const remote = world.remote.fork();
  remote.log.pop();
  return remote;
}

row(
  'C14',
  {
    attack: 'files and folders slipped in',
    tried: 'blobs and segments that no entry names; genesis of another vault, account, key, or of the broker',
  },
  async (t) => {
    const world = await worldOfEdits();
    const listed = (await openJournal(world)).state.entries.ids.length;
    const remote = world.remote.fork();
    for (let number = 0; number < 50; number++)
      remote.pages.set(`5/${idOf('page', number)}`, new Uint8Array(500));
    expect((await openJournal({ ...world, remote })).state.entries.ids).toHaveLength(listed);
    t.vary(50);
    t.held('objects that no signed entry names are never listed');
    const identity = identityOf(world, world.first);
    const roots = [
      { vault: `${VAULT.slice(0, -1)}0` },
      { account: idOf('account', 2) },
      { identityPublicKey: world.first.keys.publicKey },
      { vaultKeys: [{ epoch: 2, vaultKey: world.vaultKey }] },
      { vaultKeys: [{ epoch: 0, vaultKey: new Uint8Array(32) }] },
    ];
    for (const other of roots) {
      const opening: Promise<Journal> = openJournal(world, world.first, {
        identity: { ...identity, ...other },
      });
      expect((await t.refuses(opening, 'journal_corrupt')).detail.seq).toBe(0);
    }
    // One that the broker made for the account, and signed with a key of its own.
    const brokers = await certifiedDevice(world.first.keys, 1);
    const usurped = world.remote.fork();
    usurped.log[0] = await createGenesis({
      vault: VAULT,
      account: idOf('account', 1),
      vaultKey: world.vaultKey,
      identityKey: world.first.keys.privateKey,
      identityPublicKey: world.identity.publicKey,
      inbox: { blob: idOf('inbox', 0), publicKey: new Uint8Array(32), epoch: 0 },
      device: {
        id: brokers.id,
        publicKey: brokers.keys.publicKey,
        agreementKey: brokers.agreementKey,
        name: 'x',
        certificate: brokers.certificate,
      },
      keyring: { version: 1, hash: new Uint8Array(32) },
      nowMs: 0,
    });
    await t.refuses(openJournal({ ...world, remote: usurped }), 'journal_corrupt');
    const another = await newWorld();
    const spliced = world.remote.fork();
    spliced.log.push(another.remote.log[0]!);
    await expectStopped(
      t,
      { ...world, remote: spliced },
      spliced.log.length - 1,
      'journal_gap',
      'journal_corrupt',
    );
  },
);
