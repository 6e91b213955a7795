import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobId } from '$contract/ids.ts';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import { InboxWriter, placesAtFault } from '../../../src/lib/transfer/adoption/inbox-writer.ts';
import { newBlobId } from '../../support/vault-side.ts';
import { openSendingSide } from '../upload/sending-side.ts';

let side: Awaited<ReturnType<typeof openSendingSide>>;
let writer: InboxWriter;

beforeEach(async () => {
  side = await openSendingSide();
  writer = new InboxWriter(side.deps.broker, side.deps.connection.broker);
});
afterEach(() => {
  side.database.close();
});

const record = (fill: number) => new Uint8Array(40).fill(fill);
/** A blob that S3 holds. */
async function storedBlob(): Promise<BlobId> {
  const blob = newBlobId();
  await side.cloud.vaultObjects.create(side.vault, `blobs/${blob}`, record(1));
  return blob;
}
const inInbox = (blob: string) => side.cloud.objects.get(`v/${side.vault}/inbox/${blob}`)?.bytes;
const requests = () => side.heard.length;

describe('records for the inbox', () => {
  it('that come together go in one request, each beside its own blob', async () => {
    const blobs = await Promise.all(Array.from({ length: 5 }, storedBlob));
    await Promise.all(blobs.map((blob, index) => writer.write(side.vault, blob, record(index))));
    expect(blobs.map((blob) => inInbox(blob)?.[0])).toEqual([0, 1, 2, 3, 4]);
    expect(requests()).toBe(1);
  });

  it('go a hundred at a time', async () => {
    const blobs = await Promise.all(Array.from({ length: 101 }, storedBlob));
    await Promise.all(blobs.map((blob) => writer.write(side.vault, blob, record(1))));
    expect(requests()).toBe(2);
  });

  it('that come while a request is under way make the next one', async () => {
    const [first, second] = [await storedBlob(), await storedBlob()];
    const one = writer.write(side.vault, first, record(1));
    await Promise.resolve();
    await Promise.resolve();
    const other = writer.write(side.vault, second, record(2));
    await Promise.all([one, other]);
    expect([inInbox(first), inInbox(second)]).toEqual([record(1), record(2)]);
    expect(requests()).toBe(2);
  });

  it('without a blob are refused, and those beside them are written', async () => {
    const [good, lost] = [await storedBlob(), newBlobId()];
    const outcomes = await Promise.allSettled([
      writer.write(side.vault, lost, record(1)),
      writer.write(side.vault, good, record(2)),
    ]);
    expect(outcomes).toMatchObject([
      { status: 'rejected', reason: { code: 'upload_lost' } },
      { status: 'fulfilled' },
    ]);
    expect([inInbox(lost), inInbox(good)]).toEqual([undefined, record(2)]);
  });

  it('of a blob that has another one are refused; the same one again is fine', async () => {
    const blob = await storedBlob();
    await writer.write(side.vault, blob, record(1));
    await writer.write(side.vault, blob, record(1));
    await expect(writer.write(side.vault, blob, record(2))).rejects.toMatchObject({ code: 'already_exists' });
    expect(inInbox(blob)).toEqual(record(1));
  });
});

it('reads the places at fault from the fields that the broker names, and none where it names none', () => {
  const fault = (fields?: string[]) =>
    new HalfkeyError('upload_lost', 'x', { detail: fields ? { fields } : {} });
  expect(placesAtFault(fault(['records.0', 'records.12']))).toEqual(new Set([0, 12]));
  expect(placesAtFault(fault())).toBeUndefined();
  expect(placesAtFault(new TypeError('x'))).toBeUndefined();
});
