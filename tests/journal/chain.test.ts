import { expect, test } from 'vitest';
import { concat, equalBytes, u32be, u64be } from '../../src/lib/bytes.ts';
import { encodeOperation } from '../../src/lib/journal/entries/operation-codec.ts';
import { journalKey, sealSegment } from '../../src/lib/journal/entries/segment.ts';
import { padded, unpadded } from '../../src/lib/journal/entries/segment-padding.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { fileAdd, idOf, newWorld, openedSegment, openJournal, VAULT } from './world.ts';

test('what the identity key signs does nothing with files', async () => {
  const world = await newWorld();
  const { head } = await openJournal(world);
  const key = await journalKey(VAULT, 0, world.vaultKey);
  const byIdentity = { device: undefined, privateKey: world.identity.privateKey };
  await world.remote.append(await sealSegment(key, head, encodeOperation(fileAdd(50)), byIdentity));
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

test('a genesis follows nothing', async () => {
  const world = await newWorld();
  const key = await journalKey(VAULT, 0, world.vaultKey);
  const { sequence } = await openedSegment(key, 0, world.remote.log[0]!);
  const byIdentity = { device: undefined, privateKey: world.identity.privateKey };
  const before = (fill: number) => ({ seq: -1, hash: new Uint8Array(32).fill(fill) });
  world.remote.log[0] = await sealSegment(key, before(0), sequence, byIdentity);
  expect((await openJournal(world)).head.seq).toBe(0);
  world.remote.log[0] = await sealSegment(key, before(7), sequence, byIdentity);
  expect(await refusalCode(openJournal(world))).toBe('fork');
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
    expect(equalBytes(unpadded(bytes) ?? new Uint8Array(1), content)).toBe(true);
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
