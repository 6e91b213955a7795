import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodeEnvelope } from '../../broker/domain/vault/keys.ts';
import { BrokerProblem } from '../../broker/domain/problem.ts';
import type { VaultKms } from '../../broker/ports/kms.ts';
import { MemoryVaultCloud, newVaultId, sha256B64 } from '../support/memory-vault-cloud.ts';
import { envelopeOf, newBlobId, newSession, openVault, startVaultSide } from '../support/vault-side.ts';

async function vaultWithGrant(releases = 1000, kms?: (kms: VaultKms) => VaultKms) {
  const cloud = new MemoryVaultCloud();
  const broker = startVaultSide({
    state: cloud.state,
    objects: cloud.vaultObjects,
    kms: kms ? kms(cloud.kms) : cloud.kms,
    purger: cloud.purger,
  });
  const session = newSession();
  const vault = newVaultId();
  await openVault(broker, session, vault);
  const { id: grant } = await broker.grants.issue(session, { kind: 'release', releases });
  return { cloud, broker, session, vault, grant };
}

/** Makes a half for each blob and files its envelope. */
async function fileBlobs(
  { broker, session, vault, grant }: Awaited<ReturnType<typeof vaultWithGrant>>,
  n: number,
) {
  const blobs = Array.from({ length: n }, newBlobId);
  const made = await broker.keys.generate(session, vault, { grant, purpose: 'file', blobs });
  await broker.keys.write(
    vault,
    made.map(({ blob, kmsBlob }) => ({ blob, envelope: envelopeOf(kmsBlob) })),
  );
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
    await broker.keys.generate(session, vault, { grant, purpose: 'inbox', blobs: [blob] });
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
    await broker.keys.generate(session, vault, { grant, purpose: 'file', blobs: [newBlobId()] });
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
      broker.keys.generate(session, newVaultId(), { grant, purpose: 'file', blobs: [newBlobId()] }),
    ).rejects.toMatchObject({ code: 'store_unreachable' });
    expect(cloud.kmsCalls).toEqual([]);
  });

  it('has at most 16 requests to KMS under way', async () => {
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
      blobs,
    });
    expect(most).toBe(16);
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
        broker.keys.generate(session, vault, { grant: id, purpose: 'file', blobs: [newBlobId()] }),
      ).rejects.toMatchObject({ code: 'grant_missing' });
      expect(cloud.kmsCalls).toEqual([]);
    },
  );
});

describe('envelopes', () => {
  it('takes the same envelope again, refuses another for the same name, and says which', async () => {
    const { broker, vault } = await vaultWithGrant();
    const [one, two] = [newBlobId(), newBlobId()];
    const envelope = envelopeOf(randomBytes(64));
    await broker.keys.write(vault, [{ blob: one, envelope }]);
    await broker.keys.write(vault, [{ blob: one, envelope }]);
    await expect(
      broker.keys.write(vault, [
        { blob: two, envelope },
        { blob: one, envelope: envelopeOf(randomBytes(64)) },
      ]),
    ).rejects.toMatchObject({ code: 'already_exists', fields: ['envelopes.1'] });
  });

  it.each<[string, (bytes: Buffer) => Uint8Array]>([
    ['that is no JSON', () => Buffer.from('{')],
    ['that lacks a field', (bytes) => Buffer.from(bytes.toString().replace('"salt"', '"pepper"'))],
    [
      'whose KMS blob is empty',
      (bytes) => Buffer.from(bytes.toString().replace(/"kmsBlob":"[^"]*"/, '"kmsBlob":""')),
    ],
  ])('says which envelope of a batch is damaged: one %s', async (_name, damage) => {
    const setting = await vaultWithGrant();
    const { cloud, broker, session, vault, grant } = setting;
    const made = await fileBlobs(setting, 2);
    const key = `v/${vault}/keys/${made[1]?.blob ?? ''}/0`;
    const bytes = damage(Buffer.from(cloud.objects.get(key)?.bytes ?? []));
    cloud.objects.set(key, { bytes, sha256: sha256B64(bytes) });
    const names = made.map(({ blob }) => ({ blob, epoch: 0 }));
    await expect(
      broker.keys.release(session, vault, { grant, purpose: 'file', names }),
    ).rejects.toMatchObject({
      code: 'record_corrupt',
      fields: ['names.1'],
    });
  });

  it.each<[string, 'file' | 'inbox', boolean]>([
    ['of another purpose', 'inbox', true],
    ['moved here from another blob', 'file', false],
  ])('releases no half %s', async (_name, purpose, own) => {
    const setting = await vaultWithGrant();
    const { broker, session, vault, grant } = setting;
    const [made] = await fileBlobs(setting, 1);
    if (!made) throw new Error('expected a key');
    const moved = newBlobId();
    await broker.keys.write(vault, [{ blob: moved, envelope: envelopeOf(made.kmsBlob) }]);
    const names = [{ blob: own ? made.blob : moved, epoch: 0 }];
    await expect(broker.keys.release(session, vault, { grant, purpose, names })).rejects.toMatchObject({
      code: 'record_corrupt',
    });
  });

  it('rests as JSON in the order of the schema, whatever order it came in', () => {
    const envelope = envelopeOf(Buffer.alloc(8));
    const backwards = Object.fromEntries(Object.entries(envelope).reverse()) as typeof envelope;
    expect(encodeEnvelope(backwards)).toEqual(encodeEnvelope(envelope));
  });
});
