import { createHash, randomBytes } from 'node:crypto';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { beforeAll, expect } from 'vitest';
import { LIMITS, OBJECT_DISPOSITION, OBJECT_TYPE } from '$contract/limits.ts';
import * as contract from '$contract/vaults.ts';
import type { VaultId } from '$contract/ids.ts';
import { ask } from '../../support/vault-broker.ts';
import { newBlobId, newSession } from '../../support/vault-side.ts';
import { setUpVaults } from '../../support/set-up-vaults.ts';
import { row, type Trial } from '../support/row.ts';
import { seeded } from './support/random.ts';

let vault: VaultId;
let otherVault: VaultId;
/** The cloud's clock runs ahead of the signer's by so much. */
let aheadMs = 0;
const { world, app, session, newVault } = setUpVaults({ nowMs: () => Date.now() + aheadMs });

beforeAll(async () => {
  vault = await newVault();
  otherVault = await newVault(newSession());
});

const body = randomBytes(1000);
const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');
const sha256 = sha256Of(body);
const RIGHT = {
  'content-type': OBJECT_TYPE,
  'content-disposition': OBJECT_DISPOSITION,
  'if-none-match': '*',
  'x-amz-checksum-sha256': sha256,
};
const WITHOUT_CONDITION = {
  'content-type': OBJECT_TYPE,
  'content-disposition': OBJECT_DISPOSITION,
  'x-amz-checksum-sha256': sha256,
};
type Body = Uint8Array<ArrayBuffer>;
const put = (url: string, headers: Record<string, string>, bytes: Body = body) =>
  fetch(url, { method: 'PUT', headers, body: new Blob([bytes]) });

async function answered<Answer>(route: Parameters<typeof ask>[2], request: unknown): Promise<Answer> {
  const response = await ask(app, session, route, vault, request);
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}
async function putUrl(blob = newBlobId(), sizeBytes = body.length, checksum = sha256): Promise<string> {
  const blobs = [{ blob, sizeBytes, sha256: checksum }];
  return (await answered<{ urls: { url: string }[] }>(contract.blobPutUrls, { blobs })).urls[0]!.url;
}
/** One variant of a PUT, which must be refused and leave nothing behind. */
async function refusedPut(
  t: Trial,
  headers: Record<string, string>,
  bytes: Body,
  change: (url: URL) => void = () => undefined,
): Promise<number> {
  const blob = newBlobId();
  const url = new URL(await putUrl(blob));
  change(url);
  const { status } = await put(url.href, headers, bytes);
  expect([400, 403, 405, 411, 412]).toContain(status);
  expect(await world.connect().vaultObjects.describe(vault, `blobs/${blob}`)).toBeUndefined();
  t.refused(String(status));
  t.vary(1);
  return status;
}

row(
  'E1',
  {
    attack: 'an upload URL used a second time',
    tried: 'with and without its header, with other conditions, 16 at once',
  },
  async (t) => {
    const url = await putUrl();
    const statuses = (await Promise.all(Array.from({ length: 16 }, () => put(url, RIGHT)))).map(
      ({ status }) => status,
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    for (const status of statuses.filter((one) => one !== 200)) {
      expect([409, 412]).toContain(status);
      t.refused(String(status));
    }
    for (const headers of [
      RIGHT,
      WITHOUT_CONDITION,
      { ...RIGHT, 'if-none-match': '"x"' },
      { ...RIGHT, 'if-match': '*' },
    ]) {
      const { status } = await put(url, headers);
      expect([400, 403, 412, 501]).toContain(status);
      t.refused(String(status));
    }
    t.vary(20);
    // And before the first use: without its condition, or with another one, it is no URL at all.
    expect(await refusedPut(t, WITHOUT_CONDITION, body)).toBe(403);
    expect(await refusedPut(t, { ...RIGHT, 'if-none-match': '"x"' }, body)).toBe(403);
  },
);

row(
  'E2',
  {
    attack: 'other bytes than were announced, the checksum moved into the query, where S3 ignores it',
    tried:
      'the signed headers and the query read; a bit of the body flipped; the header left out, changed, doubled, moved',
  },
  async (t) => {
    const query = new URL(await putUrl()).searchParams;
    expect(query.get('X-Amz-SignedHeaders')).toBe(
      'content-disposition;content-length;content-type;host;if-none-match;x-amz-checksum-sha256',
    );
    const blob = newBlobId();
    const { uploadId } = await answered<{ uploadId: string }>(contract.uploadCreate, {
      blob,
      sizeBytes: 1000,
    });
    const { urls } = await answered<{ urls: { url: string }[] }>(contract.uploadPartUrls, {
      blob,
      uploadId,
      parts: [{ partNumber: 1, sizeBytes: 1000, sha256 }],
    });
    const ofPart = new URL(urls[0]?.url ?? '').searchParams;
    expect(ofPart.get('X-Amz-SignedHeaders')).toBe('content-length;host;x-amz-checksum-sha256');
    const random = seeded(2);
    for (let flips = 0; flips < (t.full ? 500 : 20); flips += 1) {
      const bytes = Uint8Array.from(body);
      const at = random.below(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      expect(await refusedPut(t, RIGHT, bytes)).toBe(400);
    }
    const zeros = new Uint8Array(1000);
    const bare = {
      'content-type': OBJECT_TYPE,
      'content-disposition': OBJECT_DISPOSITION,
      'if-none-match': '*',
    };
    expect(await refusedPut(t, bare, body)).toBe(403);
    await refusedPut(t, bare, zeros);
    expect(await refusedPut(t, { ...RIGHT, 'x-amz-checksum-sha256': sha256Of(zeros) }, zeros)).toBe(403);
    await refusedPut(t, bare, zeros, (url) => {
      url.searchParams.set('x-amz-checksum-sha256', sha256Of(zeros));
    });
    await refusedPut(t, { ...RIGHT, 'x-amz-checksum-crc32': 'AAAAAA==' }, zeros);
    await refusedPut(t, { ...RIGHT, 'x-amz-sdk-checksum-algorithm': 'CRC32' }, zeros);
  },
);

row(
  'E3',
  {
    attack: 'the checksum of an empty body baked into a URL by the SDK',
    tried: 'every kind of URL, its query searched',
  },
  async (t) => {
    const blob = newBlobId();
    const sized = { sizeBytes: 1000, sha256 };
    const { uploadId } = await answered<{ uploadId: string }>(contract.uploadCreate, {
      blob,
      sizeBytes: 1000,
    });
    const answers = await Promise.all([
      answered(contract.blobPutUrls, { blobs: [{ blob, ...sized }] }),
      answered(contract.blobGetUrls, { blobs: [blob] }),
      answered(contract.uploadPartUrls, { blob, uploadId, parts: [{ partNumber: 1, ...sized }] }),
      answered(contract.snapshotPutUrls, { pages: [{ seq: 1, page: blob, ...sized }] }),
      answered(contract.snapshotGetUrls, { pages: [{ seq: 1, page: blob }] }),
    ]);
    const urls = [...JSON.stringify(answers).matchAll(/http:[^"]+/g)].map(([url]) => new URL(url));
    expect(urls).toHaveLength(5);
    for (const url of urls) {
      expect([...url.searchParams.keys()].filter((name) => /checksum|crc/i.test(name))).toEqual([]);
      t.vary(1);
    }
    t.held('no URL names a checksum in its query');
  },
);

row(
  'E4',
  {
    attack: 'another length than was announced',
    tried: '0, 1, ±1, twice, 5 MiB, and chunks without a length',
  },
  async (t) => {
    for (const size of [0, 1, 999, 1001, 2000, 5 * 1024 * 1024])
      expect(await refusedPut(t, RIGHT, new Uint8Array(size))).toBe(403);
    const blob = newBlobId();
    const stream = new Blob([body]).stream();
    const chunked = await fetch(await putUrl(blob), {
      method: 'PUT',
      headers: RIGHT,
      body: stream,
      duplex: 'half',
    } as RequestInit);
    expect([400, 403, 411]).toContain(chunked.status);
    t.refused(String(chunked.status));
    t.vary(1);
  },
);

row(
  'E5',
  {
    attack: 'keys outside of the own vault and its rooms',
    tried: 'traversals, encodings, separators, other vaults and random texts for every id of every URL route',
  },
  async (t) => {
    const room = /^\/halfkey\/v\/([^/]+)\/(?:blobs\/[\w-]{22}|snapshots\/\d{1,16}\/[\w-]{22})$/;
    const random = seeded(5);
    const traps = [
      '',
      '.',
      '..',
      '../a',
      '../../a/x',
      '%2e%2e',
      '%2e%2e%2fa',
      '..%2f',
      '//',
      '/',
      '\\',
      '\0',
      'ａ',
      '‮',
      '?x=1',
      '#x',
      '*',
      `../../${otherVault}/blobs/x`,
      'AAAAAAAAAAAAAAAAAAAAA/',
      'AAAAAAAAAAAAAAAAAAAAAB',
      'A'.repeat(22),
      'A'.repeat(10_000),
    ];
    const ids: unknown[] = [
      ...traps,
      ...traps.map((trap) => `${newBlobId()}${trap}`),
      ...[null, 1, true, [], {}, [newBlobId()]],
      ...Array.from({ length: t.full ? 3000 : 60 }, () =>
        random.bytes(1 + random.below(30)).toString('latin1'),
      ),
      ...Array.from({ length: t.full ? 3000 : 60 }, () =>
        random.bytes(2 + random.below(30)).toString('utf16le'),
      ),
    ];
    for (const id of ids) {
      const sized = { sizeBytes: 5, sha256 };
      const responses = await Promise.all([
        ask(app, session, contract.blobPutUrls, vault, { blobs: [{ blob: id, ...sized }] }),
        ask(app, session, contract.blobGetUrls, vault, { blobs: [id] }),
        ask(app, session, contract.uploadPartUrls, vault, {
          blob: id,
          uploadId: String(id) || 'u',
          parts: [{ partNumber: 1, ...sized }],
        }),
        ask(app, session, contract.uploadPartUrls, vault, {
          blob: newBlobId(),
          uploadId: id,
          parts: [{ partNumber: 1, ...sized }],
        }),
        ask(app, session, contract.snapshotPutUrls, vault, { pages: [{ seq: 1, page: id, ...sized }] }),
        ask(app, session, contract.snapshotGetUrls, vault, { pages: [{ seq: 1, page: id }] }),
        ask(app, session, contract.snapshotGetUrls, vault, { pages: [{ seq: id, page: newBlobId() }] }),
      ]);
      for (const response of responses) {
        const text = await response.text();
        t.vary(1);
        if (response.status === 400) {
          t.refused('input_malformed');
          continue;
        }
        expect(response.status).toBe(200);
        for (const [url] of text.matchAll(/http:[^"]+/g)) {
          expect(decodeURIComponent(room.exec(new URL(url).pathname)?.[1] ?? '')).toBe(vault);
        }
      }
    }
    t.held('every key that was signed lies in a room of the own vault');
  },
);

row(
  'E7',
  {
    attack: 'a URL kept for later',
    tried:
      'after 5 minutes and more; with its life, date, signature, key or method changed, to read and to write',
  },
  async (t) => {
    const blob = newBlobId();
    const url = await putUrl(blob);
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe(String(LIMITS.urlSeconds));
    await put(url, RIGHT);
    const { urls } = await answered<{ urls: { url: string }[] }>(contract.blobGetUrls, { blobs: [blob] });
    const readUrl = urls[0]?.url ?? '';
    expect((await fetch(readUrl)).status).toBe(200);
    for (const seconds of [301, 600, 3600, 86_400]) {
      aheadMs = seconds * 1000;
      const statuses = [(await put(await Promise.resolve(url), RIGHT)).status, (await fetch(readUrl)).status];
      aheadMs = 0;
      expect(statuses).toEqual([403, 403]);
      t.vary(2);
    }
    const changes: ((url: URL) => void)[] = [
      (one) => {
        one.searchParams.set('X-Amz-Expires', '604800');
      },
      (one) => {
        one.searchParams.set('X-Amz-Date', '20991231T235959Z');
      },
      (one) => {
        one.searchParams.append('X-Amz-Expires', '604800');
      },
      (one) => {
        one.searchParams.set('X-Amz-SignedHeaders', 'host;range');
      },
      (one) => {
        one.searchParams.delete('X-Amz-Security-Token');
      },
      (one) => {
        one.searchParams.set('X-Amz-Signature', '0'.repeat(64));
      },
      (one) => {
        one.searchParams.set('versionId', 'null');
      },
      (one) => {
        one.pathname = one.pathname.replace(encodeURIComponent(vault), encodeURIComponent(otherVault));
      },
    ];
    for (const change of changes) {
      const one = new URL(readUrl);
      change(one);
      const { status } = await fetch(one);
      expect([400, 403]).toContain(status);
      t.refused(String(status));
      t.vary(1);
    }
    const writeChanges: ((url: URL) => void)[] = [
      ...changes,
      (one) => {
        one.pathname = one.pathname.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'));
      },
      (one) => {
        one.searchParams.set('X-Amz-SignedHeaders', 'host');
      },
      (one) => {
        one.searchParams.set('partNumber', '1');
      },
    ];
    for (const change of writeChanges) expect([400, 403]).toContain(await refusedPut(t, RIGHT, body, change));
    for (const method of ['GET', 'DELETE', 'POST']) {
      const { status } = await fetch(url, { method });
      expect(status).toBe(403);
      t.refused(String(status));
      t.vary(1);
    }
  },
);

row(
  'E8',
  {
    attack: 'locking the owner out by a key of one’s own, or by a copy',
    tried: 'SSE-C headers and copy sources on upload URLs',
  },
  async (t) => {
    const sse = 'x-amz-server-side-encryption';
    const variants: Record<string, string>[] = [
      { [`${sse}-customer-algorithm`]: 'AES256' },
      {
        [`${sse}-customer-algorithm`]: 'AES256',
        [`${sse}-customer-key`]: Buffer.alloc(32).toString('base64'),
        [`${sse}-customer-key-md5`]: 'AAAAAAAAAAAAAAAAAAAAAA==',
      },
      { [sse]: 'aws:kms', [`${sse}-aws-kms-key-id`]: 'arn:aws:kms:us-east-1:1:key/x' },
      { 'x-amz-copy-source': `/halfkey/v/${otherVault}/log/0` },
      { 'x-amz-copy-source': '/halfkey/broker/setup', 'x-amz-metadata-directive': 'COPY' },
      { 'x-amz-acl': 'public-read' },
      { 'x-amz-grant-read': 'uri="http://acs.amazonaws.com/groups/global/AllUsers"' },
      { 'x-amz-website-redirect-location': 'https://evil.example' },
      { 'x-amz-object-lock-mode': 'COMPLIANCE' },
      { 'x-amz-tagging': 'a=b' },
      { 'x-amz-meta-a': 'b' },
    ];
    for (const more of variants) expect(await refusedPut(t, { ...RIGHT, ...more }, body)).toBe(403);
  },
);

row(
  'E14',
  {
    attack: 'a page or a script at S3’s origin',
    tried:
      'HTML put as a blob, whole and in parts, under the types of pages and scripts; read URLs with their type and disposition changed, doubled, left out',
  },
  async (t) => {
    const html = Buffer.from('<script>document.title = 1</script>');
    const sized = { sizeBytes: html.length, sha256: sha256Of(html) };
    const headers = { ...RIGHT, 'x-amz-checksum-sha256': sized.sha256 };
    for (const type of ['text/html', 'text/javascript', 'image/svg+xml', 'application/xhtml+xml', '']) {
      const url = await putUrl(newBlobId(), sized.sizeBytes, sized.sha256);
      const { status } = await put(url, { ...headers, 'content-type': type }, html);
      expect([type, status]).toEqual([type, 403]);
      t.refused(String(status));
      t.vary(1);
    }
    const whole = newBlobId();
    expect((await put(await putUrl(whole, sized.sizeBytes, sized.sha256), headers, html)).status).toBe(200);

    const parted = newBlobId();
    const sizeBytes = sized.sizeBytes;
    const { uploadId } = await answered<{ uploadId: string }>(contract.uploadCreate, {
      blob: parted,
      sizeBytes,
    });
    const order = { blob: parted, uploadId };
    const { urls: partUrls } = await answered<{ urls: { url: string }[] }>(contract.uploadPartUrls, {
      ...order,
      parts: [{ partNumber: 1, ...sized }],
    });
    const ofPart = { 'content-type': 'text/html', 'x-amz-checksum-sha256': sized.sha256 };
    const sent = await put(partUrls[0]?.url ?? '', ofPart, html);
    const parts = [{ partNumber: 1, etag: sent.headers.get('etag'), sha256: sized.sha256 }];
    await answered(contract.uploadComplete, { ...order, sizeBytes, parts });

    for (const blob of [whole, parted]) {
      const { urls } = await answered<{ urls: { url: string }[] }>(contract.blobGetUrls, { blobs: [blob] });
      const url = urls[0]?.url ?? '';
      const stored = await world.admin.send(
        new HeadObjectCommand({ Bucket: world.place.bucket, Key: `v/${vault}/blobs/${blob}` }),
      );
      expect(stored.ContentType).toBe(OBJECT_TYPE);
      for (const range of [undefined, 'bytes=0-9']) {
        const read = await fetch(url, range === undefined ? {} : { headers: { range } });
        expect(read.headers.get('content-type')).toBe(OBJECT_TYPE);
        expect(read.headers.get('content-disposition')).toBe('attachment');
        t.vary(1);
      }
      for (const name of ['response-content-type', 'response-content-disposition']) {
        const changes: ((query: URLSearchParams) => void)[] = [
          (query) => {
            query.set(name, name.endsWith('type') ? 'text/html' : 'inline');
          },
          (query) => {
            query.append(name, name.endsWith('type') ? 'text/html' : 'inline');
          },
          (query) => {
            query.delete(name);
          },
        ];
        for (const change of changes) {
          const one = new URL(url);
          change(one.searchParams);
          const { status } = await fetch(one);
          expect([400, 403]).toContain(status);
          t.refused(String(status));
          t.vary(1);
        }
      }
    }
    t.held('what is read by a URL is an attachment of octets, whatever was put');
  },
);
