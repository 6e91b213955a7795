import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { BrokerProblem } from '../../broker/domain/problem.ts';
import { createUnlock } from '../../broker/domain/vault/unlocking.ts';
import { MemoryVaultCloud, newVaultId } from '../support/memory-vault-cloud.ts';
import { envelopeOf, newBlobId, newSession, openVault, startVaultSide } from '../support/vault-side.ts';

let world: Awaited<ReturnType<typeof setUp>>;
beforeEach(async () => {
  world = await setUp();
});

/** A file that waits behind the next code. */
async function setUp() {
  const cloud = new MemoryVaultCloud();
  const { state, vaultObjects: objects, purger, kms } = cloud;
  const side = startVaultSide({ state, objects, purger, kms });
  const session = newSession();
  const vault = newVaultId();
  await openVault(side, session, vault);
  const { id: grant } = await side.grants.issue(session, { kind: 'release' });
  const blob = newBlobId();
  const order = { grant, purpose: 'file', epoch: 0, blobs: [blob] } as const;
  const [made] = await side.keys.generate(session, vault, order);
  if (!made) throw new Error('expected a half');
  await objects.create(vault, `blobs/${blob}`, randomBytes(9));
  const envelope = { blob, envelope: envelopeOf(made.kmsBlob), proof: made.proof };
  expect(await side.keys.write(session, vault, { envelopes: [envelope] })).toEqual([]);
  cloud.kmsCalls.length = 0;
  const acceptance = { isRight: true, isLive: true };
  const unlock = createUnlock({
    ...side,
    vaults: side,
    clock: Date.now,
    secondFactor: {
      acceptBeside: async (_session, _factor, beside) => {
        if (!acceptance.isRight) throw new BrokerProblem('code_wrong');
        const sessions = acceptance.isLive ? [{ id: session.sessionId, device: session.device }] : [];
        return { record: { sessions } as never, beside: await beside() };
      },
    },
  });
  const factor = { code: '123456' } as never;
  const names = [{ blob, epoch: 0 }];
  const kinds = async () => {
    const { events } = await side.events.read(session.account, 0);
    return events.map(({ kind }) => kind).slice(1);
  };
  return { cloud, side, session, vault, blob, made, acceptance, unlock, factor, names, kinds };
}

describe('a code that was typed for a file', () => {
  it('releases it, charged to the grant that it buys, and logged after that', async () => {
    const { side, session, vault, made, unlock, factor, names, kinds } = world;
    const { id, releases, released } = await unlock(session, {
      factor,
      releases: 1,
      release: { vault, names },
    });
    expect(releases).toBe(1);
    expect(released?.keys[0]?.kmsHalf).toEqual(made.kmsHalf);
    expect(await kinds()).toEqual(['granted', 'released']);
    const again = side.keys.release(session, vault, { grant: id, purpose: 'file', names });
    await expect(again).rejects.toMatchObject({ code: 'grant_spent' });
  });

  it('has grant and both events written before KMS is asked', async () => {
    const { cloud, session, vault, unlock, factor, names } = world;
    const written: string[] = [];
    const create = cloud.state.create.bind(cloud.state);
    const replace = cloud.state.replace.bind(cloud.state);
    cloud.state.create = (key, bytes) => {
      written.push(key.slice(0, 2));
      return create(key, bytes);
    };
    cloud.state.replace = (key, bytes, etag) => {
      written.push(key.slice(0, 2));
      return replace(key, bytes, etag);
    };
    const decrypt = cloud.kms.decrypt.bind(cloud.kms);
    vi.spyOn(cloud.kms, 'decrypt').mockImplementation((...about) => {
      written.push('KMS');
      return decrypt(...about);
    });
    await unlock(session, { factor, release: { vault, names } });
    expect([written[0], written.at(-2), written.at(-1)]).toEqual(['g/', 'e/', 'KMS']);
    expect(written.filter((key) => key === 'g/')).toHaveLength(2);
    expect(written.filter((key) => key === 'e/')).toHaveLength(2);
  });

  it('and is wrong releases nothing, and asks KMS nothing', async () => {
    const { cloud, session, vault, acceptance, unlock, factor, names, kinds } = world;
    acceptance.isRight = false;
    const refused = unlock(session, { factor, release: { vault, names } });
    await expect(refused).rejects.toMatchObject({ code: 'code_wrong' });
    expect([cloud.kmsCalls, await kinds()]).toEqual([[], []]);
  });

  it.each(['a vault of others', 'more files than it buys', 'KMS that does not answer'])(
    'buys its grant all the same with %s',
    async (trouble) => {
      const { cloud, session, vault, unlock, factor, names, kinds } = world;
      if (trouble.startsWith('KMS')) {
        vi.spyOn(cloud.kms, 'decrypt').mockRejectedValue(new BrokerProblem('kms_unreachable'));
      }
      const release = {
        vault: trouble.startsWith('a vault') ? newVaultId() : vault,
        names: trouble.startsWith('more') ? [...names, { blob: newBlobId(), epoch: 0 }] : names,
      };
      const { id, released } = await unlock(session, { factor, releases: 1, release });
      expect([typeof id, released]).toEqual(['string', undefined]);
      expect((await kinds()).filter((kind) => kind !== 'released')).toEqual(['granted']);
    },
  );

  it('opens nothing for a session that was ended since it asked', async () => {
    const { cloud, session, vault, acceptance, unlock, factor, names, kinds } = world;
    acceptance.isLive = false;
    expect((await unlock(session, { factor, release: { vault, names } })).released).toBeUndefined();
    expect([cloud.kmsCalls, await kinds()]).toEqual([[], ['granted']]);
  });

  it('is no good while its event cannot be written', async () => {
    const { cloud, session, vault, unlock, factor, names } = world;
    const create = cloud.state.create.bind(cloud.state);
    cloud.state.create = (key, bytes) =>
      key.startsWith('e/') ? Promise.reject(new BrokerProblem('store_unreachable')) : create(key, bytes);
    const refused = unlock(session, { factor, release: { vault, names } });
    await expect(refused).rejects.toMatchObject({ code: 'store_unreachable' });
    expect(cloud.kmsCalls).toEqual([]);
  });
});
