import { createHash, randomBytes } from 'node:crypto';
import { beforeAll, expect } from 'vitest';
import * as contract from '$contract/vaults.ts';
import type { VaultId } from '$contract/ids.ts';
import { ask } from '../../support/vault-broker.ts';
import { APP_ORIGIN } from '../../support/vault-cloud.ts';
import { newBlobId } from '../../support/vault-side.ts';
import { setUpVaults } from '../../support/set-up-vaults.ts';
import { row } from '../support/row.ts';

let vault: VaultId;
const { world, app, session, newVault } = setUpVaults();

beforeAll(async () => {
  vault = await newVault();
});

const body = randomBytes(1000);
const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');
const sha256 = sha256Of(body);
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

row(
  'E12',
  { attack: 'a page of another origin with a URL', tried: 'preflights and plain requests from ten origins' },
  async (t) => {
    const url = await putUrl();
    const preflight = (origin: string) =>
      fetch(url, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'PUT',
          'access-control-request-headers': 'content-type,if-none-match,x-amz-checksum-sha256',
        },
      });
    expect((await preflight(APP_ORIGIN)).headers.get('access-control-allow-origin')).toBe(APP_ORIGIN);
    const { hostname } = new URL(APP_ORIGIN);
    for (const origin of [
      'https://evil.example',
      'null',
      '*',
      'http://localhost',
      `https://${hostname}:8787`,
      `${APP_ORIGIN}.evil.example`,
      `http://evil-${hostname}:8787`,
      `${APP_ORIGIN}0`,
      `${APP_ORIGIN}/`,
      'file://',
      '',
    ]) {
      const answer = await preflight(origin);
      expect([origin, answer.headers.get('access-control-allow-origin')]).toEqual([origin, null]);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      const plain = await fetch(url, { headers: { origin } });
      expect(plain.headers.get('access-control-allow-origin')).toBeNull();
      t.refused(String(answer.status));
      t.vary(2);
    }
  },
);

row(
  'E13',
  {
    attack: 'parts swapped, overwritten, left out, or of another upload',
    tried:
      'each before the completion, which names every part’s checksum; the upload abandoned; a completion of somebody else’s',
  },
  async (t) => {
    const big = 5 * 1024 * 1024;
    interface Part {
      partNumber: number;
      etag: string;
      sha256: string;
    }
    const begin = async () => {
      const blob = newBlobId();
      const { uploadId } = await answered<{ uploadId: string }>(contract.uploadCreate, {
        blob,
        sizeBytes: big + 100,
      });
      const send = async (partNumber: number, bytes: Body): Promise<Part> => {
        const checksum = sha256Of(bytes);
        const parts = [{ partNumber, sizeBytes: bytes.length, sha256: checksum }];
        const { urls } = await answered<{ urls: { url: string }[] }>(contract.uploadPartUrls, {
          blob,
          uploadId,
          parts,
        });
        const sent = await put(urls[0]?.url ?? '', { 'x-amz-checksum-sha256': checksum }, bytes);
        expect(sent.status).toBe(200);
        return { partNumber, etag: sent.headers.get('etag') ?? '', sha256: checksum };
      };
      const parts = [await send(1, randomBytes(big)), await send(2, randomBytes(100))] as const;
      const complete = async (named: readonly Part[], sizeBytes = big + 100) => {
        const response = await ask(app, session, contract.uploadComplete, vault, {
          blob,
          uploadId,
          sizeBytes,
          parts: named,
        });
        return (await response.json()) as { code?: string; digest?: string };
      };
      return { blob, send, parts, complete };
    };
    type Upload = Awaited<ReturnType<typeof begin>>;
    const attempts: ((upload: Upload) => Promise<{ code?: string }>)[] = [
      async ({ send, parts, complete }) => {
        await send(2, randomBytes(100));
        return complete(parts);
      },
      async ({ send, parts, complete }) => {
        await send(1, randomBytes(big));
        return complete(parts);
      },
      ({ parts: [one, two], complete }) =>
        complete([
          { ...one, etag: two.etag, sha256: two.sha256 },
          { ...two, etag: one.etag, sha256: one.sha256 },
        ]),
      ({ parts: [one], complete }) => complete([one]),
      async ({ send, parts: [, two], complete }) => complete([await send(1, randomBytes(100)), two], 200),
      ({ parts: [one, two], complete }) => complete([two, one]),
      ({ parts: [one, two], complete }) => complete([one, { ...two, partNumber: 3 }]),
      ({ parts: [one, two], complete }) => complete([one, { ...two, sha256: one.sha256 }]),
      ({ parts, complete }) => complete(parts, big + 99),
      ({ parts, complete }) => complete(parts, big + 101),
    ];
    for (const attempt of attempts) {
      const upload = await begin();
      const { code } = await attempt(upload);
      expect(code).toMatch(/^(upload_mismatch|upload_lost|input_malformed)$/);
      expect(await world.connect().vaultObjects.describe(vault, `blobs/${upload.blob}`)).toBeUndefined();
      t.refused(code ?? '');
      t.vary(1);
    }
    const good = await begin();
    expect((await good.complete(good.parts)).digest).toMatch(/-2$/);
  },
);
