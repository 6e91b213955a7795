import {
  DeleteObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type ListObjectsV2CommandOutput,
  type ListObjectVersionsCommandOutput,
} from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareKeys, KeyList } from '../../../../broker/local/store/key-list.ts';
import { freshKey, outcome, useTestCloud } from './fixture.ts';

const setup = useTestCloud();

const put = (key: string) =>
  setup().s3.send(new PutObjectCommand({ Bucket: setup().bucket, Key: key, Body: key }));
const remove = (key: string, VersionId?: string) =>
  setup().s3.send(
    new DeleteObjectCommand({ Bucket: setup().bucket, Key: key, ...(VersionId && { VersionId }) }),
  );
const list = (more: object) => setup().s3.send(new ListObjectsV2Command({ Bucket: setup().bucket, ...more }));

/** Keys and common prefixes over all pages, and the number of pages. */
async function listAll(more: object): Promise<{ keys: unknown[]; prefixes: unknown[]; pages: number }> {
  const keys: unknown[] = [];
  const prefixes: unknown[] = [];
  let pages = 0;
  let page: ListObjectsV2CommandOutput | undefined;
  do {
    page = await list({ ...more, ...(page && { ContinuationToken: page.NextContinuationToken }) });
    keys.push(...(page.Contents ?? []).map(({ Key }) => Key));
    prefixes.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix));
    pages++;
  } while (page.IsTruncated);
  return { keys, prefixes, pages };
}

describe('ListObjectsV2', () => {
  it('lists a prefix in the order of UTF-8 bytes, page by page', async () => {
    const folder = freshKey('list');
    const names = ['\uffee', '😀', 'a', 'B', 'é', 'a/b', 'a b', '&<>"', '%41', '+'];
    const keys = names.map((name) => `${folder}/${name}`);
    for (const key of keys) await put(key);
    await put(`${folder}0`);
    const expected = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(await listAll({ Prefix: `${folder}/` })).toMatchObject({ keys: expected, pages: 1 });
    expect(await listAll({ Prefix: `${folder}/`, MaxKeys: 3 })).toMatchObject({ keys: expected, pages: 4 });
    expect(await listAll({ Prefix: `${folder}/`, MaxKeys: 5 })).toMatchObject({ keys: expected, pages: 2 });
    const rest = await listAll({ Prefix: `${folder}/`, StartAfter: expected[3], MaxKeys: 2 });
    expect(rest.keys).toEqual(expected.slice(4));
    expect(await list({ Prefix: `${folder}/`, MaxKeys: 0 })).toMatchObject({
      KeyCount: 0,
      IsTruncated: false,
    });
    const url = await list({ Prefix: `${folder}/`, EncodingType: 'url' });
    expect(url.Contents?.map(({ Key }) => decodeURIComponent(Key!))).toEqual(expected);
  });

  it('folds what lies behind a delimiter, across pages too', async () => {
    const folder = freshKey('fold');
    for (const name of ['a', 'b/1', 'b/2', 'b/3', 'c', 'd/1', 'gone/1', 'z']) await put(`${folder}/${name}`);
    await remove(`${folder}/gone/1`);
    const expected = { keys: ['a', 'c', 'z'], prefixes: ['b/', 'd/'] };
    for (const MaxKeys of [1, 2, 3, 1000]) {
      const { keys, prefixes } = await listAll({ Prefix: `${folder}/`, Delimiter: '/', MaxKeys });
      expect(keys).toEqual(expected.keys.map((name) => `${folder}/${name}`));
      expect(prefixes).toEqual(expected.prefixes.map((name) => `${folder}/${name}`));
    }
    const later = await listAll({ Prefix: `${folder}/`, Delimiter: '/', StartAfter: `${folder}/b/2` });
    expect(later.prefixes).toEqual([`${folder}/b/`, `${folder}/d/`]);
  });

  it('lists keys with control characters as they are', async () => {
    const folder = freshKey('odd');
    const keys = ['\u0001', '\t', '\r\n', '\u001f', ' '].map((name) => `${folder}/-${name}-`);
    for (const key of keys) await put(key);
    const { Contents } = await list({ Prefix: folder, EncodingType: 'url' });
    expect(Contents?.map(({ Key }) => decodeURIComponent(Key!))).toEqual(keys);
  });

  it('does not list what is deleted, and refuses a token that is not its own', async () => {
    const key = freshKey('deleted');
    await put(key);
    expect((await list({ Prefix: key })).KeyCount).toBe(1);
    await remove(key);
    expect((await list({ Prefix: key })).KeyCount).toBe(0);
    expect(await outcome(list({ ContinuationToken: 'x' }))).toBe('400 InvalidArgument');
  });
});

describe('ListObjectVersions', () => {
  const versions = (more: object) =>
    setup().s3.send(new ListObjectVersionsCommand({ Bucket: setup().bucket, ...more }));

  it('lists every version and delete marker, newest first, page by page', async () => {
    const folder = freshKey('versions');
    const [a, b] = [`${folder}/a`, `${folder}/b`];
    const ids = [await put(a), await put(a), await remove(a), await put(a), await put(b)].map(
      (made) => made.VersionId,
    );
    const expected = [ids[3], ids[2], ids[1], ids[0], ids[4]];
    for (const MaxKeys of [1, 2, 3, 5]) {
      const seen: unknown[] = [];
      let page: ListObjectVersionsCommandOutput | undefined;
      do {
        page = await versions({
          Prefix: folder,
          MaxKeys,
          ...(page && { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }),
        });
        const found = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
        found.sort((x, y) => expected.indexOf(x.VersionId) - expected.indexOf(y.VersionId));
        seen.push(...found.map(({ VersionId }) => VersionId));
      } while (page.IsTruncated);
      expect(seen).toEqual(expected);
    }
    const all = await versions({ Prefix: folder });
    expect(all.Versions?.filter(({ IsLatest }) => IsLatest).map(({ VersionId }) => VersionId)).toEqual([
      ids[3],
      ids[4],
    ]);
    expect(all.DeleteMarkers).toMatchObject([{ Key: a, VersionId: ids[2], IsLatest: false }]);
  });

  it('goes on behind a version that has been deleted since', async () => {
    const key = freshKey('purge');
    for (let n = 0; n < 7; n++) await put(key);
    let deleted = 0;
    let page: ListObjectVersionsCommandOutput | undefined;
    do {
      page = await versions({
        Prefix: key,
        MaxKeys: 3,
        ...(page && { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }),
      });
      for (const { VersionId } of page.Versions ?? []) {
        await remove(key, VersionId);
        deleted++;
      }
    } while (page.IsTruncated);
    expect(deleted).toBe(7);
    expect((await versions({ Prefix: key })).Versions).toBeUndefined();
  });
});

describe('a list of keys', () => {
  const key = fc.string({ unit: 'binary', maxLength: 6 });

  it('is in the order of UTF-8 bytes', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const expected = Buffer.compare(Buffer.from(a), Buffer.from(b));
        expect(Math.sign(compareKeys(a, b))).toBe(expected);
      }),
      { seed: 3, numRuns: 2000 },
    );
  });

  it('agrees with a sorted set under any sequence of additions and removals', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.string({ maxLength: 2 })), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (sequence) => {
        const set = new Set<string>();
        const keys = new KeyList();
        for (const [adds, name] of sequence) {
          if (adds) {
            set.add(name);
            keys.add(name);
          } else {
            set.delete(name);
            keys.remove(name);
          }
        }
        const listed = Array.from({ length: keys.length }, (_, index) => keys.at(index));
        expect(listed).toEqual([...set].sort(compareKeys));
      }),
      { seed: 3, numRuns: 300 },
    );
  });
});
