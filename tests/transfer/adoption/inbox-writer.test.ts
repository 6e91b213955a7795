import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobId } from '$contract/ids.ts';
import { InboxWriter } from '../../../src/lib/transfer/adoption/inbox-writer.ts';
import { recordOf } from '../../support/inbox-records.ts';
import { deviceOf, newBlobId } from '../../support/vault-side.ts';
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

/** As this device has signed it. */
const record = (blob: string) => new Uint8Array(recordOf(deviceOf(side.session), side.vault, blob));
/** A blob that S3 holds. */
async function storedBlob(): Promise<BlobId> {
  const blob = newBlobId();
  await side.cloud.vaultObjects.create(side.vault, `blobs/${blob}`, new Uint8Array(40));
  return blob;
}
const storedBlobs = (count: number) => Promise.all(Array.from({ length: count }, storedBlob));
const inInbox = (blob: string) =>
  side.cloud.objects.get(`v/${side.vault}/inbox/${side.session.device}/${blob}`)?.bytes;
const write = (blob: BlobId, bytes = record(blob)) => writer.write(side.vault, blob, bytes);
const requests = () => side.heard.length;

describe('records for the inbox', () => {
  it('that come together go in one request, each beside its own blob', async () => {
    const blobs = await storedBlobs(5);
    const records = blobs.map(record);
    await Promise.all(blobs.map((blob, index) => write(blob, records[index])));
    expect(blobs.map((blob) => Buffer.from(inInbox(blob)!))).toEqual(
      records.map((each) => Buffer.from(each)),
    );
    expect(requests()).toBe(1);
  });

  it('go a hundred at a time', async () => {
    await Promise.all((await storedBlobs(101)).map((blob) => write(blob)));
    expect(requests()).toBe(2);
  });

  it('that come while a request is under way make the next one', async () => {
    const [first, second] = [await storedBlob(), await storedBlob()];
    const one = write(first);
    await Promise.resolve();
    await Promise.resolve();
    const other = write(second);
    await Promise.all([one, other]);
    expect([inInbox(first), inInbox(second)]).not.toContain(undefined);
    expect(requests()).toBe(2);
  });

  it('without a blob are refused, and those beside them are written', async () => {
    const [good, lost] = [await storedBlob(), newBlobId()];
    expect(await Promise.allSettled([write(lost), write(good)])).toMatchObject([
      { status: 'rejected', reason: { code: 'upload_lost' } },
      { status: 'fulfilled' },
    ]);
    expect([inInbox(lost), inInbox(good)]).toEqual([undefined, expect.anything()]);
  });

  it('of a blob that has another one are refused; the same one again is fine', async () => {
    const blob = await storedBlob();
    const bytes = record(blob);
    await write(blob, bytes);
    await write(blob, bytes);
    await expect(write(blob)).rejects.toMatchObject({ code: 'already_exists' });
    expect(Buffer.from(inInbox(blob)!)).toEqual(Buffer.from(bytes));
  });

  it('beyond what a device may have waiting are refused, each by itself', async () => {
    const outcomes = await Promise.allSettled((await storedBlobs(202)).map((blob) => write(blob)));
    const refused = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [(outcome.reason as { code: string }).code] : [],
    );
    expect(refused).toEqual(['inbox_full', 'inbox_full']);
  });
});
