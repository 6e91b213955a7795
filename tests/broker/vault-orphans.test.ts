import { randomBytes } from 'node:crypto';
import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import type { BlobId, VaultId } from '$contract/ids.ts';
import { INBOX_RECORD } from '$contract/inbox-record.ts';
import { encodeEnvelope } from '../../broker/domain/vault/keys.ts';
import { createFindOrphans } from '../../broker/domain/vault/orphans.ts';
import { createVaultRecords } from '../../broker/domain/vault/vault-record.ts';
import type { StateVersion } from '../../broker/ports/state.ts';
import { setUpVaults } from '../support/set-up-vaults.ts';
import { envelopeOf, newBlobId, newSession } from '../support/vault-side.ts';

const DAY_MS = 24 * 60 * 60_000;
const { world, ports, side: broker, newVault } = setUpVaults();

/** All versions of a vault, as the sweep lists them: by the broker's own role. */
async function listed(vault: VaultId): Promise<StateVersion[]> {
  return (await ports.versions.list(`v/${vault}/`, undefined)).versions;
}
const finder = (afterMs: number) =>
  createFindOrphans({
    objects: ports.vaultObjects,
    vaults: createVaultRecords(broker.records),
    clock: () => Date.now() + afterMs,
  });
/** Keys, relative to the vault, that a sweep takes after so long. */
async function orphans(vault: VaultId, afterMs = 7 * DAY_MS + 60_000): Promise<string[]> {
  const found = await finder(afterMs)(await listed(vault));
  return found.map(({ key }) => key.slice(`v/${vault}/`.length)).sort();
}
const put = (vault: VaultId, key: string, bytes: Uint8Array = randomBytes(20)) =>
  ports.vaultObjects.create(vault, key, bytes);
const envelope = (purpose: 'file' | 'inbox') => encodeEnvelope(envelopeOf(randomBytes(64), 0, purpose));

describe('of what lies in a vault, the sweep takes', () => {
  it('blobs with neither an envelope nor a record, after a week, and not before', async () => {
    const vault = await newVault();
    const blobs = Array.from({ length: 6 }, newBlobId);
    for (const blob of blobs) await put(vault, `blobs/${blob}`);
    const [bare, adopted, waiting, purged, again] = blobs as [BlobId, BlobId, BlobId, BlobId, BlobId];
    await put(vault, `keys/${adopted}/0`, envelope('file'));
    await put(vault, `keys/${again}/3`, envelope('file'));
    await put(vault, `purged/${purged}`, new Uint8Array(0));
    await put(vault, `inbox/${newSession().device}/${waiting}`, randomBytes(INBOX_RECORD.sizeBytes));
    expect(await orphans(vault, 7 * DAY_MS - 60_000)).toEqual([]);
    expect(await orphans(vault)).toEqual([bare, purged, blobs[5]!].map((blob) => `blobs/${blob}`).sort());
  });

  it('envelopes for files without a blob, and none of inbox keys', async () => {
    const vault = await newVault();
    const [bare, whole, ofInbox] = [newBlobId(), newBlobId(), newBlobId()];
    await put(vault, `blobs/${whole}`);
    await put(vault, `keys/${whole}/0`, envelope('file'));
    await put(vault, `keys/${bare}/0`, envelope('file'));
    await put(vault, `purged/${bare}`, new Uint8Array(0));
    await put(vault, `keys/${ofInbox}/0`, envelope('inbox'));
    await put(vault, `keys/${newBlobId()}/0`, Buffer.from('{'));
    expect(await orphans(vault)).toEqual([`keys/${bare}/0`]);
  });

  it('pages of snapshots that are none of the newest two that were named, nor of the last base', async () => {
    const vault = await newVault();
    const records = createVaultRecords(broker.records);
    const head = (await records.read(vault))!.head;
    const pages: Record<string, string> = {};
    for (const [seq, isBase] of [
      [1, true],
      [2, false],
      [3, false],
      [4, false],
    ] as const) {
      const page = newBlobId();
      pages[seq] = `snapshots/${String(seq)}/${page}`;
      await put(vault, pages[seq]);
      await records.advance(vault, head, [], Date.now(), { snapshot: { seq, pages: [page] }, isBase });
    }
    const unnamed = `snapshots/4/${newBlobId()}`;
    await put(vault, unnamed);
    expect(await orphans(vault)).toEqual([pages[2]!, unnamed].sort());
  });

  it('nothing of the journal, nor what it does not know', async () => {
    const vault = await newVault();
    await put(vault, 'log/1');
    await put(vault, 'epochs/1/x');
    await put(vault, 'blobs/odd');
    expect(await orphans(vault)).toEqual([]);
  });

  it('exactly the versions that it has seen', async () => {
    const vault = await newVault();
    const blob = newBlobId();
    await put(vault, `blobs/${blob}`);
    const found = await finder(8 * DAY_MS)(await listed(vault));
    // Purged and sent anew in between.
    await ports.purger.eraseBelow([`v/${vault}/blobs/${blob}`]);
    await put(vault, `blobs/${blob}`);
    await ports.versions.erase(found);
    const page = await world.admin.send(
      new ListObjectVersionsCommand({ Bucket: 'halfkey', Prefix: `v/${vault}/blobs/` }),
    );
    expect(page.Versions).toHaveLength(1);
  });

  it('nothing of which an envelope is written in the same moment: a blob that old gets none any more', async () => {
    const vault = await newVault();
    const session = newSession();
    const [old, kept] = [newBlobId(), newBlobId()];
    for (const blob of [old, kept]) await put(vault, `blobs/${blob}`);
    await put(vault, `inbox/${session.device}/${kept}`, randomBytes(INBOX_RECORD.sizeBytes));
    const { id: grant } = await broker.grants.issue(session, { kind: 'release' });
    const order = { grant, purpose: 'file' as const, epoch: 0, blobs: [old, kept] };
    const made = await broker.keys.generate(session, vault, order);
    const describeNow = ports.vaultObjects.describe.bind(ports.vaultObjects);
    ports.vaultObjects.describe = async (...args) => {
      const object = await describeNow(...args);
      return object && { ...object, modifiedMs: object.modifiedMs - 6 * DAY_MS - 60_000 };
    };
    const envelopes = made.map((each) => ({ ...each, envelope: envelopeOf(each.kmsBlob) }));
    const refused = await broker.keys.write(session, vault, { envelopes });
    ports.vaultObjects.describe = describeNow;
    expect(refused).toEqual([{ blob: old, epoch: 0, code: 'upload_lost' }]);
  });
});

describe('uploads that nobody completes', () => {
  it('end after the time that is given, and younger ones go on', async () => {
    const vault = await newVault();
    const key = `v/${vault}/blobs/${newBlobId()}`;
    await world.admin.send(new CreateMultipartUploadCommand({ Bucket: 'halfkey', Key: key }));
    const count = async () => {
      const page = await world.admin.send(
        new ListMultipartUploadsCommand({ Bucket: 'halfkey', Prefix: `v/${vault}/` }),
      );
      return page.Uploads?.length ?? 0;
    };
    await ports.unfinished.endBefore(Date.now() - 60_000);
    expect(await count()).toBe(1);
    await ports.unfinished.endBefore(Date.now() + 60_000);
    expect(await count()).toBe(0);
  });
});
