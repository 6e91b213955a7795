import type { BlobId, GrantId, VaultId } from '$contract/ids.ts';
import { envelopesWrite, keysGenerate } from '$contract/vault.ts';
import { expect, it } from 'vitest';
import { toB64Url } from '../../src/lib/bytes.ts';
import { randomBytes, randomId } from '../../src/lib/crypto/random.ts';
import { HalfkeyError } from '../../src/lib/errors.ts';
import type { Journal } from '../../src/lib/journal/journal.ts';
import type { Broker } from '../../src/lib/remote/broker.ts';
import { Adopter, type Adoptable } from '../../src/lib/transfer/adopt.ts';
import { planBlob } from '../../src/lib/transfer/plan.ts';
import { fileAdd, newWorld, openJournal, VAULT } from '../journal/world.ts';

/** What a broker does for adopting, in memory, and how much of it one code buys. */
async function newVault(releasesPerCode: number) {
  const world = await newWorld();
  const journal = await openJournal(world);
  const asked: string[] = [];
  let left = releasesPerCode;
  let hold: Promise<void> = Promise.resolve();
  const broker = {
    async call(route: unknown, request: { blobs?: readonly string[] }) {
      asked.push(route === keysGenerate ? 'keys' : 'envelopes');
      await hold;
      if (route === envelopesWrite) return {};
      const blobs = request.blobs ?? [];
      if (left < blobs.length) throw new HalfkeyError('grant_spent', '');
      left -= blobs.length;
      const half = () => ({ kmsHalf: toB64Url(randomBytes(32)), kmsBlob: toB64Url(randomBytes(64)) });
      return { keys: blobs.map((blob) => ({ blob, ...half() })) };
    },
  } as Broker;
  const adopter = new Adopter(() => ({
    vault: VAULT as VaultId,
    epoch: 1,
    vaultKey: world.vaultKey,
    broker,
    journal,
    requireGrant: () => randomId() as GrantId,
    releasesPerCode: () => releasesPerCode,
  }));
  return {
    journal,
    adopter,
    asked,
    hold: (until: Promise<void>): void => {
      hold = until;
    },
    buy: () => (left = releasesPerCode),
  };
}

function adoptable(number: number, signal = new AbortController().signal): Adoptable {
  const operation = fileAdd(number);
  if (operation.kind !== 'file-add') throw new TypeError('expected a file');
  const { blob, digest } = operation.version;
  const uploaded = { blob: blob as BlobId, contentKey: randomBytes(32), plan: planBlob(1), digest };
  return { uploaded, operation, signal };
}

const files = (journal: Journal): number => journal.state.entries.ids.length;

it('never lets a file that was cancelled before its turn pass for one that is safe', async () => {
  const { adopter, journal, hold } = await newVault(100);
  let letGo: () => void = () => undefined;
  hold(new Promise((resolve) => (letGo = resolve)));
  const controller = new AbortController();
  const first = adopter.adopt(adoptable(1));
  const second = adopter.adopt(adoptable(2, controller.signal));
  const third = adopter.adopt(adoptable(3));
  controller.abort();
  letGo();
  await expect(second).rejects.toMatchObject({ name: 'AbortError' });
  await Promise.all([first, third]);
  expect(files(journal)).toBe(2);
});

it('adopts more files than one code buys, a code after the other', async () => {
  const { adopter, journal, buy } = await newVault(2);
  const waiting = [1, 2, 3, 4, 5].map((number) => adoptable(number));
  let codes = 1;
  for (;;) {
    const outcomes = await Promise.allSettled(waiting.map((each) => adopter.adopt(each)));
    if (outcomes.every(({ status }) => status === 'fulfilled')) break;
    expect(++codes).toBeLessThan(5);
    buy();
  }
  expect(codes).toBe(3);
  expect(files(journal)).toBe(5);
});

it('names a file once, though the answer to its entry was lost', async () => {
  const { adopter, journal, asked } = await newVault(100);
  const once = adoptable(1);
  await adopter.adopt(once);
  await adopter.adopt({ ...once, uploaded: { ...once.uploaded, contentKey: randomBytes(32) } });
  expect(files(journal)).toBe(1);
  expect(journal.state.skippedOperations).toBe(0);
  expect(asked).toHaveLength(4);
});
