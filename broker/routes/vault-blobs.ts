import {
  blobGetUrls,
  blobPutUrl,
  snapshotGetUrls,
  snapshotPutUrls,
  uploadAbort,
  uploadComplete,
  uploadCreate,
  uploadList,
  uploadPartUrls,
} from '../contract/vault-blobs.ts';
import { blobKeys } from '../domain/vault/blob-keys.ts';
import { register } from './frame.ts';
import type { VaultRouteDeps } from './vault-route-deps.ts';

/** URLs for ciphertext, and multipart uploads. None needs a grant: there is nothing to read without a half. */
export function createVaultBlobRoutes({ frame, side }: VaultRouteDeps): void {
  const { objects, uploads } = side;

  register(frame, blobPutUrl, async ({ vault, record, request }) => ({
    url: await uploads.putUrl(vault, record, request),
  }));

  register(frame, blobGetUrls, async ({ vault, request }) => ({
    urls: await Promise.all(
      request.blobs.map(async (blob) => ({
        blob,
        url: await objects.presignGet(vault, blobKeys.blob(blob)),
      })),
    ),
  }));

  register(frame, uploadCreate, async ({ vault, record, request }) => ({
    uploadId: await uploads.create(vault, record, request.blob, request.sizeBytes),
  }));

  register(frame, uploadPartUrls, async ({ vault, request }) => ({
    urls: await uploads.partUrls(vault, request),
  }));

  register(frame, uploadList, async ({ vault, request }) => ({
    parts: await uploads.list(vault, request.blob, request.uploadId),
  }));

  register(frame, uploadComplete, async ({ vault, record, request }) => ({
    digest: await uploads.complete(vault, record, request),
  }));

  register(frame, uploadAbort, async ({ vault, request }) => {
    await uploads.abort(vault, request.blob, request.uploadId);
    return {};
  });

  register(frame, snapshotPutUrls, async ({ vault, request }) => ({
    urls: await Promise.all(
      request.pages.map(async ({ seq, page, sizeBytes, sha256 }) => ({
        page,
        url: await objects.presignPut(vault, blobKeys.snapshotPage(seq, page), sizeBytes, sha256),
      })),
    ),
  }));

  register(frame, snapshotGetUrls, async ({ vault, request }) => ({
    urls: await Promise.all(
      request.pages.map(async ({ seq, page }) => ({
        page,
        url: await objects.presignGet(vault, blobKeys.snapshotPage(seq, page)),
      })),
    ),
  }));
}
