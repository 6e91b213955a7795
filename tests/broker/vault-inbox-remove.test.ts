import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BlobId, VaultId } from '$contract/ids.ts';
import { inboxRemove } from '$contract/vault-inbox.ts';
import type { Session } from '../../broker/domain/account/session.ts';
import { answer, ask } from '../support/vault-broker.ts';
import { problemOf, setUpInboxSetting } from '../support/vault-inbox.ts';
import { recordOf } from '../support/inbox-records.ts';
import { deviceOf, newBlobId, newGrantId, newSession, startVaultSide } from '../support/vault-side.ts';

const setting = setUpInboxSetting();
/** Alice's. */
let vault: VaultId;

beforeAll(async () => {
  vault = await setting.newVault();
});

describe('removing from the inbox', () => {
  const nameOf = (blob: BlobId) => ({ device: setting.alice.device, blob });
  const grantOf = async (session: Session, kind: 'release' | 'purge' = 'release', releases = 5) =>
    (await setting.broker.grants.issue(session, { kind, releases })).id;
  const remove = (session: Session, at: VaultId, grant: string, blobs: readonly BlobId[]) =>
    ask(setting.app, session, inboxRemove, at, { grant, names: blobs.map(nameOf) });

  it('leaves no version of the records, and blobs and other records where they are', async () => {
    const at = await setting.newVault();
    const [gone, kept] = (await setting.fill(at, 2)).map(({ blob }) => blob);
    if (!gone || !kept) throw new Error('expected two records');
    // As a bucket writer may: a delete marker on top.
    await setting.world.admin.send(
      new DeleteObjectCommand({ Bucket: 'halfkey', Key: `v/${at}/inbox/${setting.alice.device}/${gone}` }),
    );
    expect(await setting.versionsBelow(at, `inbox/${setting.alice.device}/${gone}`)).toBe(2);
    const grant = await grantOf(setting.alice);
    for (let times = 0; times < 2; times += 1) {
      expect(await answer(await remove(setting.alice, at, grant, [gone, gone]))).toEqual({ refused: [] });
      expect(await setting.versionsBelow(at, `inbox/${setting.alice.device}/${gone}`)).toBe(0);
    }
    expect(await setting.versionsBelow(at, `blobs/${gone}`)).toBe(1);
    expect((await setting.list(at)).names.map(({ blob }) => blob)).toEqual([kept]);
    const { events } = await setting.broker.events.read(setting.alice.account, 0);
    expect(events.at(-1)).toMatchObject({ kind: 'inbox-removed', vault: at, blobs: [gone] });
    expect(events.at(-1)?.device).toBe(setting.alice.device);
  });

  it('spends nothing, and does with a grant that is spent', async () => {
    const at = await setting.newVault();
    const written = await setting.fill(at, 2);
    const grant = await grantOf(setting.alice, 'release', 1);
    const release = () =>
      setting.broker.keys.release(setting.alice, at, {
        grant,
        purpose: 'file',
        names: [{ blob: newBlobId(), epoch: 0 }],
      });
    await answer(await remove(setting.alice, at, grant, [written[0]?.blob ?? newBlobId()]));
    await release();
    await expect(release()).rejects.toMatchObject({ code: 'grant_spent' });
    await answer(await remove(setting.alice, at, grant, [written[1]?.blob ?? newBlobId()]));
    expect((await setting.list(at)).names).toEqual([]);
  });

  it.each<[string, () => Promise<string>]>([
    ['a grant that never was', () => Promise.resolve(newGrantId())],
    ['another account’s', () => grantOf(setting.bob)],
    ['another session’s of the same account', () => grantOf(newSession(setting.alice.account))],
    ['one for deleting for good', () => grantOf(setting.alice, 'purge')],
    [
      'one that was ended',
      async () => {
        const id = await grantOf(setting.alice);
        await setting.broker.grants.end(setting.alice, id);
        return id;
      },
    ],
  ])('is refused for %s, and logs nothing', async (_name, grant) => {
    const at = await setting.newVault();
    const [{ blob } = { blob: newBlobId() }] = await setting.fill(at, 1);
    const before = await setting.broker.events.head(setting.alice.account);
    expect(await problemOf(await remove(setting.alice, at, await grant(), [blob]))).toMatchObject({
      code: 'grant_missing',
    });
    expect((await setting.list(at)).names).toHaveLength(1);
    expect(await setting.broker.events.head(setting.alice.account)).toEqual(before);
  });

  it('is refused when the grant is over', async () => {
    let nowMs = Date.now();
    const timed = startVaultSide(setting.sides, { clock: () => nowMs });
    const { id: grant, expiresAtMs } = await timed.grants.issue(setting.alice, { kind: 'release' });
    const order = { grant, names: [nameOf(newBlobId())] };
    nowMs = expiresAtMs - 1;
    await timed.inbox.remove(setting.alice, vault, order);
    nowMs = expiresAtMs;
    await expect(timed.inbox.remove(setting.alice, vault, order)).rejects.toMatchObject({
      code: 'grant_missing',
    });
    timed.close();
  });

  it('takes nothing away when the event cannot be written', async () => {
    const at = await setting.newVault();
    const [{ blob } = { blob: newBlobId() }] = await setting.fill(at, 1);
    const { id: grant } = await setting.broker.grants.issue(setting.alice, { kind: 'release' });
    const mute = startVaultSide(setting.sides, {
      events: { ...setting.broker.events, append: () => Promise.reject(new Error('cut')) },
    });
    await expect(mute.inbox.remove(setting.alice, at, { grant, names: [nameOf(blob)] })).rejects.toThrow(
      'cut',
    );
    expect((await setting.list(at)).names).toHaveLength(1);
    mute.close();
  });

  it('reaches nothing of another vault with a grant of one’s own', async () => {
    const vaultOfBob = await setting.newVault(setting.bob);
    const theirs = await setting.putBlob(vaultOfBob);
    const record = recordOf(deviceOf(setting.bob), vaultOfBob, theirs);
    await setting.broker.inbox.write(setting.bob, vaultOfBob, [{ blob: theirs, record }]);
    const grant = await grantOf(setting.alice);
    expect(await problemOf(await remove(setting.alice, vaultOfBob, grant, [theirs]))).toMatchObject({
      code: 'not_a_member',
    });
    await answer(await remove(setting.alice, vault, grant, [theirs]));
    expect(await setting.versionsBelow(vaultOfBob, `inbox/`)).toBe(1);
  });
});
