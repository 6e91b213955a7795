import { randomBytes } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BlobId, VaultId } from '$contract/ids.ts';
import { inboxList, inboxRead, inboxWrite } from '$contract/vault-inbox.ts';
import { INBOX_RECORD } from '$contract/inbox-record.ts';
import { LIMITS } from '$contract/limits.ts';
import { compositeDigest } from '../../broker/domain/vault/uploads.ts';
import { MemoryVaultCloud, newVaultId, sha256B64 } from '../support/memory-vault-cloud.ts';
import { newSigningDevice, recordOf } from '../support/inbox-records.ts';
import { answer, ask, serveVaults } from '../support/vault-broker.ts';
import { newRecord, problemOf, setUpInboxSetting } from '../support/vault-inbox.ts';
import { deviceOf, newBlobId, newSession, startVaultSide } from '../support/vault-side.ts';

const setting = setUpInboxSetting();
let vault: VaultId;

beforeAll(async () => {
  vault = await setting.newVault();
});

const write = async (at: VaultId, records: readonly object[], session = setting.alice) =>
  (await answer<{ refused: object[] }>(await ask(setting.app, session, inboxWrite, at, { records }))).refused;

describe('a record in the inbox', () => {
  it('is found as it was written, with size and digest of its blob', async () => {
    const at = await setting.newVault();
    const bytes = randomBytes(123);
    const blob = await setting.putBlob(at, bytes);
    const record = setting.record(at, blob);
    expect(await write(at, [record])).toEqual([]);
    const { device } = setting.alice;
    expect(await setting.list(at)).toMatchObject({ names: [{ device, blob }], more: false });
    const stored = { sizeBytes: 123, digest: sha256B64(bytes) };
    expect(await setting.read(at)).toEqual([{ device, ...record, stored, purged: false }]);
  });

  it('of a multipart upload is found with the checksum of checksums', async () => {
    const at = await setting.newVault();
    const blob = newBlobId();
    const bytes = randomBytes(50);
    const sha256 = sha256B64(bytes);
    const sized = { blob, sizeBytes: bytes.length };
    const uploadId = await setting.broker.uploads.create(setting.alice, at, sized);
    const [part] = await setting.broker.uploads.partUrls(at, {
      blob,
      uploadId,
      parts: [{ partNumber: 1, sizeBytes: bytes.length, sha256 }],
    });
    const headers = { 'x-amz-checksum-sha256': sha256 };
    const put = await fetch(part?.url ?? '', { method: 'PUT', headers, body: bytes });
    const parts = [{ partNumber: 1, etag: put.headers.get('etag') ?? '', sha256 }];
    const records = [setting.record(at, blob)];
    expect(await write(at, records)).toEqual([{ blob, code: 'upload_lost' }]);
    await setting.broker.uploads.complete(at, { ...sized, uploadId, parts });
    expect(await write(at, records)).toEqual([]);
    const [entry] = await setting.read(at);
    expect(entry?.stored).toEqual({ sizeBytes: 50, digest: compositeDigest([sha256]) });
  });

  it('may be written again with the same bytes, and never with others', async () => {
    const at = await setting.newVault();
    const [one, two] = [await setting.putBlob(at), await setting.putBlob(at)];
    const first = setting.record(at, one);
    expect([await write(at, [first]), await write(at, [first])]).toEqual([[], []]);
    const fresh = setting.record(at, two);
    expect(await write(at, [fresh, setting.record(at, one)])).toEqual([
      { blob: one, code: 'already_exists' },
    ]);
    const found = await setting.read(at);
    expect(new Map(found.map(({ blob, record }) => [blob, record]))).toEqual(
      new Map([first, fresh].map(({ blob, record }) => [blob, record])),
    );
    expect(await setting.versionsBelow(at, 'inbox/')).toBe(2);
  });

  it('is refused where S3 holds no blob, and those beside it are written', async () => {
    const at = await setting.newVault();
    const [there, absent] = [await setting.putBlob(at), newBlobId()];
    const records = [absent, there].map((blob) => setting.record(at, blob));
    expect(await write(at, records)).toEqual([{ blob: absent, code: 'upload_lost' }]);
    expect((await setting.list(at)).names.map(({ blob }) => blob)).toEqual([there]);
  });

  it('is refused where the blob is another vault’s alone', async () => {
    const theirs = await setting.newVault(setting.bob);
    const blob = await setting.putBlob(theirs);
    expect(await write(vault, [setting.record(vault, blob)])).toEqual([{ blob, code: 'upload_lost' }]);
    expect(await setting.versionsBelow(theirs, 'inbox/')).toBe(0);
  });

  it('keeps no other device’s record of the same blob away', async () => {
    const at = await setting.newVault();
    const blob = await setting.putBlob(at);
    const other = newSession(setting.alice.account);
    const theirs = { blob, record: recordOf(deviceOf(other), at, blob) };
    expect(await setting.broker.inbox.write(other, at, [theirs])).toEqual([]);
    expect(await write(at, [setting.record(at, blob)])).toEqual([]);
    expect((await setting.list(at)).names).toHaveLength(2);
  });

  it('whose blob is gone is found without one, and it is said whether that was deleted for good', async () => {
    const at = await setting.newVault();
    const [one, two] = (await setting.fill(at, 2)).map(({ blob }) => blob);
    await setting.ports.purger.eraseBelow([`v/${at}/blobs/`]);
    await setting.ports.vaultObjects.create(at, `purged/${two ?? ''}`, new Uint8Array(0));
    const found = new Map((await setting.read(at)).map((each) => [each.blob, each]));
    expect(found.get(one!)).toMatchObject({ stored: null, purged: false });
    expect(found.get(two!)).toMatchObject({ stored: null, purged: true });
  });

  it.each([
    ['nothing', { records: [] }, 'records'],
    ['more than a batch', { records: Array.from({ length: 101 }, () => entry()) }, 'records'],
    ['an empty record', { records: [entry('')] }, 'records.0.record'],
    ['a record of 8 KiB + 1 B', { records: [entry('A'.repeat(10924))] }, 'records.0.record'],
    ['what is no base64url', { records: [entry('AA==')] }, 'records.0.record'],
    ['an odd name', { records: [{ ...entry(), blob: '../blobs/x' }] }, 'records.0.blob'],
    ['a field more', { records: [{ ...entry(), vault: 'x' }] }, 'records.0.vault'],
  ])('is malformed as %s', async (_name, request, field) => {
    expect(await problemOf(await ask(setting.app, setting.alice, inboxWrite, vault, request))).toMatchObject({
      code: 'input_malformed',
      fields: [field],
    });
  });

  function entry(record = 'AAAA') {
    return { blob: newBlobId(), record };
  }

  it.each<[string, (at: VaultId, blob: BlobId) => Uint8Array]>([
    ['a stranger’s', (at, blob) => recordOf({ ...newSigningDevice(), id: setting.alice.device }, at, blob)],
    [
      'another device’s of the account',
      (at, blob) => recordOf(deviceOf(newSession(setting.alice.account)), at, blob),
    ],
    ['signed for another blob', (at) => recordOf(deviceOf(setting.alice), at, newBlobId())],
    ['signed for another vault', (_at, blob) => recordOf(deviceOf(setting.alice), newVaultId(), blob)],
    [
      'of which a byte was changed',
      (at, blob) => {
        const record = recordOf(deviceOf(setting.alice), at, blob);
        record[INBOX_RECORD.sizeBytes - 1]! ^= 1;
        return record;
      },
    ],
    ['cut short', (at, blob) => recordOf(deviceOf(setting.alice), at, blob).subarray(0, -1)],
  ])('is taken from the session’s own device alone: none that is %s', async (_what, make) => {
    const [blob, good] = [await setting.putBlob(vault), await setting.putBlob(vault)];
    const record = Buffer.from(make(vault, blob)).toString('base64url');
    expect(await write(vault, [{ blob, record }, setting.record(vault, good)])).toEqual([
      { blob, code: 'input_malformed' },
    ]);
  });

  it('written by two brokers at once with different bytes is one of the two', async () => {
    const at = await setting.newVault();
    const others = setting.world.connect();
    const other = startVaultSide({ ...others, objects: others.vaultObjects, kms: others.vaultKms });
    const apps = [setting.app, serveVaults(other, [setting.alice])] as const;
    const blobs = await Promise.all(Array.from({ length: 12 }, () => setting.putBlob(at)));
    const versions = blobs.map((blob) => [setting.record(at, blob), setting.record(at, blob)]);
    const refusals = await Promise.all(
      apps.map(async (one, index) => {
        const records = versions.map((pair) => pair[index]);
        const response = await ask(one, setting.alice, inboxWrite, at, { records });
        return (await answer<{ refused: { blob: BlobId }[] }>(response)).refused.map(({ blob }) => blob);
      }),
    );
    const listed = new Map((await setting.read(at)).map(({ blob, record }) => [blob, record]));
    for (const pair of versions) {
      const won = pair.findIndex(({ blob, record }) => listed.get(blob) === record);
      const refused = refusals.map((refusedBlobs) => refusedBlobs.includes(pair[0]!.blob));
      expect(refused).toEqual([won === 1, won === 0]);
    }
    other.close();
  });
});

describe('a device without a code', () => {
  const cloud = new MemoryVaultCloud();
  const side = startVaultSide({
    ...{ state: cloud.state, kms: cloud.kms, objects: cloud.vaultObjects, purger: cloud.purger },
  });
  const at = newVaultId();
  const record = async (session: ReturnType<typeof newSession>) => {
    const blob = newBlobId();
    await cloud.vaultObjects.create(at, `blobs/${blob}`, randomBytes(5));
    return { blob, record: recordOf(deviceOf(session), at, blob) };
  };
  const some = (session: ReturnType<typeof newSession>, n: number) =>
    Promise.all(Array.from({ length: n }, () => record(session)));

  it('has 200 records wait, however many requests bring them at once; another device has its own', async () => {
    const [one, two] = [newSession(), newSession()];
    const batches = await Promise.all([90, 90, 90].map((n) => some(one, n)));
    const refused = await Promise.all(batches.map((batch) => side.inbox.write(one, at, batch)));
    const codes = refused.flat().map(({ code }) => code);
    expect([codes.length, new Set(codes)]).toEqual([70, new Set(['inbox_full'])]);
    // What waits already may be told again.
    expect(await side.inbox.write(one, at, batches[0]!.slice(0, 5))).toEqual([]);
    expect(await side.inbox.write(two, at, await some(two, 3))).toEqual([]);
  });

  it('has one wait again for each that was adopted', async () => {
    const session = newSession();
    await side.inbox.write(session, at, await some(session, 100));
    const more = await some(session, 100);
    await side.inbox.write(session, at, more);
    const last = await some(session, 1);
    expect(await side.inbox.write(session, at, last)).toMatchObject([{ code: 'inbox_full' }]);
    const { id: grant } = await side.grants.issue(session, { kind: 'release' });
    const names = [{ device: session.device, blob: more[0]!.blob }];
    expect(await side.inbox.remove(session, at, { grant, names })).toEqual([]);
    expect(await side.inbox.write(session, at, last)).toEqual([]);
  });

  it('takes up no room by sending again what waits already', async () => {
    const quotaBytes = 1024 * 1024;
    const own = startVaultSide(
      { state: cloud.state, kms: cloud.kms, objects: cloud.vaultObjects, purger: cloud.purger },
      { settings: { quotaBytes } },
    );
    const session = newSession();
    const one = await record(session);
    const batch = Array.from({ length: LIMITS.batch }, () => one);
    for (let sent = 0; sent < 2 * quotaBytes; sent += batch.length * INBOX_RECORD.sizeBytes) {
      expect(await own.inbox.write(session, at, batch)).toEqual([]);
    }
  });

  it('has none wait beside a blob that is about to be swept', async () => {
    const session = newSession();
    const [old, fresh] = await some(session, 2);
    const key = `v/${at}/blobs/${old!.blob}`;
    const ageMs = 6 * 24 * 60 * 60_000 + 1000;
    cloud.objects.set(key, { ...cloud.objects.get(key)!, modifiedMs: Date.now() - ageMs });
    expect(await side.inbox.write(session, at, [old!, fresh!])).toEqual([
      { blob: old!.blob, code: 'upload_lost' },
    ]);
  });
});

describe('the list of the inbox', () => {
  /** As S3 has them after their devices have written. */
  async function plant(at: VaultId, n: number) {
    const names = Array.from({ length: n }, () => ({ device: newSession().device, blob: newBlobId() }));
    const record = new Uint8Array(INBOX_RECORD.sizeBytes);
    for (const { device, blob } of names) {
      await setting.ports.vaultObjects.create(at, `inbox/${device}/${blob}`, record);
    }
    return names;
  }

  it('goes on behind a name, in the order of the keys, each once', async () => {
    const at = await setting.newVault();
    const nameOf = ({ device, blob }: { device: string; blob: string }) => `${device}/${blob}`;
    const written = (await plant(at, 5)).map(nameOf).sort();
    const { names, more } = await setting.list(at);
    expect([names.map(nameOf), more]).toEqual([written, false]);
    const rest = await setting.list(at, written[2]);
    expect(rest.names.map(nameOf)).toEqual(written.slice(3));
    expect(await setting.list(at, written[4])).toEqual({ names: [], more: false });
  });

  it('goes by pages of a thousand, by one listing each', async () => {
    const cloud = new MemoryVaultCloud();
    const at = newVaultId();
    for (let n = 0; n < LIMITS.inboxNames + 1; n += 1) {
      const key = `v/${at}/inbox/${newSession().device}/${newBlobId()}`;
      cloud.objects.set(key, { bytes: new Uint8Array(INBOX_RECORD.sizeBytes), sha256: '' });
    }
    const own = startVaultSide({
      ...{ state: cloud.state, kms: cloud.kms, objects: cloud.vaultObjects, purger: cloud.purger },
    });
    const first = await own.inbox.list(at, '');
    expect([first.names.length, first.more]).toEqual([1000, true]);
    const { device, blob } = first.names.at(-1)!;
    const second = await own.inbox.list(at, `${device}/${blob}`);
    expect([second.names.length, second.more]).toEqual([1, false]);
  });

  it('of an empty inbox is empty', async () => {
    expect(await setting.list(await setting.newVault())).toEqual({ names: [], more: false });
  });

  it('passes over what no broker has written', async () => {
    const at = await setting.newVault();
    const [kept] = await setting.fill(at, 1);
    if (!kept) throw new Error('expected a record');
    const put = (name: string, sizeBytes: number) =>
      setting.world.admin.send(
        new PutObjectCommand({
          Bucket: 'halfkey',
          Key: `v/${at}/inbox/${name}`,
          Body: Buffer.alloc(sizeBytes, 1),
          IfNoneMatch: '*',
        }),
      );
    await put('!', INBOX_RECORD.sizeBytes);
    await put(newBlobId(), INBOX_RECORD.sizeBytes);
    await put(`${newBlobId()}/${newBlobId()}/x`, INBOX_RECORD.sizeBytes);
    await put(`${newBlobId()}/${newBlobId()}`, INBOX_RECORD.sizeBytes + 1);
    expect((await setting.list(at)).names.map(({ blob }) => blob)).toEqual([kept.blob]);
  });

  it('is read without what was removed since', async () => {
    const at = await setting.newVault();
    const [kept] = await setting.fill(at, 1);
    const { device } = setting.alice;
    const names = [
      { device, blob: newBlobId() },
      { device, blob: kept!.blob },
    ];
    const found = await answer(await ask(setting.app, setting.alice, inboxRead, at, { names }));
    expect(found).toMatchObject({ records: [{ blob: kept!.blob }] });
  });

  it.each(['x', '../a', 'A'.repeat(22), `${'A'.repeat(22)}/..`])(
    'is not asked for behind %j',
    async (after) => {
      expect(
        await problemOf(await ask(setting.app, setting.alice, inboxList, vault, { after })),
      ).toMatchObject({
        code: 'input_malformed',
      });
    },
  );
});

it('is signed by a device of the account when a client writes it', async () => {
  const at = await setting.newVault();
  const blob = await setting.putBlob(at);
  const theirs = { blob, record: newRecord(setting.bob, at, blob) };
  expect(await write(at, [theirs])).toEqual([{ blob, code: 'input_malformed' }]);
});
