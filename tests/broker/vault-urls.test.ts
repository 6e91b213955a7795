import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BlobId, VaultId } from '$contract/ids.ts';
import { LIMITS } from '$contract/limits.ts';
import * as contract from '$contract/vault.ts';
import { sha256B64 } from '../support/memory-vault-cloud.ts';
import { answer, ask } from '../support/vault-broker.ts';
import { APP_ORIGIN } from '../support/vault-cloud.ts';
import { newBlobId } from '../support/vault-side.ts';
import { setUpVaults } from '../support/set-up-vaults.ts';

let vault: VaultId;
/** The cloud's clock runs ahead of the signer's by so much. */
let aheadMs = 0;
const { world, ports, app, session, newVault } = setUpVaults({ nowMs: () => Date.now() + aheadMs });

beforeAll(async () => {
  vault = await newVault();
});

const body = randomBytes(1000);
const sha256 = sha256B64(body);

async function putUrl(blob: BlobId = newBlobId(), sizeBytes = body.length): Promise<string> {
  const response = await ask(app, session, contract.blobPutUrl, vault, { blob, sizeBytes, sha256 });
  return (await answer<{ url: string }>(response)).url;
}
const put = (url: string, headers: Record<string, string>, bytes: Uint8Array<ArrayBuffer> = body) =>
  fetch(url, { method: 'PUT', headers, body: new Blob([bytes]) });
const RIGHT = { 'if-none-match': '*', 'x-amz-checksum-sha256': sha256 };

describe('a URL for a single PUT', () => {
  it('signs host, length, checksum and condition as headers, and has no checksum in its query (E2, E3)', async () => {
    const query = new URL(await putUrl()).searchParams;
    expect(query.get('X-Amz-SignedHeaders')).toBe('content-length;host;if-none-match;x-amz-checksum-sha256');
    expect(query.get('X-Amz-Expires')).toBe(String(LIMITS.urlSeconds));
    expect([...query.keys()].filter((name) => /checksum/i.test(name))).toEqual([]);
  });

  it('takes the body that was announced, once (E1)', async () => {
    const url = await putUrl();
    expect((await put(url, RIGHT)).status).toBe(200);
    expect((await put(url, RIGHT)).status).toBe(412);
  });

  it.each<[string, Record<string, string>, Uint8Array<ArrayBuffer>, number]>([
    ['without the condition', { 'x-amz-checksum-sha256': sha256 }, body, 403],
    ['with another condition', { ...RIGHT, 'if-none-match': '"x"' }, body, 403],
    ['without the checksum', { 'if-none-match': '*' }, body, 403],
    [
      'with the checksum of another body, and that body',
      { ...RIGHT, 'x-amz-checksum-sha256': sha256B64(Buffer.alloc(1000)) },
      new Uint8Array(1000),
      403,
    ],
    ['with another body of the same length', RIGHT, new Uint8Array(1000), 400],
    ['with a longer body (E4)', RIGHT, new Uint8Array(1001), 403],
    ['with a shorter body', RIGHT, body.subarray(1), 403],
    ['with an empty body', RIGHT, new Uint8Array(), 403],
    ['with a further x-amz header', { ...RIGHT, 'x-amz-meta-a': 'b' }, body, 403],
    [
      'with a customer key (E8)',
      { ...RIGHT, 'x-amz-server-side-encryption-customer-algorithm': 'AES256' },
      body,
      403,
    ],
    ['as a copy', { ...RIGHT, 'x-amz-copy-source': '/halfkey/a' }, body, 403],
  ])('refuses a PUT %s, and stores nothing', async (_name, headers, bytes, status) => {
    const blob = newBlobId();
    expect((await put(await putUrl(blob), headers, bytes)).status).toBe(status);
    expect(await ports.vaultObjects.describe(vault, `blobs/${blob}`)).toBeUndefined();
  });

  it.each<[string, (url: URL) => void]>([
    [
      'another key',
      (url) => (url.pathname = url.pathname.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'))),
    ],
    [
      'a longer life',
      (url) => {
        url.searchParams.set('X-Amz-Expires', '604800');
      },
    ],
    [
      'fewer signed headers',
      (url) => {
        url.searchParams.set('X-Amz-SignedHeaders', 'host');
      },
    ],
    [
      'a parameter more',
      (url) => {
        url.searchParams.set('partNumber', '1');
      },
    ],
  ])('is worth nothing with %s', async (_name, change) => {
    const url = new URL(await putUrl());
    change(url);
    expect((await put(url.href, RIGHT)).status).toBe(403);
  });

  it('is worth nothing for a GET or a DELETE', async () => {
    const url = await putUrl();
    await put(url, RIGHT);
    for (const method of ['GET', 'DELETE']) expect((await fetch(url, { method })).status).toBe(403);
  });

  it('dies after its five minutes (E7)', async () => {
    const url = await putUrl();
    aheadMs = (LIMITS.urlSeconds + 2) * 1000;
    try {
      expect((await put(url, RIGHT)).status).toBe(403);
    } finally {
      aheadMs = 0;
    }
    expect((await put(url, RIGHT)).status).toBe(200);
  });

  it('is answered to the app’s origin alone (E12)', async () => {
    const url = await putUrl();
    const preflight = (origin: string) =>
      fetch(url, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'PUT',
          'access-control-request-headers': 'if-none-match,x-amz-checksum-sha256',
        },
      });
    expect((await preflight(APP_ORIGIN)).headers.get('access-control-allow-origin')).toBe(APP_ORIGIN);
    const stranger = await preflight('https://evil.example');
    expect(stranger.status).toBe(403);
    expect(stranger.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('is signed for the host that the browser sees, where that is another', async () => {
    const far = world.connect({ s3PublicUrl: 'https://s3.drive.example' });
    const url = new URL(await far.vaultObjects.presignPut(vault, 'blobs/x', 1, sha256));
    expect(url.origin).toBe('https://s3.drive.example');
    expect(url.pathname).toBe(`/halfkey/v/${encodeURIComponent(vault)}/blobs/x`);
    // Under the other name it is another host, so another signature.
    expect((await put(`${world.cloud.endpoint}${url.pathname}${url.search}`, RIGHT)).status).toBe(403);
  });
});

describe('keys that are signed', () => {
  const odd = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('../a', '%2e%2e/a', '..%2fa', '//a', '\\a', 'a\0', 'ａ', 'AAAAAAAAAAAAAAAAAAAAAA/x', ''),
    fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
    fc.uuid(),
  );

  it('lie in a room of the own vault, whatever ids are sent (E5)', async () => {
    const own = new RegExp(
      `^/halfkey/v/${encodeURIComponent(vault)}/(?:blobs/[\\w-]{22}|snapshots/\\d{1,16}/[\\w-]{22})$`,
    );
    const size = { sizeBytes: 5, sha256 };
    const run = fc.asyncProperty(odd, odd, fc.maxSafeNat(), async (id, uploadId, seq) => {
      const requests = [
        ask(app, session, contract.blobPutUrl, vault, { blob: id, ...size }),
        ask(app, session, contract.blobGetUrls, vault, { blobs: [id] }),
        ask(app, session, contract.uploadPartUrls, vault, {
          blob: id,
          uploadId,
          parts: [{ partNumber: 1, ...size }],
        }),
        ask(app, session, contract.snapshotPutUrls, vault, { pages: [{ seq, page: id, ...size }] }),
        ask(app, session, contract.snapshotGetUrls, vault, { pages: [{ seq, page: id }] }),
      ];
      for (const response of await Promise.all(requests)) {
        const text = await response.text();
        if (response.status === 400) continue;
        expect(response.status).toBe(200);
        for (const [url] of text.matchAll(/http:[^"]+/g)) expect(new URL(url).pathname).toMatch(own);
      }
    });
    await fc.assert(run, { seed: 20263, numRuns: 150 });
  });

  it('are signed for parts too: host, length, checksum, and no condition', async () => {
    const blob = newBlobId();
    const { uploadId } = await answer<{ uploadId: string }>(
      await ask(app, session, contract.uploadCreate, vault, { blob, sizeBytes: 1000 }),
    );
    const parts = [{ partNumber: 1, sizeBytes: 1000, sha256 }];
    const { urls } = await answer<{ urls: { url: string }[] }>(
      await ask(app, session, contract.uploadPartUrls, vault, { blob, uploadId, parts }),
    );
    const query = new URL(urls[0]?.url ?? '').searchParams;
    expect(query.get('X-Amz-SignedHeaders')).toBe('content-length;host;x-amz-checksum-sha256');
    expect([...query.keys()].filter((name) => /checksum/i.test(name))).toEqual([]);
  });

  it('a URL to read signs the host alone, so that the client ranges freely', async () => {
    const blob = newBlobId();
    await put(await putUrl(blob), RIGHT);
    const { urls } = await answer<{ urls: { url: string }[] }>(
      await ask(app, session, contract.blobGetUrls, vault, { blobs: [blob] }),
    );
    const url = urls[0]?.url ?? '';
    expect(new URL(url).searchParams.get('X-Amz-SignedHeaders')).toBe('host');
    const range = await fetch(url, { headers: { range: 'bytes=10-19' } });
    expect(range.status).toBe(206);
    expect(Buffer.from(await range.arrayBuffer())).toEqual(body.subarray(10, 20));
    expect((await fetch(url, { method: 'PUT', body: 'x' })).status).toBe(403);
  });
});

describe('a multipart upload over HTTP', () => {
  const MIB = 1024 * 1024;

  async function begin(sizes: readonly number[], blob = newBlobId()) {
    const bodies = sizes.map((size) => randomBytes(size));
    const sizeBytes = sizes.reduce((sum, size) => sum + size, 0);
    const { uploadId } = await answer<{ uploadId: string }>(
      await ask(app, session, contract.uploadCreate, vault, { blob, sizeBytes }),
    );
    return { blob, uploadId, sizeBytes, bodies };
  }
  type Begun = Awaited<ReturnType<typeof begin>>;

  async function send({ blob, uploadId }: Begun, partNumber: number, bytes: Uint8Array<ArrayBuffer>) {
    const checksum = createHash('sha256').update(bytes).digest('base64');
    const parts = [{ partNumber, sizeBytes: bytes.length, sha256: checksum }];
    const { urls } = await answer<{ urls: { url: string }[] }>(
      await ask(app, session, contract.uploadPartUrls, vault, { blob, uploadId, parts }),
    );
    const response = await put(urls[0]?.url ?? '', { 'x-amz-checksum-sha256': checksum }, bytes);
    expect(response.status).toBe(200);
    return { partNumber, etag: response.headers.get('etag') ?? '', sha256: checksum };
  }
  const sendAll = (begun: Begun) =>
    Promise.all(begun.bodies.map((bytes, index) => send(begun, index + 1, bytes)));
  const complete = ({ blob, uploadId, sizeBytes }: Begun, parts: unknown) =>
    ask(app, session, contract.uploadComplete, vault, { blob, uploadId, sizeBytes, parts });

  it('goes up in parts, is listed, completed, and completed again alike', async () => {
    const begun = await begin([5 * MIB, 100]);
    const parts = await sendAll(begun);
    const listed = await answer<{ parts: unknown[] }>(
      await ask(app, session, contract.uploadList, vault, { blob: begun.blob, uploadId: begun.uploadId }),
    );
    expect(listed.parts).toEqual(
      parts.map((part, index) => ({ ...part, sizeBytes: begun.bodies[index]?.length })),
    );
    const first = await answer<{ digest: string }>(await complete(begun, parts));
    expect(first.digest).toMatch(/^[A-Za-z0-9+/]{43}=-2$/);
    expect(await answer(await complete(begun, parts))).toEqual(first);
    const stored = await ports.vaultObjects.read(vault, `blobs/${begun.blob}`);
    expect(Buffer.concat(begun.bodies).equals(stored ?? new Uint8Array())).toBe(true);
  });

  it('is not completed when a part was swapped for another after its checksum was named (E13)', async () => {
    const begun = await begin([5 * MIB, 100]);
    const parts = await sendAll(begun);
    await send(begun, 2, randomBytes(100));
    const response = await complete(begun, parts);
    expect(await response.json()).toMatchObject({ code: 'upload_mismatch' });
    expect(await ports.vaultObjects.describe(vault, `blobs/${begun.blob}`)).toBeUndefined();
  });

  it('is not completed with another length than its parts have together', async () => {
    const begun = await begin([100]);
    const parts = await sendAll(begun);
    const response = await complete({ ...begun, sizeBytes: 101 }, parts);
    expect(await response.json()).toMatchObject({ code: 'upload_mismatch' });
    expect(await ports.vaultObjects.describe(vault, `blobs/${begun.blob}`)).toBeUndefined();
  });

  it('is not completed over a blob that is there', async () => {
    const begun = await begin([100]);
    const parts = await sendAll(begun);
    await complete(begun, parts);
    const second = await begin([100], begun.blob);
    expect(await (await complete(second, await sendAll(second))).json()).toMatchObject({
      code: 'already_exists',
    });
  });

  it('has exactly one winner among completions of two uploads of one blob', async () => {
    const blob = newBlobId();
    const uploads = await Promise.all([begin([100], blob), begin([100], blob)]);
    const responses = await Promise.all(uploads.map(async (begun) => complete(begun, await sendAll(begun))));
    expect(responses.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1);
  });

  it.each([
    ['a missing part', (parts: unknown[]) => parts.slice(0, 1), 'upload_mismatch'],
    ['a part that is too small in the middle', (parts: unknown[]) => parts, 'upload_mismatch'],
  ])('is refused with %s', async (_name, choose, code) => {
    const begun = await begin([100, 100]);
    const parts = await sendAll(begun);
    expect(await (await complete(begun, choose(parts))).json()).toMatchObject({ code });
  });

  it('is lost once it was aborted, and aborting it again is fine', async () => {
    const begun = await begin([100]);
    const parts = await sendAll(begun);
    const { blob, uploadId } = begun;
    for (let times = 0; times < 2; times += 1) {
      await answer(await ask(app, session, contract.uploadAbort, vault, { blob, uploadId }));
    }
    expect(await (await complete(begun, parts)).json()).toMatchObject({ code: 'upload_lost' });
    const listed = await ask(app, session, contract.uploadList, vault, { blob, uploadId });
    expect(await listed.json()).toMatchObject({ code: 'upload_lost' });
  });
});
