import {
  blobGetUrls,
  blobPutUrls,
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

  register(frame, blobPutUrls, async ({ session, vault, request }) => ({
    urls: await uploads.putUrls(session, vault, request),
  }));

  register(frame, blobGetUrls, async ({ vault, request }) => ({
    urls: await Promise.all(
      request.blobs.map(async (blob) => ({
        blob,
        url: await objects.presignGet(vault, blobKeys.blob(blob)),
      })),
    ),
  }));

  register(frame, uploadCreate, async ({ session, vault, request }) => ({
    uploadId: await uploads.create(session, vault, request),
  }));

  register(frame, uploadPartUrls, async ({ vault, request }) => ({
    urls: await uploads.partUrls(vault, request),
  }));

  register(frame, uploadList, async ({ vault, request }) => ({
    parts: await uploads.list(vault, request.blob, request.uploadId),
  }));

  register(frame, uploadComplete, async ({ vault, request }) => ({
    digest: await uploads.complete(vault, request),
  }));

  register(frame, uploadAbort, async ({ vault, request }) => {
    await uploads.abort(vault, request.blob, request.uploadId);
    return {};
  });

  register(frame, snapshotPutUrls, async ({ session, vault, request }) => ({
    urls: await uploads.pageUrls(session, vault, request),
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
