import { SEGMENT_HEAD } from '$contract/segment.ts';
import { expect, test } from 'vitest';
import { concat, u32be, u64be, type Bytes } from '../../src/lib/bytes.ts';
import { createGenesis } from '../../src/lib/journal/entries/genesis.ts';
import type { Journal } from '../../src/lib/journal/journal.ts';
import type { ErrorCode } from '../../src/lib/errors.ts';
import { encodeOperation } from '../../src/lib/journal/entries/operation-codec.ts';
import { journalKey, sealSegment } from '../../src/lib/journal/entries/segment.ts';
import { padded, unpadded } from '../../src/lib/journal/entries/segment-padding.ts';
import { refusal, refusalCode } from '../crypto/refusal.ts';
import {
  certifiedDevice,
  enrolDevice,
  enrolment,
  fileAdd,
  idOf,
  identityOf,
  newWorld,
  openJournal,
  VAULT,
  type TestDevice,
  type World,
} from './world.ts';

async function worldOfThree(): Promise<World> {
  const world = await newWorld();
  const journal = await openJournal(world);
  for (const number of [1, 2, 3]) await journal.append(() => [fileAdd(number)]);
  return world;
}

/** A segment behind the log's end, made by hand as any holder of the vault key could. */
async function forge(
  world: World,
  signer: TestDevice | undefined,
  operations = [fileAdd(50)],
): Promise<Bytes> {
  const { head } = await openJournal(world);
  return sealSegment(
    await journalKey(VAULT, 1, world.vaultKey),
    head,
    concat(...operations.map(encodeOperation)),
    { device: signer?.id, privateKey: signer?.keys.privateKey ?? world.identity.privateKey },
  );
}

function expectReadOnlyAt(journal: Journal, seq: number, code: ErrorCode): void {
  expect(journal.problem).toMatchObject({ code, detail: { seq } });
  expect(journal.head.seq).toBe(seq - 1);
}

const PLACES: readonly (readonly [string, number])[] = [
  ['magic', 0],
  ['epoch', SEGMENT_HEAD.epochOffset + 3],
  ['prevHash', SEGMENT_HEAD.prevHashOffset],
  ['signature', SEGMENT_HEAD.signatureOffset],
  ['FLOE header', SEGMENT_HEAD.ciphertextOffset],
  ['FLOE IV', SEGMENT_HEAD.ciphertextOffset + 12],
  ['ciphertext', SEGMENT_HEAD.ciphertextOffset + 200],
];

test.each(PLACES)(
  'refuses a segment with a flipped bit in its %s, and opens the vault up to it',
  async (_, offset) => {
    const world = await worldOfThree();
    const segment = world.remote.log[2]!;
    segment[offset]! ^= 1;
    const journal = await openJournal(world);
    expectReadOnlyAt(journal, 2, 'journal_corrupt');
    expect(journal.state.entry(idOf('file', 1))).toBeDefined();
    expect(await refusalCode(journal.append(() => [fileAdd(9)]))).toBe('journal_corrupt');
    expect(world.remote.log).toHaveLength(4);
  },
);

test('tells another place, and another writer', async () => {
  const world = await worldOfThree();
  const segment = world.remote.log[2]!;
  segment[SEGMENT_HEAD.seqOffset + 7]! ^= 1;
  expectReadOnlyAt(await openJournal(world), 2, 'journal_gap');
  segment[SEGMENT_HEAD.seqOffset + 7]! ^= 1;
  segment[SEGMENT_HEAD.writerOffset]! ^= 1;
  expectReadOnlyAt(await openJournal(world), 2, 'device_untrusted');
});

test('refuses a flipped bit in any byte of the head and FLOE’s header, and in every 37th behind them', async () => {
  const world = await worldOfThree();
  const original = world.remote.log[3]!;
  const offsets = Array.from({ length: original.length }, (_, offset) => offset).filter(
    (offset) => offset < 220 || offset % 37 === 0,
  );
  expect((await openJournal(world)).problem).toBeUndefined();
  for (const offset of offsets) {
    const remote = world.remote.fork();
    const bytes = new Uint8Array(original);
    bytes[offset]! ^= 1 << (offset % 8);
    remote.log[3] = bytes;
    const opened = await openJournal({ ...world, remote });
    expect(opened.problem?.family, `offset ${String(offset)}`).toBe('corrupt');
    expect(opened.head.seq).toBe(2);
  }
});

test.each([
  ['swaps two segments', (log: Bytes[]) => ([log[1], log[2]] = [log[2]!, log[1]!]), 1, 'journal_gap'],
  ['leaves one out', (log: Bytes[]) => log.splice(2, 1), 2, 'journal_gap'],
  ['repeats one', (log: Bytes[]) => log.splice(2, 0, log[1]!), 2, 'journal_gap'],
  ['cuts one short', (log: Bytes[]) => (log[2] = log[2]!.slice(0, -1)), 2, 'journal_corrupt'],
  ['makes one longer', (log: Bytes[]) => (log[2] = concat(log[2]!, Uint8Array.of(0))), 2, 'journal_corrupt'],
  ['empties one', (log: Bytes[]) => (log[2] = new Uint8Array(0)), 2, 'journal_corrupt'],
  ['serves 2 MiB', (log: Bytes[]) => (log[2] = new Uint8Array(2 * 1024 * 1024)), 2, 'journal_corrupt'],
] as const)('stops where the bucket %s', async (_, tamper, seq, code) => {
  const world = await worldOfThree();
  tamper(world.remote.log);
  expectReadOnlyAt(await openJournal(world), seq, code);
});

test('stops at a place that the remote holds back', async () => {
  const world = await worldOfThree();
  world.remote.tamper = (seq, bytes) => (seq === 2 ? undefined : bytes);
  expectReadOnlyAt(await openJournal(world), 2, 'journal_gap');
});

test('refuses a segment of a device that nobody enrolled, though it has the vault key', async () => {
  const world = await worldOfThree();
  await world.remote.append(await forge(world, await certifiedDevice(world.identity, 7)));
  expectReadOnlyAt(await openJournal(world), 4, 'device_untrusted');
});

test('an enrolment without the identity key’s certificate counts for nothing', async () => {
  const world = await worldOfThree();
  const stranger = await certifiedDevice(world.identity, 7);
  const other = await certifiedDevice(world.identity, 8);
  const forged = { ...stranger, certificate: other.certificate };
  const journal = await openJournal(world);
  await journal.append(() => [enrolment(forged)]);
  expect(journal.state.devices.has(stranger.id)).toBe(false);
  expect(journal.state.skippedOperations).toBe(1);
  await world.remote.append(await forge(world, stranger));
  expect(await refusalCode(journal.refresh())).toBe('device_untrusted');
});

test('refuses what a device wrote after it was revoked, and keeps what it wrote before', async () => {
  const world = await newWorld();
  const stolen = await enrolDevice(world, 2);
  const onStolen = await openJournal(world, stolen);
  await onStolen.append(() => [fileAdd(1)]);
  const onLaptop = await openJournal(world);
  await onLaptop.append(() => [{ kind: 'device-revoke', device: stolen.id }]);
  expect(await refusalCode(onStolen.append(() => [fileAdd(2)]))).toBe('device_untrusted');
  expect(world.remote.log).toHaveLength(4);

  await world.remote.append(await forge(world, stolen));
  expectReadOnlyAt(await openJournal(world), 4, 'device_untrusted');
  expect(await refusalCode(onLaptop.refresh())).toBe('device_untrusted');
  expect(onLaptop.state.entry(idOf('file', 1))).toBeDefined();
  expect(onLaptop.state.entry(idOf('file', 50))).toBeUndefined();
});

test('an intent that the identity key signs can do no more than enrol, revoke and pin a keyring', async () => {
  const world = await worldOfThree();
  await world.remote.append(await forge(world, undefined));
  const journal = await openJournal(world);
  expect(journal.state.entry(idOf('file', 50))).toBeUndefined();
  expect(journal.state.skippedOperations).toBe(1);
  const bad = journal.appendByIdentity(world.identity.privateKey, [fileAdd(60)]);
  await expect(bad).rejects.toThrow(TypeError);
  const keyring = { kind: 'keyring', version: 2, hash: new Uint8Array(32) } as const;
  await expect(journal.append(() => [keyring])).rejects.toThrow(TypeError);
  await journal.appendByIdentity(world.identity.privateKey, [keyring]);
  expect(journal.state.keyring?.version).toBe(2);
});

test('refuses a genesis of another vault, account or identity', async () => {
  const world = await newWorld();
  const identity = identityOf(world, world.first);
  const others = [
    { vault: `${VAULT.slice(0, -1)}0` },
    { account: idOf('account', 2) },
    { identityPublicKey: world.first.keys.publicKey },
    { epoch: 2 },
    { vaultKey: new Uint8Array(32) },
  ];
  for (const other of others) {
    const failure = await refusal(openJournal(world, world.first, { identity: { ...identity, ...other } }));
    expect(failure).toMatchObject({ code: 'journal_corrupt', detail: { seq: 0 } });
  }
});

test('refuses a genesis that the broker made with a key of its own', async () => {
  const world = await newWorld();
  const evil = await certifiedDevice(world.first.keys, 1);
  world.remote.log[0] = await createGenesis({
    vault: VAULT,
    account: idOf('account', 1),
    epoch: 1,
    vaultKey: world.vaultKey,
    identityKey: world.first.keys.privateKey,
    identityPublicKey: world.identity.publicKey,
    inbox: { blob: idOf('inbox', 0), publicKey: new Uint8Array(32), epoch: 0 },
    device: { id: evil.id, publicKey: evil.keys.publicKey, name: 'x', certificate: evil.certificate },
    keyring: { version: 1, hash: new Uint8Array(32) },
    nowMs: 0,
  });
  expect(await refusalCode(openJournal(world))).toBe('journal_corrupt');
});

test('a vault that has keys here is missing when the remote has no journal, never new', async () => {
  const world = await newWorld();
  world.remote.log.length = 0;
  expect(await refusalCode(openJournal(world))).toBe('vault_missing');
});

test.each([0, 1, 507, 508, 509, 1020, 1021, 5000, 524_284])(
  'pads %d bytes to 512 · 2^k and back',
  (sizeBytes) => {
    const content = new Uint8Array(sizeBytes).fill(7);
    const bytes = padded(content);
    expect(Math.log2(bytes.length / 512) % 1).toBe(0);
    expect(bytes.length).toBeLessThanOrEqual(Math.max(512, 2 * (sizeBytes + 4)));
    expect(unpadded(bytes)).toEqual(content);
  },
);

test.each([
  ['too long a length', concat(u32be(509), new Uint8Array(508))],
  ['padding that is not zero', concat(u32be(1), new Uint8Array(507).fill(1))],
  ['more padding than needed', concat(u32be(1), new Uint8Array(1020))],
  ['no power of two', concat(u32be(1200), new Uint8Array(1532))],
  ['nothing', new Uint8Array(0)],
  ['a short block', u64be(0)],
])('refuses %s', (_, bytes) => {
  expect(unpadded(bytes)).toBeUndefined();
});

test('edits of any kind have one of few sizes', async () => {
  const world = await newWorld();
  const journal = await openJournal(world);
  for (let number = 1; number <= 30; number++) {
    await journal.append(() => [fileAdd(number, 'x'.repeat(number * 4))]);
    await journal.append(() => [
      { kind: 'rename', entry: idOf('file', number), name: 'y'.repeat(251 - number) },
    ]);
    await journal.append(() => [{ kind: 'trash', entry: idOf('file', number), atMs: number }]);
  }
  const sizes = new Set(world.remote.log.slice(1).map((segment) => segment.length));
  expect([...sizes]).toHaveLength(1);
});
