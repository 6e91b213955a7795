import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { EnvelopeRecord } from '$contract/envelope.ts';
import type { BlobId } from '$contract/ids.ts';
import { encodeEnvelope } from '../../broker/domain/vault/keys.ts';
import { BrokerProblem } from '../../broker/domain/problem.ts';
import type { VaultKms } from '../../broker/ports/kms.ts';
import { MemoryVaultCloud, newVaultId, sha256B64 } from '../support/memory-vault-cloud.ts';
import {
  envelopeOf,
  newBlobId,
  newGrantId,
  newSession,
  openVault,
  startVaultSide,
} from '../support/vault-side.ts';

async function vaultWithGrant(
  releases = 1000,
  kms?: (kms: VaultKms) => VaultKms,
  clock: () => number = Date.now,
) {
  const cloud = new MemoryVaultCloud();
  const ports = { state: cloud.state, objects: cloud.vaultObjects, purger: cloud.purger };
  const broker = startVaultSide({ ...ports, kms: kms ? kms(cloud.kms) : cloud.kms }, { clock });
  const session = newSession();
  const vault = newVaultId();
  await openVault(broker, session, vault);
  const { id: grant } = await broker.grants.issue(session, { kind: 'release', releases });
  return { cloud, broker, session, vault, grant };
}

type Setting = Awaited<ReturnType<typeof vaultWithGrant>>;

/** Makes a half for each blob and files its envelope. */
async function fileBlobs({ cloud, broker, session, vault, grant }: Setting, n: number) {
  const blobs = Array.from({ length: n }, newBlobId);
  const made = await broker.keys.generate(session, vault, { grant, purpose: 'file', epoch: 0, blobs });
  for (const blob of blobs) await cloud.vaultObjects.create(vault, `blobs/${blob}`, randomBytes(9));
  const envelopes = made.map(({ blob, kmsBlob, proof }) => ({ blob, envelope: envelopeOf(kmsBlob), proof }));
  expect(await broker.keys.write(session, vault, { envelopes })).toEqual([]);
  return made;
}

describe('making and releasing KMS halves', () => {
  it('releases the half that was made, with the envelope as it was written', async () => {
    const setting = await vaultWithGrant();
    const { broker, session, vault, grant } = setting;
    const made = await fileBlobs(setting, 3);
    const names = made.map(({ blob }) => ({ blob, epoch: 0 }));
    const { keys, absent } = await broker.keys.release(session, vault, { grant, purpose: 'file', names });
    expect(absent).toEqual([]);
    expect(keys.map(({ blob, kmsHalf }) => [blob, kmsHalf])).toEqual(
      made.map(({ blob, kmsHalf }) => [blob, kmsHalf]),
    );
  });

  it('asks KMS with app, purpose, the checked vault and the blob, and nothing else', async () => {
    const { cloud, broker, session, vault, grant } = await vaultWithGrant();
    const blob = newBlobId();
    await broker.keys.generate(session, vault, { grant, purpose: 'inbox', epoch: 0, blobs: [blob] });
    expect(cloud.kmsCalls).toEqual([{ vault, context: { app: 'halfkey', purpose: 'inbox', vault, blob } }]);
  });

  it('names the blobs without an envelope, and charges for them too', async () => {
    const setting = await vaultWithGrant(3);
    const { broker, session, vault, grant } = setting;
    const [made] = await fileBlobs(setting, 1);
    if (!made) throw new Error('expected a key');
    const lacking = { blob: newBlobId(), epoch: 0 };
    const later = { blob: made.blob, epoch: 1 };
    const names = [lacking, { blob: made.blob, epoch: 0 }, later];
    const { keys, absent } = await broker.keys.release(session, vault, { grant, purpose: 'file', names });
    expect(keys.map(({ blob }) => blob)).toEqual([made.blob]);
    expect(absent).toEqual([lacking, later]);
    await expect(
      broker.keys.release(session, vault, { grant, purpose: 'file', names: [later] }),
    ).rejects.toMatchObject({ code: 'grant_spent' });
  });

  it('refuses the 1,001st release without a call to KMS', async () => {
    const setting = await vaultWithGrant(1000);
    const { cloud, broker, session, vault, grant } = setting;
    const names = (await fileBlobs(setting, 100)).map(({ blob }) => ({ blob, epoch: 0 }));
    const before = cloud.kmsCalls.length;
    for (let batch = 0; batch < 10; batch += 1) {
      await broker.keys.release(session, vault, { grant, purpose: 'file', names });
    }
    const calls = cloud.kmsCalls.length;
    await expect(
      broker.keys.release(session, vault, { grant, purpose: 'file', names: names.slice(0, 1) }),
    ).rejects.toMatchObject({ code: 'grant_spent' });
    expect(calls - before).toBe(1000);
    expect(cloud.kmsCalls).toHaveLength(calls);
  });

  it('makes 10,000 halves a code, and no more, besides its releases', async () => {
    const setting = await vaultWithGrant(1);
    const { cloud, broker, session, vault, grant } = setting;
    const make = (n: number) =>
      broker.keys.generate(session, vault, {
        grant,
        purpose: 'file',
        epoch: 0,
        blobs: Array.from({ length: n }, newBlobId),
      });
    const [made] = await fileBlobs(setting, 1);
    if (!made) throw new Error('expected a key');
    for (let batch = 0; batch < 99; batch += 1) await make(100);
    await expect(make(100)).rejects.toMatchObject({ code: 'grant_spent' });
    await make(99);
    const calls = cloud.kmsCalls.length;
    await expect(make(1)).rejects.toMatchObject({ code: 'grant_spent' });
    expect(calls).toBe(10_000);
    expect(cloud.kmsCalls).toHaveLength(calls);

    // Nobody's secrets were asked for: the one release is still there, and no refusal of one is in the log.
    const names = [{ blob: made.blob, epoch: 0 }];
    expect((await broker.keys.release(session, vault, { grant, purpose: 'file', names })).keys).toHaveLength(
      1,
    );
    await expect(
      broker.keys.release(session, vault, { grant, purpose: 'file', names }),
    ).rejects.toMatchObject({ code: 'grant_spent' });
    const { events } = await broker.events.read(session.account, 0);
    expect(events.filter(({ kind }) => kind === 'release-refused')).toHaveLength(1);
  });

  it('logs once for each grant that more was wanted than it had, before it is refused', async () => {
    const { cloud, broker, session, vault, grant } = await vaultWithGrant(1);
    const ports = { state: cloud.state, objects: cloud.vaultObjects, kms: cloud.kms, purger: cloud.purger };
    const brokers = [broker, startVaultSide(ports), startVaultSide(ports)];
    const blobs = [newBlobId(), newBlobId()];
    const logged = async () => {
      const { events } = await startVaultSide(ports).events.read(session.account, 0);
      return events.filter(({ kind }) => kind === 'release-refused');
    };
    const ask = (of: string, at = broker) =>
      at.keys.release(session, vault, {
        grant: of as typeof grant,
        purpose: 'file',
        names: blobs.map((blob) => ({ blob, epoch: 0 })),
      });
    const raced = Array.from({ length: 12 }, (_none, index) => ask(grant, brokers[index % 3]));
    await expect(Promise.any(raced.map((one) => one.then(() => undefined, logged)))).resolves.toHaveLength(1);
    for (const one of raced) await expect(one).rejects.toMatchObject({ code: 'grant_spent' });
    await expect(ask(grant)).rejects.toMatchObject({ code: 'grant_spent' });
    expect(await logged()).toMatchObject([{ vault, device: session.device, blobs, grant }]);
    await expect(ask(newBlobId())).rejects.toMatchObject({ code: 'grant_missing' });
    const { id: next } = await broker.grants.issue(session, { kind: 'release', releases: 1 });
    await expect(ask(next)).rejects.toMatchObject({ code: 'grant_spent' });
    expect((await logged()).map((event) => event.grant)).toEqual([grant, next]);
  });

  it('refuses what cannot be logged as a store that gives no answer, and logs it at the next try', async () => {
    const { cloud, broker, session, vault, grant } = await vaultWithGrant(1);
    const ports = { state: cloud.state, objects: cloud.vaultObjects, kms: cloud.kms, purger: cloud.purger };
    const failing = startVaultSide(ports, {
      events: { ...broker.events, appendOnce: () => Promise.reject(new BrokerProblem('store_unreachable')) },
    });
    const names = [newBlobId(), newBlobId()].map((blob) => ({ blob, epoch: 0 }));
    const order = { grant, purpose: 'file' as const, names };
    await expect(failing.keys.release(session, vault, order)).rejects.toMatchObject({
      code: 'store_unreachable',
    });
    expect((await broker.events.read(session.account, 0)).events).toEqual([]);
    await expect(broker.keys.release(session, vault, order)).rejects.toMatchObject({ code: 'grant_spent' });
    expect((await broker.events.read(session.account, 0)).events).toMatchObject([
      { kind: 'release-refused' },
    ]);
  });

  it('charges a batch as a whole or not at all', async () => {
    const setting = await vaultWithGrant(5);
    const { cloud, broker, session, vault, grant } = setting;
    const all = (await fileBlobs(setting, 6)).map(({ blob }) => ({ blob, epoch: 0 }));
    const release = (names: typeof all) =>
      broker.keys.release(session, vault, { grant, purpose: 'file', names });
    const calls = cloud.kmsCalls.length;
    await expect(release(all)).rejects.toMatchObject({ code: 'grant_spent' });
    expect(cloud.kmsCalls).toHaveLength(calls);
    expect((await release(all.slice(1))).keys).toHaveLength(5);
  });

  it('never gives out more than the grant, however many ask at once at two brokers', async () => {
    const setting = await vaultWithGrant(10);
    const { cloud, broker, session, vault, grant } = setting;
    const names = (await fileBlobs(setting, 1)).map(({ blob }) => ({ blob, epoch: 0 }));
    const calls = cloud.kmsCalls.length;
    const other = startVaultSide({
      state: cloud.state,
      objects: cloud.vaultObjects,
      kms: cloud.kms,
      purger: cloud.purger,
    });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 16 }, (_none, index) =>
        (index % 2 ? broker : other).keys.release(session, vault, { grant, purpose: 'file', names }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    expect(cloud.kmsCalls).toHaveLength(calls + 10);
  });

  it('has written the grant and the event before KMS is asked', async () => {
    const seen: (number | undefined)[] = [];
    const setting = await vaultWithGrant(3, (kms) => ({
      ...kms,
      generateDataKey: async (...args) => {
        const { events } = await setting.broker.events.read(setting.session.account, 0);
        seen.push(events.length);
        expect(events[0]).toMatchObject({
          kind: 'generated',
          vault: setting.vault,
          device: setting.session.device,
        });
        return kms.generateDataKey(...args);
      },
    }));
    const { broker, session, vault, grant } = setting;
    await broker.keys.generate(session, vault, { grant, purpose: 'file', epoch: 0, blobs: [newBlobId()] });
    expect(seen).toEqual([1]);
  });

  it('asks nothing of KMS when the event cannot be written', async () => {
    const cloud = new MemoryVaultCloud();
    const ports = { state: cloud.state, objects: cloud.vaultObjects, kms: cloud.kms, purger: cloud.purger };
    const broker = startVaultSide(ports, {
      events: {
        head: () => Promise.resolve(undefined),
        append: () => Promise.reject(new BrokerProblem('store_unreachable')),
        appendOnce: () => Promise.reject(new BrokerProblem('store_unreachable')),
      },
    });
    const session = newSession();
    const { id: grant } = await broker.grants.issue(session, { kind: 'release' });
    await expect(
      broker.keys.generate(session, newVaultId(), { grant, purpose: 'file', epoch: 0, blobs: [newBlobId()] }),
    ).rejects.toMatchObject({ code: 'store_unreachable' });
    expect(cloud.kmsCalls).toEqual([]);
  });

  it('makes at most 50 halves at a time', async () => {
    let running = 0;
    let most = 0;
    const setting = await vaultWithGrant(100, (kms) => ({
      ...kms,
      generateDataKey: async (...args) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return kms.generateDataKey(...args);
      },
    }));
    const blobs = Array.from({ length: 100 }, newBlobId);
    await setting.broker.keys.generate(setting.session, setting.vault, {
      grant: setting.grant,
      purpose: 'file',
      epoch: 0,
      blobs,
    });
    expect(most).toBe(50);
  });

  it.each(['purge', 'another session', 'another account'] as const)(
    'refuses a grant of %s, without a call to KMS',
    async (whose) => {
      const { cloud, broker, session, vault } = await vaultWithGrant();
      const holder = {
        purge: session,
        'another session': { ...session, sessionId: newSession().sessionId },
        'another account': newSession(),
      }[whose];
      const { id } = await broker.grants.issue(holder, { kind: whose === 'purge' ? 'purge' : 'release' });
      await expect(
        broker.keys.generate(session, vault, { grant: id, purpose: 'file', epoch: 0, blobs: [newBlobId()] }),
      ).rejects.toMatchObject({ code: 'grant_missing' });
      expect(cloud.kmsCalls).toEqual([]);
    },
  );
});

interface Made {
  readonly blob: BlobId;
  readonly kmsBlob: Uint8Array;
  readonly proof: string;
  readonly envelope: EnvelopeRecord;
}

describe('envelopes', () => {
  /** One half, and an envelope for it. */
  async function makeOne(setting: Setting, purpose: 'file' | 'inbox' = 'file', epoch = 0) {
    const { cloud, broker, session, vault, grant } = setting;
    const blob = newBlobId();
    const order = { grant, purpose, epoch, blobs: [blob] };
    const [made] = await broker.keys.generate(session, vault, order);
    if (!made) throw new Error('expected a half');
    if (purpose === 'file') await cloud.vaultObjects.create(vault, `blobs/${blob}`, randomBytes(9));
    return { ...made, envelope: envelopeOf(made.kmsBlob, epoch, purpose) };
  }

  it('are taken as often as they come, and no other for the same name; each is refused by itself', async () => {
    const setting = await vaultWithGrant();
    const { broker, session, vault } = setting;
    const [one, two] = [await makeOne(setting), await makeOne(setting)];
    const write = (...envelopes: (typeof one)[]) => broker.keys.write(session, vault, { envelopes });
    expect([await write(one), await write(one)]).toEqual([[], []]);
    const other = { ...one, envelope: envelopeOf(one.kmsBlob) };
    expect(await write(other, two)).toEqual([{ blob: one.blob, epoch: 0, code: 'already_exists' }]);
    const names = [{ blob: two.blob, epoch: 0 }];
    const { keys } = await broker.keys.release(session, vault, {
      grant: setting.grant,
      purpose: 'file',
      names,
    });
    expect(keys).toHaveLength(1);
  });

  it('are taken for a quarter of an hour with what came with the half, grant or none, and not longer', async () => {
    let nowMs = 1_700_000_000_000;
    const setting = await vaultWithGrant(1000, undefined, () => nowMs);
    const { broker, session, vault } = setting;
    const [early, late] = [await makeOne(setting), await makeOne(setting)];
    nowMs += 900_000 - 1;
    expect(await broker.keys.write(session, vault, { envelopes: [early] })).toEqual([]);
    nowMs += 1;
    expect(await broker.keys.write(session, vault, { envelopes: [late] })).toMatchObject([
      { code: 'grant_missing' },
    ]);
  });

  it.each<[string, (made: Made, other: Made) => object]>([
    ['none', ({ blob, envelope }) => ({ blob, envelope })],
    ['that of another half', (made, { proof }) => ({ ...made, proof })],
    ['its own, at another blob', (made, { blob }) => ({ ...made, blob })],
    ['its own, in another epoch', (made) => ({ ...made, envelope: { ...made.envelope, epoch: 1 } })],
    [
      'its own, for another purpose',
      (made) => ({ ...made, envelope: { ...made.envelope, purpose: 'inbox' } }),
    ],
    [
      'its own, around another KMS blob',
      (made, other) => ({ ...made, envelope: { ...made.envelope, kmsBlob: other.envelope.kmsBlob } }),
    ],
    ['its own, made to last longer', (made) => ({ ...made, proof: `_____${made.proof.slice(5)}` })],
  ])('with %s for a proof are refused', async (_what, change) => {
    const setting = await vaultWithGrant();
    const { broker, session, vault, cloud } = setting;
    const bad = change(await makeOne(setting), await makeOne(setting)) as Made;
    const written = await broker.keys.write(session, vault, { envelopes: [bad, await makeOne(setting)] });
    expect(written).toMatchObject([{ blob: bad.blob, code: 'grant_missing' }]);
    expect([...cloud.objects.keys()].filter((key) => key.includes(`keys/${bad.blob}`))).toEqual([]);
  });

  it('with the proof of another vault are refused', async () => {
    const [here, there] = [await vaultWithGrant(), await vaultWithGrant()];
    const made = await makeOne(there);
    await here.cloud.vaultObjects.create(here.vault, `blobs/${made.blob}`, randomBytes(9));
    expect(await here.broker.keys.write(here.session, here.vault, { envelopes: [made] })).toMatchObject([
      { code: 'grant_missing' },
    ]);
  });

  it('for a file are taken beside its blob alone', async () => {
    const setting = await vaultWithGrant();
    const { broker, session, vault, cloud } = setting;
    const bare = await makeOne(setting);
    cloud.objects.delete(`v/${vault}/blobs/${bare.blob}`);
    const ofInbox = await makeOne(setting, 'inbox');
    expect(await broker.keys.write(session, vault, { envelopes: [bare, ofInbox] })).toEqual([
      { blob: bare.blob, epoch: 0, code: 'upload_lost' },
    ]);
  });

  it('are wrapped anew behind a live grant, around the KMS blob of one that stands and no other', async () => {
    const setting = await vaultWithGrant();
    const { broker, session, vault, grant } = setting;
    const [one, two] = [await makeOne(setting), await makeOne(setting)];
    await broker.keys.write(session, vault, { envelopes: [one, two] });
    const anew = (kmsBlob: Uint8Array) => [{ blob: one.blob, envelope: envelopeOf(kmsBlob, 1) }];
    const write = (order: Parameters<typeof broker.keys.write>[2]) =>
      broker.keys.write(session, vault, order);
    expect(await write({ envelopes: anew(one.kmsBlob) })).toMatchObject([{ code: 'grant_missing' }]);
    expect(await write({ grant, envelopes: anew(two.kmsBlob) })).toMatchObject([{ code: 'grant_missing' }]);
    await expect(write({ grant: newGrantId(), envelopes: anew(one.kmsBlob) })).rejects.toMatchObject({
      code: 'grant_missing',
    });
    expect(await write({ grant, envelopes: anew(one.kmsBlob) })).toEqual([]);
  });

  it.each<[string, (bytes: Buffer) => Uint8Array]>([
    ['that is no JSON', () => Buffer.from('{')],
    ['that lacks a field', (bytes) => Buffer.from(bytes.toString().replace('"salt"', '"pepper"'))],
    [
      'whose KMS blob is empty',
      (bytes) => Buffer.from(bytes.toString().replace(/"kmsBlob":"[^"]*"/, '"kmsBlob":""')),
    ],
  ])('that are damaged are refused by themselves: one %s', async (_name, damage) => {
    const setting = await vaultWithGrant();
    const { cloud, broker, session, vault, grant } = setting;
    const made = await fileBlobs(setting, 2);
    const key = `v/${vault}/keys/${made[1]?.blob ?? ''}/0`;
    const bytes = damage(Buffer.from(cloud.objects.get(key)?.bytes ?? []));
    cloud.objects.set(key, { bytes, sha256: sha256B64(bytes) });
    const names = made.map(({ blob }) => ({ blob, epoch: 0 }));
    const { keys, refused } = await broker.keys.release(session, vault, { grant, purpose: 'file', names });
    expect(keys.map(({ blob }) => blob)).toEqual([made[0]?.blob]);
    expect(refused).toEqual([{ ...names[1], code: 'record_corrupt' }]);
  });

  it.each<[string, 'file' | 'inbox', boolean]>([
    ['of another purpose', 'inbox', true],
    ['moved here from another blob', 'file', false],
  ])('release no half %s', async (_name, purpose, own) => {
    const setting = await vaultWithGrant();
    const { cloud, broker, session, vault, grant } = setting;
    const [made] = await fileBlobs(setting, 1);
    if (!made) throw new Error('expected a key');
    const moved = newBlobId();
    // By somebody who writes to the bucket itself.
    const bytes = encodeEnvelope(envelopeOf(made.kmsBlob));
    await cloud.vaultObjects.create(vault, `keys/${moved}/0`, bytes);
    const names = [{ blob: own ? made.blob : moved, epoch: 0 }];
    const { keys, refused } = await broker.keys.release(session, vault, { grant, purpose, names });
    expect([keys, refused]).toEqual([[], [{ ...names[0], code: 'record_corrupt' }]]);
  });

  it('rest as JSON in the order of the schema, whatever order they came in', () => {
    const envelope = envelopeOf(Buffer.alloc(8));
    const backwards = Object.fromEntries(Object.entries(envelope).reverse()) as typeof envelope;
    expect(encodeEnvelope(backwards)).toEqual(encodeEnvelope(envelope));
  });
});

describe('what was deleted for good', () => {
  /** A file that was purged, with what its envelope was; somebody has put that back. */
  async function putBack() {
    const setting = await vaultWithGrant();
    const { cloud, broker, session, vault } = setting;
    const [gone, kept] = await fileBlobs(setting, 2);
    if (!gone || !kept) throw new Error('expected two files');
    const key = `v/${vault}/keys/${gone.blob}/0`;
    const before = cloud.objects.get(key)!;
    const { id: grant } = await broker.grants.issue(session, { kind: 'purge' });
    expect(await broker.purge.purge(session, vault, { grant, blobs: [gone.blob] })).toEqual([]);
    expect(cloud.objects.has(key)).toBe(false);
    cloud.objects.set(key, before);
    return { ...setting, gone, kept };
  }

  it('is not released, though its envelope is put back; what is beside it is', async () => {
    const { broker, session, vault, grant, gone, kept } = await putBack();
    const names = [gone, kept].map(({ blob }) => ({ blob, epoch: 0 }));
    const { keys, refused } = await broker.keys.release(session, vault, { grant, purpose: 'file', names });
    expect(keys.map(({ blob }) => blob)).toEqual([kept.blob]);
    expect(refused).toEqual([{ ...names[0], code: 'purged' }]);
  });

  it('gets no envelope any more', async () => {
    const { cloud, broker, session, vault, grant, gone } = await putBack();
    await cloud.vaultObjects.create(vault, `blobs/${gone.blob}`, randomBytes(9));
    const order = { grant, purpose: 'file' as const, epoch: 1, blobs: [gone.blob] };
    const [made] = await broker.keys.generate(session, vault, order);
    const envelopes = [{ ...made!, envelope: envelopeOf(made!.kmsBlob, 1) }];
    expect(await broker.keys.write(session, vault, { envelopes })).toMatchObject([{ code: 'purged' }]);
  });

  it('is noted before anything of it is erased, and looked for after the envelope was read', async () => {
    const setting = await vaultWithGrant();
    const { cloud, broker, session, vault } = setting;
    const [one] = await fileBlobs(setting, 1);
    const purged = `v/${vault}/purged/${one!.blob}`;
    const eraseBelow = cloud.purger.eraseBelow.bind(cloud.purger);
    let wasNoted: boolean | undefined;
    cloud.purger.eraseBelow = (...args) => {
      wasNoted ??= cloud.objects.has(purged);
      return eraseBelow(...args);
    };
    const { id: grant } = await broker.grants.issue(session, { kind: 'purge' });
    await broker.purge.purge(session, vault, { grant, blobs: [one!.blob] });
    expect([wasNoted, cloud.objects.has(purged)]).toEqual([true, true]);

    const asked: string[] = [];
    for (const what of ['read', 'list'] as const) {
      const { vaultObjects } = cloud;
      const own = vaultObjects[what].bind(vaultObjects) as (...args: unknown[]) => Promise<unknown>;
      Object.assign(cloud.vaultObjects, {
        [what]: async (...args: unknown[]) => {
          const answer = await own(...args);
          asked.push(what);
          return answer;
        },
      });
    }
    const [two] = await fileBlobs(setting, 1);
    asked.length = 0;
    const names = [{ blob: two!.blob, epoch: 0 }];
    await broker.keys.release(session, vault, { grant: setting.grant, purpose: 'file', names });
    expect(asked).toEqual(['read', 'list']);
  });

  it('is refused, too, while nobody can say whether it was', async () => {
    const setting = await vaultWithGrant();
    const { cloud, broker, session, vault, grant } = setting;
    const [one] = await fileBlobs(setting, 1);
    cloud.vaultObjects.list = () => Promise.reject(new BrokerProblem('store_unreachable'));
    const calls = cloud.kmsCalls.length;
    const names = [{ blob: one!.blob, epoch: 0 }];
    await expect(
      broker.keys.release(session, vault, { grant, purpose: 'file', names }),
    ).rejects.toMatchObject({ code: 'store_unreachable' });
    expect(cloud.kmsCalls).toHaveLength(calls);
  });

  it('and kept by the store is said by itself', async () => {
    const setting = await vaultWithGrant();
    const { cloud, broker, session, vault } = setting;
    const [held, gone] = await fileBlobs(setting, 2);
    cloud.held.add(`v/${vault}/blobs/${held!.blob}`);
    const { id: grant } = await broker.grants.issue(session, { kind: 'purge' });
    const blobs = [held!.blob, gone!.blob];
    expect(await broker.purge.purge(session, vault, { grant, blobs })).toEqual([
      { blob: held!.blob, code: 'store_refused' },
    ]);
    expect(cloud.objects.has(`v/${vault}/blobs/${gone!.blob}`)).toBe(false);
  });
});
