import { randomBytes } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import type { VaultId } from '$contract/ids.ts';
import { inboxList, inboxWrite } from '$contract/vault-inbox.ts';
import { LIMITS } from '$contract/limits.ts';
import { compositeDigest } from '../../broker/domain/vault/uploads.ts';
import { MemoryVaultCloud, newVaultId, sha256B64 } from '../support/memory-vault-cloud.ts';
import { answer, ask, serveVaults } from '../support/vault-broker.ts';
import { type InboxPage, newRecord, problemOf, setUpInboxSetting } from '../support/vault-inbox.ts';
import { newBlobId, startVaultSide } from '../support/vault-side.ts';

const setting = setUpInboxSetting();
let vault: VaultId;

beforeAll(async () => {
  vault = await setting.newVault();
});

describe('a record in the inbox', () => {
  it('is listed as it was written, with size and digest of its blob', async () => {
    const at = await setting.newVault();
    const bytes = randomBytes(123);
    const blob = await setting.putBlob(at, bytes);
    const record = newRecord();
    expect(
      await answer(await ask(setting.app, setting.alice, inboxWrite, at, { records: [{ blob, record }] })),
    ).toEqual({});
    const stored = { sizeBytes: 123, digest: sha256B64(bytes) };
    expect(await setting.list(at)).toEqual({ records: [{ blob, record, stored }], more: false });
  });

  it('of a multipart upload is listed with the checksum of checksums', async () => {
    const at = await setting.newVault();
    const blob = newBlobId();
    const bytes = randomBytes(50);
    const sha256 = sha256B64(bytes);
    const held = await setting.broker.requireMember(setting.alice.account, at);
    const uploadId = await setting.broker.uploads.create(at, held, blob, bytes.length);
    const [part] = await setting.broker.uploads.partUrls(at, {
      blob,
      uploadId,
      parts: [{ partNumber: 1, sizeBytes: bytes.length, sha256 }],
    });
    const headers = { 'x-amz-checksum-sha256': sha256 };
    const put = await fetch(part?.url ?? '', { method: 'PUT', headers, body: bytes });
    const parts = [{ partNumber: 1, etag: put.headers.get('etag') ?? '', sha256 }];
    const request = { records: [{ blob, record: newRecord() }] };
    expect(await problemOf(await ask(setting.app, setting.alice, inboxWrite, at, request))).toMatchObject({
      code: 'upload_lost',
    });
    await setting.broker.uploads.complete(at, held, { blob, uploadId, sizeBytes: bytes.length, parts });
    await answer(await ask(setting.app, setting.alice, inboxWrite, at, request));
    const [entry] = (await setting.list(at)).records;
    expect(entry?.stored).toEqual({ sizeBytes: 50, digest: compositeDigest([sha256]) });
  });

  it('may be written again with the same bytes, and never with others', async () => {
    const at = await setting.newVault();
    const [one, two] = [await setting.putBlob(at), await setting.putBlob(at)];
    const first = { records: [{ blob: one, record: newRecord() }] };
    await answer(await ask(setting.app, setting.alice, inboxWrite, at, first));
    await answer(await ask(setting.app, setting.alice, inboxWrite, at, first));
    const other = { blob: one, record: newRecord() };
    const fresh = { blob: two, record: newRecord() };
    const response = await ask(setting.app, setting.alice, inboxWrite, at, { records: [fresh, other] });
    expect(await problemOf(response)).toMatchObject({ code: 'already_exists', fields: ['records.1'] });
    const { records } = await setting.list(at);
    expect(new Map(records.map(({ blob, record }) => [blob, record]))).toEqual(
      new Map([
        [one, first.records[0]?.record],
        [two, fresh.record],
      ]),
    );
    expect(await setting.versionsBelow(at, 'inbox/')).toBe(2);
  });

  it('is refused where S3 holds no blob, and those beside it are written', async () => {
    const at = await setting.newVault();
    const [there, absent] = [await setting.putBlob(at), newBlobId()];
    const records = [absent, there, absent].map((blob) => ({ blob, record: newRecord() }));
    expect(await problemOf(await ask(setting.app, setting.alice, inboxWrite, at, { records }))).toMatchObject(
      {
        code: 'upload_lost',
        fields: ['records.0', 'records.2'],
      },
    );
    expect((await setting.list(at)).records.map(({ blob }) => blob)).toEqual([there]);
  });

  it('is refused where the blob is another vault’s alone', async () => {
    const theirs = await setting.newVault(setting.bob);
    const blob = await setting.putBlob(theirs);
    const response = await ask(setting.app, setting.alice, inboxWrite, vault, {
      records: [{ blob, record: newRecord() }],
    });
    expect(await problemOf(response)).toMatchObject({ code: 'upload_lost' });
    expect(await setting.versionsBelow(theirs, 'inbox/')).toBe(0);
  });

  it('whose blob is gone is listed without one', async () => {
    const at = await setting.newVault();
    const [{ blob } = { blob: newBlobId() }] = await setting.fill(at, 1);
    await setting.ports.purger.eraseBelow([`v/${at}/blobs/${blob}`]);
    expect((await setting.list(at)).records).toMatchObject([{ blob, stored: null }]);
  });

  it.each([
    ['nothing', { records: [] }, 'records'],
    ['more than a batch', { records: Array.from({ length: 101 }, () => entry()) }, 'records'],
    ['an empty record', { records: [entry('')] }, 'records.0.record'],
    ['a record of 8 KiB + 1 B', { records: [entry(newRecord(8 * 1024 + 1))] }, 'records.0.record'],
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

  it('may have 8 KiB, a hundred of them in one request, and all come back in one answer', async () => {
    const at = await setting.newVault();
    const blobs = await Promise.all(Array.from({ length: 100 }, () => setting.putBlob(at)));
    const records = blobs.map((blob) => ({ blob, record: newRecord(LIMITS.maxInboxRecordBytes) }));
    await answer(await ask(setting.app, setting.alice, inboxWrite, at, { records }));
    expect((await setting.list(at)).records).toHaveLength(100);
  });

  it('written by two brokers at once with different bytes is one of the two', async () => {
    const at = await setting.newVault();
    const others = setting.world.connect();
    const other = startVaultSide({ ...others, objects: others.vaultObjects, kms: others.vaultKms });
    const apps = [setting.app, serveVaults(other, [setting.alice])] as const;
    const blobs = await Promise.all(Array.from({ length: 12 }, () => setting.putBlob(at)));
    const versions = blobs.map((blob) => [newRecord(), newRecord()].map((record) => ({ blob, record })));
    const statuses = await Promise.all(
      apps.map(async (one, index) => {
        const records = versions.map((pair) => pair[index]);
        const response = await ask(one, setting.alice, inboxWrite, at, { records });
        const { fields = [] } = (await response.json()) as { fields?: string[] };
        return fields;
      }),
    );
    const listed = new Map((await setting.list(at)).records.map(({ blob, record }) => [blob, record]));
    for (const [place, pair] of versions.entries()) {
      const won = pair.findIndex(({ blob, record }) => listed.get(blob) === record);
      const refused = statuses.map((fields) => fields.includes(`records.${String(place)}`));
      expect([place, refused]).toEqual([place, [won === 1, won === 0]]);
    }
    other.close();
  });
});

describe('the list of the inbox', () => {
  it('goes on page by page, in the order of the keys, each record once', async () => {
    const at = await setting.newVault();
    const written = await setting.fill(at, 205);
    const pages: InboxPage[] = [];
    for (let after = ''; ;) {
      const page = await setting.list(at, after);
      pages.push(page);
      after = page.records.at(-1)?.blob ?? '';
      if (!page.more) break;
    }
    expect(pages.map(({ records, more }) => [records.length, more])).toEqual([
      [100, true],
      [100, true],
      [5, false],
    ]);
    const ascending = (a: { blob: string }, b: { blob: string }) => (a.blob < b.blob ? -1 : 1);
    const listed = pages.flatMap(({ records }) => records.map(({ blob, record }) => ({ blob, record })));
    expect(listed).toEqual([...written].sort(ascending));
  });

  it('of exactly a page says that there are no more, and begins behind what is gone', async () => {
    const at = await setting.newVault();
    await setting.fill(at, 100);
    const all = await setting.list(at);
    expect([all.records.length, all.more]).toEqual([100, false]);
    const last = all.records.at(-1)?.blob ?? '';
    const lastButOne = all.records.at(-2)?.blob ?? '';
    await setting.ports.purger.eraseBelow([`v/${at}/inbox/${lastButOne}`]);
    expect((await setting.list(at, lastButOne)).records.map(({ blob }) => blob)).toEqual([last]);
    expect(await setting.list(at, last)).toEqual({ records: [], more: false });
  });

  it('of an empty inbox is empty', async () => {
    expect(await setting.list(await setting.newVault())).toEqual({ records: [], more: false });
  });

  it('passes over what no broker has written, a whole page of it too', async () => {
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
    await Promise.all(Array.from({ length: 120 }, (_none, n) => put(`!${String(n)}`, 10)));
    const [empty, long] = [newBlobId(), newBlobId()];
    await put(empty, 0);
    await put(long, LIMITS.maxInboxRecordBytes + 1);
    expect((await setting.list(at)).records.map(({ blob }) => blob)).toEqual([kept.blob]);
  });

  it('leaves out what was removed since S3 listed it', async () => {
    const cloud = new MemoryVaultCloud();
    const at = newVaultId();
    const blob = newBlobId();
    const own = startVaultSide({
      state: cloud.state,
      kms: cloud.kms,
      objects: {
        ...cloud.vaultObjects,
        list: () => Promise.resolve({ objects: [{ key: `inbox/${blob}`, sizeBytes: 9 }], more: false }),
      },
      purger: cloud.purger,
    });
    expect(await own.inbox.list(at, '')).toEqual({ records: [], more: false });
  });

  it.each(['x', '../a', 'A'.repeat(23)])('is not asked for behind %j', async (after) => {
    expect(await problemOf(await ask(setting.app, setting.alice, inboxList, vault, { after }))).toMatchObject(
      {
        code: 'input_malformed',
      },
    );
  });
});
