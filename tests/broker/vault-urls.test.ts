import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BlobId, VaultId } from '$contract/ids.ts';
import { OBJECT_DISPOSITION, OBJECT_TYPE } from '$contract/limits.ts';
import * as contract from '$contract/vaults.ts';
import { sha256B64 } from '../support/memory-vault-cloud.ts';
import { answer, ask } from '../support/vault-broker.ts';
import { APP_ORIGIN } from '../support/vault-cloud.ts';
import { newBlobId } from '../support/vault-side.ts';
import { setUpVaults } from '../support/set-up-vaults.ts';

let vault: VaultId;
const { world, app, session, newVault } = setUpVaults();

beforeAll(async () => {
  vault = await newVault();
});

const body = randomBytes(1000);
const sha256 = sha256B64(body);

async function putUrl(blob: BlobId = newBlobId(), sizeBytes = body.length): Promise<string> {
  const blobs = [{ blob, sizeBytes, sha256 }];
  const response = await ask(app, session, contract.blobPutUrls, vault, { blobs });
  return (await answer<{ urls: { url: string }[] }>(response)).urls[0]!.url;
}
const put = (url: string, headers: Record<string, string>, bytes: Uint8Array<ArrayBuffer> = body) =>
  fetch(url, { method: 'PUT', headers, body: new Blob([bytes]) });
const RIGHT = {
  'content-type': OBJECT_TYPE,
  'content-disposition': OBJECT_DISPOSITION,
  'if-none-match': '*',
  'x-amz-checksum-sha256': sha256,
};

describe('a URL', () => {
  it('is signed for the host that the browser sees, where that is another', async () => {
    const far = world.connect({ s3PublicUrl: 'https://s3.drive.example' });
    const url = new URL(await far.vaultObjects.presignPut(vault, 'blobs/x', 1, sha256));
    expect(url.origin).toBe('https://s3.drive.example');
    expect(url.pathname).toBe(`/halfkey/v/${encodeURIComponent(vault)}/blobs/x`);
    // Under the other name it is another host, so another signature.
    expect((await put(`${world.cloud.endpoint}${url.pathname}${url.search}`, RIGHT)).status).toBe(403);
  });

  it('to read signs the host alone, so that the client ranges freely', async () => {
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

describe('CORS', () => {
  const preflight = async (headers: string) => {
    const asked = { 'access-control-request-method': 'PUT', 'access-control-request-headers': headers };
    return fetch(await putUrl(), { method: 'OPTIONS', headers: { origin: APP_ORIGIN, ...asked } });
  };

  it('lets a page send the headers that docs/OPERATING.md names, and no other', async () => {
    const text = readFileSync(new URL('../../docs/OPERATING.md', import.meta.url), 'utf8');
    const [, list = ''] = /^CORS: [^;]*; [^;]*; headers ([^;]*);/m.exec(text) ?? [];
    const documented = [...list.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    expect(documented).toEqual(expect.arrayContaining(Object.keys(RIGHT)));
    const allowed = await preflight(documented.join(','));
    expect(allowed.status).toBe(200);
    expect(allowed.headers.get('access-control-allow-headers')).toBe(documented.join(', '));
    for (const other of ['authorization', 'x-amz-acl', 'x-amz-meta-a', 'x-amz-checksum-crc32', 'if-match']) {
      expect([other, (await preflight([...documented, other].join(','))).status]).toEqual([other, 403]);
    }
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
    const stored = await world.admin.send(
      new GetObjectCommand({ Bucket: world.place.bucket, Key: `v/${vault}/blobs/${begun.blob}` }),
    );
    const bytes = await stored.Body?.transformToByteArray();
    expect(Buffer.concat(begun.bodies).equals(bytes ?? new Uint8Array())).toBe(true);
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
