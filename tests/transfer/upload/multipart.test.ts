import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { uploadComplete, uploadCreate } from '$contract/vault-blobs.ts';
import { sendParts } from '../../../src/lib/transfer/upload/multipart.ts';
import type { PartSupply, SendingDeps } from '../../../src/lib/transfer/upload/part-supply.ts';
import { compositeOf, openSendingSide, uploadOfThree } from './sending-side.ts';

let side: Awaited<ReturnType<typeof openSendingSide>>;
let file: Awaited<ReturnType<typeof uploadOfThree>>;

beforeEach(async () => {
  side = await openSendingSide();
  file = await uploadOfThree(side.vault);
  await side.records.save(file.upload);
});
afterEach(() => {
  side.database.close();
});

/**
 * Sends it as it is stored; `sent` says what was told, `verifying` the digests that were told before the completion.
 */
async function send(
  options: { supply?: PartSupply; deps?: Partial<SendingDeps>; signal?: AbortSignal } = {},
) {
  const sent: number[] = [];
  const verifying: string[] = [];
  const stored = await side.records.read(file.upload.blob);
  const digest = await sendParts(
    { ...side.deps, ...options.deps },
    stored ?? file.upload,
    options.supply ?? file.supply(),
    options.signal ?? new AbortController().signal,
    {
      onSent: (bytes) => void sent.push(bytes),
      onVerifying: (digests) => {
        expect(side.heard.at(-1)).not.toBe('uploads/complete');
        verifying.push(compositeOf(digests));
        return Promise.resolve();
      },
    },
  );
  return { digest, sent, verifying };
}

const blob = () => file.upload.blob;
const puts = () => side.heard.filter((each) => each.startsWith('put')).sort();
const times = (what: string) => side.heard.filter((each) => each === what).length;

/** An upload of this blob at S3, as a tab before had it. */
async function begun(): Promise<string> {
  const order = { blob: blob(), sizeBytes: file.upload.sealedBytes };
  const { uploadId } = await side.deps.broker.call(uploadCreate, order);
  await side.records.beginMultipart(file.upload.blob, uploadId);
  side.heard.length = 0;
  return uploadId;
}
/** The upload, its parts sent and completed, the answer lost. */
async function completedUnheard(): Promise<void> {
  const uploadId = await begun();
  const parts = file.bodies.map((body, index) => side.cloud.putPart(uploadId, index + 1, body));
  const named = parts.map(({ partNumber, etag, sha256 }) => ({ partNumber, etag, sha256 }));
  const order = { blob: blob(), uploadId, sizeBytes: file.upload.sealedBytes, parts: named };
  await side.deps.broker.call(uploadComplete, order);
  side.heard.length = 0;
}

describe('an upload in parts', () => {
  it('is the bytes of its parts in their order, and answers the digest of their digests', async () => {
    const { digest, verifying } = await send();
    expect(digest).toBe(compositeOf(file.digests));
    expect(verifying).toEqual([digest]);
    expect(Buffer.concat(file.bodies).equals(side.stored(file.upload.blob) ?? new Uint8Array())).toBe(true);
    expect(puts()).toEqual(['put 1', 'put 2', 'put 3']);
  });

  it('says how much has left: never less than before, and all of it at the end', async () => {
    const { sent } = await send();
    expect(sent[0]).toBe(0);
    expect(sent).toEqual([...sent].sort((a, b) => a - b));
    expect(sent.at(-1)).toBe(file.upload.sealedBytes);
  });

  it('is written down before a part goes', async () => {
    await send();
    const { uploadId } = (await side.records.read(file.upload.blob))!;
    expect(uploadId).toBeDefined();
    expect(side.heard.indexOf('uploads/create')).toBe(0);
  });

  it('does not begin when its record was removed meanwhile', async () => {
    await side.records.remove(file.upload.blob);
    await expect(send()).rejects.toMatchObject({ code: 'device_state_lost' });
    expect(puts()).toEqual([]);
  });

  it('is not taken for whole when S3 says another digest', async () => {
    const { broker } = side.deps;
    const lying: SendingDeps['broker'] = {
      call: async (route, request, options) => {
        const answer = await broker.call(route, request, options);
        return route.path === uploadComplete.path ? ({ digest: compositeOf([]) } as never) : answer;
      },
    };
    await expect(send({ deps: { broker: lying } })).rejects.toMatchObject({ code: 'digest_mismatch' });
  });

  it('ends while a part is still being sealed, when it is called off', async () => {
    const controller = new AbortController();
    const never: PartSupply = {
      ...file.supply(),
      part: () => {
        controller.abort();
        return new Promise(() => undefined);
      },
    };
    await expect(send({ supply: never, signal: controller.signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(puts()).toEqual([]);
  });
});

describe('an upload that was begun before', () => {
  it('sends only what S3 does not have, and counts what it has from the start', async () => {
    const uploadId = await begun();
    side.cloud.putPart(uploadId, 2, file.bodies[1]!);
    const { sent } = await send();
    expect(sent[0]).toBe(file.bodies[1]!.length);
    expect(puts()).toEqual(['put 1', 'put 3']);
    expect(times('uploads/create')).toBe(0);
  });

  it('sends a part again of which S3 has other bytes', async () => {
    const uploadId = await begun();
    side.cloud.putPart(uploadId, 2, randomBytes(file.bodies[1]!.length));
    expect((await send()).digest).toBe(compositeOf(file.digests));
    expect(puts()).toEqual(['put 1', 'put 2', 'put 3']);
  });

  it('is found when it was completed and the answer was lost: nothing is sent', async () => {
    await completedUnheard();
    expect((await send()).digest).toBe(compositeOf(file.digests));
    expect(puts()).toEqual([]);
    expect(times('uploads/create')).toBe(0);
  });

  it('goes up anew, the same bytes as another upload, when S3 has lost it', async () => {
    const lost = await begun();
    side.cloud.uploads.delete(lost);
    expect((await send()).digest).toBe(compositeOf(file.digests));
    expect(puts()).toEqual(['put 1', 'put 2', 'put 3']);
    expect((await side.records.read(file.upload.blob))?.uploadId).not.toBe(lost);
  });

  it('is lost for good when its parts cannot be had once more', async () => {
    side.cloud.uploads.delete(await begun());
    await expect(send({ supply: file.supply(false) })).rejects.toMatchObject({ code: 'upload_lost' });
    expect(puts()).toEqual([]);
  });

  it('is given up when S3 has lost five in a row', async () => {
    const { put } = side.deps;
    const losing: SendingDeps['put'] = async (what) => {
      const etag = await put(what);
      side.cloud.uploads.clear();
      return etag;
    };
    // One part: the completion is what finds it lost.
    file = { ...file, upload: { ...file.upload, sealedBytes: file.bodies[0]!.length, partCount: 1 } };
    await side.records.save(file.upload);
    await expect(send({ deps: { put: losing } })).rejects.toMatchObject({ code: 'upload_lost' });
    expect(times('uploads/create')).toBe(5);
    expect(puts()).toHaveLength(5);
  });
});
