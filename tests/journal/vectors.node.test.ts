import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generateDeviceKeyPair } from '../../src/lib/crypto/signing.ts';
import { Journal } from '../../src/lib/journal/journal.ts';
import { loadSnapshot } from '../../src/lib/journal/snapshot.ts';
import { JournalKeys } from '../../src/lib/journal/journal-keys.ts';
import { fromHex } from '../crypto/hex.ts';
import { describe, makeGoldenVault } from './golden-vault.ts';
import { MemoryCache, MemoryRemote } from './memory-remote.ts';
import { idOf } from './world.ts';

const golden = new URL('../vectors/journal-v1/', import.meta.url);
const bytesOf = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(new URL(name, golden)));
const jsonOf = (name: string): unknown => JSON.parse(readFileSync(new URL(name, golden), 'utf8'));

const keys = jsonOf('keys.json') as {
  vault: string;
  account: string;
  epoch: number;
  vaultKeyHex: string;
  identityPublicKeyHex: string;
};
const vaultKey = fromHex(keys.vaultKeyHex);
const identityPublicKey = fromHex(keys.identityPublicKeyHex);

function goldenRemote(): MemoryRemote {
  const remote = new MemoryRemote();
  for (let seq = 0; seq < readdirSync(new URL('log/', golden)).length; seq++) {
    remote.log.push(bytesOf(`log/${String(seq)}`));
  }
  for (const seq of readdirSync(new URL('snapshots/', golden))) {
    for (const page of readdirSync(new URL(`snapshots/${seq}/`, golden))) {
      remote.pages.set(`${seq}/${page}`, bytesOf(`snapshots/${seq}/${page}`));
    }
  }
  return remote;
}

async function openGolden(): Promise<{ journal: Journal; remote: MemoryRemote }> {
  const remote = goldenRemote();
  const { vault, account, epoch } = keys;
  const device = { id: idOf('device', 1), ...(await generateDeviceKeyPair()) };
  const identity = { vault, account, vaultKeys: [{ epoch, vaultKey }], identityPublicKey, device };
  return {
    remote,
    journal: await Journal.open({ identity, remote, cache: new MemoryCache(), nowMs: () => 0 }),
  };
}

test('opens the golden journal of version 1 and finds what its makers found', async () => {
  const { journal } = await openGolden();
  expect(journal.problem).toBeUndefined();
  expect(JSON.parse(JSON.stringify(describe(journal)))).toEqual(jsonOf('expected.json'));
});

/** What does not change from one making to the next: everything but keys, signatures and hashes. */
const withoutHashes = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, part: unknown) => (/Hex$|^phrase$/.test(key) ? undefined : part)));

test('writes today what reads as the golden journal does', async () => {
  const { expected } = await makeGoldenVault();
  expect(withoutHashes(expected)).toEqual(withoutHashes(jsonOf('expected.json')));
});

test('opens the golden snapshot, and finds in it what the log says up to there', async () => {
  const { journal, remote } = await openGolden();
  const snapshot = journal.state.snapshot!;
  const root = { vault: keys.vault, account: keys.account, identityPublicKey };
  const trust = { root, keys: await JournalKeys.derive(keys.vault, [{ epoch: keys.epoch, vaultKey }]) };
  const { state, head } = await loadSnapshot(trust, remote, snapshot, keys.epoch);
  expect(head.seq).toBe(snapshot.seq);
  expect(journal.notes).toEqual([]);
  expect([...state.devices.keys()]).toEqual([...journal.state.devices.keys()]);
});
