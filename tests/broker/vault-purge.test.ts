import { randomBytes } from 'node:crypto';
import { ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import type { VaultId } from '$contract/ids.ts';
import { INBOX_RECORD } from '$contract/inbox-record.ts';
import * as contract from '$contract/vaults.ts';
import { answer, ask, serveVaults } from '../support/vault-broker.ts';
import { newBlobId, newSession, startVaultSide } from '../support/vault-side.ts';
import { setUpVaults } from '../support/set-up-vaults.ts';

let vault: VaultId;
const { world, ports, app, session, side: broker, newVault } = setUpVaults();

beforeAll(async () => {
  vault = await newVault();
});

describe('deleting for good', () => {
  async function versionsBelow(prefix: string): Promise<number> {
    const page = await world.admin.send(
      new ListObjectVersionsCommand({ Bucket: 'halfkey', Prefix: `v/${vault}/${prefix}` }),
    );
    return (page.Versions?.length ?? 0) + (page.DeleteMarkers?.length ?? 0);
  }

  it('leaves no version of envelopes, inbox records and blobs behind, and all others where they are', async () => {
    const code = { code: '123456' };
    const coded = startVaultSide(
      { state: ports.state, objects: ports.vaultObjects, kms: ports.vaultKms, purger: ports.purger },
      { secondFactor: { accept: () => Promise.resolve({} as never) } },
    );
    const coding = serveVaults(coded, [session]);
    const [gone, kept] = [newBlobId(), newBlobId()];
    const inboxDevice = newSession().device;
    for (const blob of [gone, kept]) {
      for (const key of [
        `keys/${blob}/0`,
        `keys/${blob}/1`,
        `inbox/${inboxDevice}/${blob}`,
        `blobs/${blob}`,
      ]) {
        await ports.vaultObjects.create(vault, key, randomBytes(INBOX_RECORD.sizeBytes));
      }
    }
    await ports.vaultObjects.create(vault, `snapshots/1/${gone}`, randomBytes(10));
    const { id: grant } = await answer<{ id: string }>(
      await ask(coding, session, contract.purgeGrant, vault, { factor: code }),
    );
    for (let times = 0; times < 2; times += 1) {
      await answer(await ask(coding, session, contract.purge, vault, { grant, blobs: [gone] }));
    }
    // That it is deleted for good is noted, and stays.
    expect([await versionsBelow(`keys/${gone}/`), await versionsBelow(`purged/${gone}`)]).toEqual([0, 1]);
    for (const room of [`inbox/${inboxDevice}`, 'blobs']) {
      expect([room, await versionsBelow(`${room}/${gone}`)]).toEqual([room, 0]);
      expect(await versionsBelow(`${room}/${kept}`)).toBe(1);
    }
    expect([await versionsBelow(`keys/${kept}`), await versionsBelow(`snapshots/1/${gone}`)]).toEqual([2, 1]);
    const { events } = await coded.events.read(session.account, 0);
    expect(events.slice(-3)).toMatchObject([
      { kind: 'granted', vault },
      { kind: 'purged', vault, blobs: [gone] },
      { kind: 'purged', vault, blobs: [gone] },
    ]);
  });

  it('wants a grant of its own kind: one for releases deletes nothing', async () => {
    const blob = newBlobId();
    await ports.vaultObjects.create(vault, `blobs/${blob}`, randomBytes(10));
    const { id: grant } = await broker.grants.issue(session, { kind: 'release' });
    const response = await ask(app, session, contract.purge, vault, { grant, blobs: [blob] });
    expect(await response.json()).toMatchObject({ code: 'grant_missing' });
    expect(await versionsBelow(`blobs/${blob}`)).toBe(1);
  });

  it('can be repeated after a failure in the middle, when the halves are gone already', async () => {
    let calls = 0;
    const failing = startVaultSide({
      state: ports.state,
      objects: ports.vaultObjects,
      kms: ports.vaultKms,
      purger: {
        eraseBelow: (prefixes) => {
          calls += 1;
          return calls === 2 ? Promise.reject(new Error('cut')) : ports.purger.eraseBelow(prefixes);
        },
      },
    });
    const blob = newBlobId();
    for (const key of [`keys/${blob}/0`, `blobs/${blob}`]) {
      await ports.vaultObjects.create(vault, key, randomBytes(10));
    }
    const { id: grant } = await failing.grants.issue(session, { kind: 'purge' });
    await expect(failing.purge.purge(session, vault, { grant, blobs: [blob] })).rejects.toThrow('cut');
    expect([await versionsBelow(`keys/${blob}/0`), await versionsBelow(`blobs/${blob}`)]).toEqual([0, 1]);
    await failing.purge.purge(session, vault, { grant, blobs: [blob] });
    expect(await versionsBelow(`blobs/${blob}`)).toBe(0);
  });
});
