import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BlobId } from '$contract/ids.ts';
import { keysRelease } from '$contract/vault-keys.ts';
import { namesOf, ReleasedAhead } from '../../src/lib/vault/released-ahead.ts';
import { Adopter } from '../../src/lib/transfer/adoption/adopting.ts';
import { randomBytes } from '../../src/lib/crypto/random.ts';
import { captured } from '../inbox/inbox-world.ts';
import { idOf, versionOf } from '../journal/world.ts';
import { openVaultWorld, type VaultWorld } from '../support/vault-world.ts';

let world: VaultWorld;
const contentKey = randomBytes(32);
const file = idOf('file', 1);
const name = { blob: versionOf(1).blob as BlobId, epoch: versionOf(1).epoch };

beforeEach(async () => {
  world = await openVaultWorld();
  const version = versionOf(1);
  await world.cloud.vaultObjects.create(world.vault, `blobs/${version.blob}`, new Uint8Array(50));
  const adopted = captured({ file, folder: '', name: 'a.txt', contentKey, version });
  await new Adopter(() => world.open).adopt(adopted, new AbortController().signal);
});
afterEach(() => {
  vi.useRealTimers();
});

/** What a code brings that was typed for the file. */
async function release() {
  const grant = world.open.requireGrant();
  const order = { grant, purpose: 'file' as const, names: [name] };
  const released = await world.broker.call(keysRelease, order, { vault: world.vault });
  const urls = [{ blob: name.blob, url: 'https://store.test/a' }];
  return ReleasedAhead.open(world.open, [name], { ...released, urls });
}

describe('a key that came with the code', () => {
  it('is taken once, with the URL of its ciphertext', async () => {
    const ahead = await release();
    expect(ahead.take(name)).toEqual({ contentKey, url: 'https://store.test/a' });
    expect(ahead.take(name)).toBeUndefined();
  });

  it('is of that envelope alone', async () => {
    const ahead = await release();
    expect(ahead.take({ ...name, epoch: name.epoch + 1 })).toBeUndefined();
    expect(ahead.take(name)?.contentKey).toEqual(contentKey);
  });

  it('is no more once it is locked, or when nobody has taken it soon', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const [locked, left] = [await release(), await release()];
    locked.wipe();
    expect(locked.take(name)).toBeUndefined();
    vi.runAllTimers();
    expect(left.take(name)).toBeUndefined();
  });

  it('is left out where it does not open: the file is asked for by itself', async () => {
    const released = { keys: [], absent: [name], refused: [], urls: [] };
    expect((await ReleasedAhead.open(world.open, [name], released)).take(name)).toBeUndefined();
  });
});

it('is asked for by the newest version of what is a file, and once: no second copy of it stays', () => {
  expect(namesOf(world.journal.state, [file, idOf('file', 2), file])).toEqual([name]);
});
