import { createHash, randomBytes } from 'node:crypto';
import { HeadObjectCommand, ListObjectVersionsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { beforeAll, expect } from 'vitest';
import * as contract from '$contract/vaults.ts';
import type { BlobId } from '$contract/ids.ts';
import { deviceRevoke } from '$contract/credentials.ts';
import { inboxDiscard, inboxList, inboxRead, inboxRemove, inboxWrite } from '$contract/vault-inbox.ts';
import { OBJECT_DISPOSITION, OBJECT_TYPE } from '$contract/limits.ts';
import type { AccountClient } from '../../support/account-client.ts';
import type { TestBroker } from '../../support/broker.ts';
import { prove } from '../../support/credentials-client.ts';
import { envelopeOf } from '../../support/vault-side.ts';
import { row } from '../support/row.ts';
import { buyGrant, newBlobId, newcomer, setUpHouse } from './support/house.ts';

// Group J: an enrolled device, or its cookie, without a code, against the objects of its vault.

const KIB = 1024;
const QUOTA = 1024 * KIB;

const house = setUpHouse();
let broker: TestBroker;
let owner: AccountClient;

beforeAll(async () => {
  broker = await house.newBroker({ settings: { quotaBytes: QUOTA } });
  owner = await newcomer(house, broker, 'owner');
});

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');
const putTo = (url: string, bytes: Uint8Array<ArrayBuffer>, headers: Record<string, string>) =>
  fetch(url, {
    method: 'PUT',
    headers: { 'x-amz-checksum-sha256': sha256Of(bytes), ...headers },
    body: new Blob([bytes]),
  });
const WHOLE = {
  'content-type': OBJECT_TYPE,
  'content-disposition': OBJECT_DISPOSITION,
  'if-none-match': '*',
};

/** Who runs the store, and sees what is stored there. */
function newAdmin(): S3Client {
  const { description } = house.cloud.cloud;
  return new S3Client({
    region: description.region,
    endpoint: description.s3Endpoint,
    forcePathStyle: true,
    credentials: description,
  });
}

/** All that the vault's part of the bucket takes up, parts of unfinished uploads included. */
async function usedBytes(client: AccountClient): Promise<number> {
  const { bucket } = house.cloud.cloud.description;
  const s3 = newAdmin();
  const page = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: `v/${client.vault}/` }));
  s3.destroy();
  return (page.Versions ?? []).reduce((sum, { Size = 0 }) => sum + Size, 0);
}

row(
  'J5',
  {
    attack: 'squatting on the place of an envelope',
    tried:
      'by who has a session: for a new blob, for one that waits, in every epoch, with the KMS blob of another, with the proof of another half, purpose, blob or epoch; in one batch with an honest one',
  },
  async (t) => {
    const grant = await buyGrant(owner);
    const blobs = [newBlobId(), newBlobId()] as const;
    const order = { grant, purpose: 'inbox', epoch: 0, blobs };
    const { keys } = await owner.must(contract.keysGenerate, order);
    const [one, two] = keys;
    if (!one || !two) throw new Error('expected two halves');
    const thief = owner.fork();
    const kmsBlob = Buffer.from(one.kmsBlob, 'base64url');
    const forged = [
      ...[0, 1, 7, 0xffffffff].map((epoch) => ({
        blob: one.blob,
        envelope: envelopeOf(randomBytes(60), epoch, 'inbox'),
      })),
      { blob: newBlobId(), envelope: envelopeOf(randomBytes(60)) },
      { blob: one.blob, envelope: envelopeOf(kmsBlob, 0, 'inbox'), proof: two.proof },
      { blob: one.blob, envelope: envelopeOf(kmsBlob, 1, 'inbox'), proof: one.proof },
      { blob: one.blob, envelope: envelopeOf(kmsBlob, 0, 'file'), proof: one.proof },
      { blob: two.blob, envelope: envelopeOf(kmsBlob, 0, 'inbox'), proof: one.proof },
      {
        blob: one.blob,
        envelope: envelopeOf(Buffer.from(two.kmsBlob, 'base64url'), 0, 'inbox'),
        proof: one.proof,
      },
    ];
    for (const bad of forged) {
      const { refused } = await thief.must(contract.envelopesWrite, { envelopes: [bad] });
      expect(refused).toMatchObject([{ blob: bad.blob, code: 'grant_missing' }]);
      t.refused('grant_missing');
      t.vary(1);
    }
    const honest = { blob: one.blob, envelope: envelopeOf(kmsBlob, 0, 'inbox'), proof: one.proof };
    const { refused } = await owner.must(contract.envelopesWrite, { envelopes: [forged[4], honest] });
    expect(refused.map(({ blob }) => blob)).toEqual([forged[4]?.blob]);
    const names = [{ blob: one.blob, epoch: 0 }];
    const released = await owner.must(contract.keysRelease, { grant, purpose: 'inbox', names });
    expect(released.keys[0]?.kmsHalf).toBe(one.kmsHalf);
  },
);

row(
  'J8',
  {
    attack: 'a purged file’s envelope is put back, and its half asked for',
    tried:
      'through the route with its proof, and by who writes to the bucket itself; with a later grant, alone and in a batch',
  },
  async (t) => {
    const grant = await buyGrant(owner);
    const blobs = [newBlobId(), newBlobId()];
    const { keys } = await owner.must(contract.keysGenerate, { grant, purpose: 'inbox', epoch: 0, blobs });
    const envelopes = keys.map(({ blob, kmsBlob, proof }) => ({
      ...{ blob, proof },
      envelope: envelopeOf(Buffer.from(kmsBlob, 'base64url'), 0, 'inbox'),
    }));
    await owner.must(contract.envelopesWrite, { envelopes });
    const [gone, kept] = envelopes;
    if (!gone || !kept) throw new Error('expected two envelopes');
    const purge = await owner.must(contract.purgeGrant, { factor: await owner.nextCode() });
    expect((await owner.must(contract.purge, { grant: purge.id, blobs: [gone.blob] })).refused).toEqual([]);

    const again = await owner.must(contract.envelopesWrite, { envelopes: [gone] });
    expect(again.refused).toMatchObject([{ code: 'purged' }]);
    t.refused('purged');
    const { vaultObjects } = house.cloud.connect();
    const bytes = Buffer.from(JSON.stringify(gone.envelope));
    expect(await vaultObjects.create(owner.vault, `keys/${gone.blob}/0`, bytes)).toBe('created');
    const later = await buyGrant(owner);
    for (const of of [[gone], [kept, gone]]) {
      const names = of.map(({ blob }) => ({ blob, epoch: 0 }));
      const answer = await owner.must(contract.keysRelease, { grant: later, purpose: 'inbox', names });
      expect(answer.refused).toEqual([{ blob: gone.blob, epoch: 0, code: 'purged' }]);
      expect(answer.keys.map(({ blob }) => blob)).toEqual(of.length === 1 ? [] : [kept.blob]);
      t.vary(1);
    }
  },
);

row(
  'J6',
  {
    attack: 'storing beyond the quota without a code',
    tried:
      'blobs by many URLs at once, parts of other sizes than were announced, many uploads of one blob, snapshot pages, records, envelopes without blobs; then with a code',
  },
  async (t) => {
    const client = await newcomer(house, broker, 'crammer');
    const codes = new Set<string>();
    const note = (reply: { ok: boolean; code?: string | undefined }): boolean => {
      if (!reply.ok) codes.add(reply.code ?? '');
      t.vary(1);
      return reply.ok;
    };
    const bytes = randomBytes(100 * KIB);
    const sized = { sizeBytes: bytes.length, sha256: sha256Of(bytes) };
    const cram = async (grant?: string): Promise<void> => {
      const more = grant === undefined ? {} : { grant };
      // All URLs first: what is let in is decided when they are signed.
      const whole = Array.from({ length: 20 }, async () => {
        const blobs = [{ blob: newBlobId(), ...sized }];
        const reply = await client.call(contract.blobPutUrls, { blobs, ...more });
        return note(reply) && reply.ok ? reply.answer.urls[0]?.url : undefined;
      });
      const pages = Array.from({ length: 10 }, async (_none, seq) => {
        const page = { seq, page: newBlobId(), ...sized };
        const reply = await client.call(contract.snapshotPutUrls, { pages: [page], ...more });
        return note(reply) && reply.ok ? reply.answer.urls[0]?.url : undefined;
      });
      const urls = (await Promise.all([...whole, ...pages])).filter((url) => url !== undefined);
      await Promise.all(urls.map((url) => putTo(url, bytes, WHOLE)));
      const blob = newBlobId();
      for (let uploads = 0; uploads < 10; uploads++) {
        const created = await client.call(contract.uploadCreate, { blob, sizeBytes: 1, ...more });
        if (!note(created) || !created.ok) continue;
        const { uploadId } = created.answer;
        const parts = [{ partNumber: 1, ...sized }];
        const signed = await client.call(contract.uploadPartUrls, { blob, uploadId, parts });
        expect(signed.ok).toBe(false);
        note(signed);
      }
    };
    await cram();
    expect(await usedBytes(client)).toBeLessThanOrEqual(QUOTA / 4 + 64 * KIB);
    await cram(await buyGrant(client));
    expect(await usedBytes(client)).toBeLessThanOrEqual(QUOTA);
    const { refused } = await client.must(contract.envelopesWrite, {
      envelopes: [{ blob: newBlobId(), envelope: envelopeOf(randomBytes(60)) }],
    });
    codes.add(refused[0]?.code ?? '');
    const { head } = await client.must(contract.logRead, { from: '0' });
    expect(head.seq).toBe(0);
    for (const code of codes) t.refused(code);
    expect([...codes].sort()).toEqual(['grant_missing', 'store_full', 'upload_mismatch']);
    t.held('a quarter of the quota at a time without a code, and never more than the quota with one');
  },
);

/** What a device without a code may have there, and what the broker has written of it. */
const MOST_BYTES = QUOTA / 4 + 64 * KIB;

row(
  'J6',
  {
    attack: 'filling the quota from one device without a code, a quarter at a time',
    tried:
      'blobs with records of noise, uploads in parts, uploads that are begun and gone on with hours later, blobs that nobody tells of, and snapshot pages, with hours between, each from two sessions of the device at two brokers; a record taken out and written again, and one of a blob that another device captured',
  },
  async (t) => {
    const brokers = [broker, await house.newBroker({ settings: { quotaBytes: QUOTA } })] as const;
    const bytes = randomBytes(50 * KIB);
    const sized = { sizeBytes: bytes.length, sha256: sha256Of(bytes) };
    const tell = (by: AccountClient, blob: BlobId) =>
      by.must(inboxWrite, { records: [{ blob, record: by.inboxRecord(blob) }] });
    /** @returns what it is refused with */
    const put = async (by: AccountClient, blob = newBlobId(), isTold = true): Promise<string | undefined> => {
      const reply = await by.call(contract.blobPutUrls, { blobs: [{ blob, ...sized }] });
      if (!reply.ok) return reply.code;
      await putTo(reply.answer.urls[0]?.url ?? '', bytes, WHOLE);
      if (isTold) await tell(by, blob);
      return undefined;
    };
    const putInParts = async (by: AccountClient): Promise<string | undefined> => {
      const blob = newBlobId();
      const created = await by.call(contract.uploadCreate, { blob, sizeBytes: bytes.length });
      if (!created.ok) return created.code;
      const upload = { blob, uploadId: created.answer.uploadId };
      const part = { partNumber: 1, ...sized };
      const { urls } = await by.must(contract.uploadPartUrls, { ...upload, parts: [part] });
      const etag = (await putTo(urls[0]?.url ?? '', bytes, {})).headers.get('etag') ?? '';
      const parts = [{ partNumber: 1, etag, sha256: sized.sha256 }];
      await by.must(contract.uploadComplete, { ...upload, sizeBytes: bytes.length, parts });
      return undefined;
    };
    const putPage = async (by: AccountClient, seq: number): Promise<string | undefined> => {
      const reply = await by.call(contract.snapshotPutUrls, {
        pages: [{ seq, page: newBlobId(), ...sized }],
      });
      if (!reply.ok) return reply.code;
      await putTo(reply.answer.urls[0]?.url ?? '', bytes, WHOLE);
      return undefined;
    };
    const begun: { by: AccountClient; blob: BlobId; uploadId: string }[] = [];
    const begin = async (by: AccountClient): Promise<string | undefined> => {
      const blob = newBlobId();
      const created = await by.call(contract.uploadCreate, { blob, sizeBytes: bytes.length });
      if (!created.ok) return created.code;
      begun.push({ by, blob, uploadId: created.answer.uploadId });
      return undefined;
    };
    /** All that was begun in hours, at once. */
    const goOn = async (): Promise<void> => {
      for (const { by, ...upload } of begun.splice(0)) {
        const signed = await by.call(contract.uploadPartUrls, {
          ...upload,
          parts: [{ partNumber: 1, ...sized }],
        });
        if (signed.ok) await putTo(signed.answer.urls[0]?.url ?? '', bytes, {});
        const { parts } = await by.must(contract.uploadList, upload);
        if (parts.length > 0)
          await by.must(contract.uploadComplete, {
            ...upload,
            sizeBytes: bytes.length,
            parts: parts.map(({ partNumber, etag, sha256 }) => ({ partNumber, etag, sha256 })),
          });
      }
    };
    const ways = {
      told: (by: AccountClient) => put(by),
      inParts: putInParts,
      begun: begin,
      untold: (by: AccountClient) => put(by, newBlobId(), false),
      pages: putPage,
    };
    for (const [name, way] of Object.entries(ways)) {
      const client = await newcomer(house, broker, `hoarder-${name}`);
      const second = client.fork();
      second.send = (path, init) => brokers[1].app.request(path, init);
      await client.signIn(`hoarder-${name}`);
      for (let hours = 0; hours < 8; hours += 2) {
        await Promise.all(
          [client, second].map(async (by) => {
            for (let tries = 0; tries < 12; tries++) {
              const refusal = await way(by, tries);
              t.vary(1);
              if (refusal === undefined) continue;
              expect(refusal).toBe('grant_missing');
              t.refused(refusal);
              break;
            }
          }),
        );
        house.clock.advance(2 * 60 * 60);
      }
      await goOn();
      expect(await usedBytes(client)).toBeLessThanOrEqual(MOST_BYTES);
      // Another device goes on, without a code.
      const honest = house.clientOf(broker).knows(client);
      await honest.signIn(`hoarder-${name}`);
      const captured = newBlobId();
      expect(await put(honest, captured)).toBeUndefined();

      if (name !== 'told') continue;
      await tell(client, captured);
      expect(await put(client)).toBe('grant_missing');
      const [waiting] = (await client.must(inboxList, { after: '' })).names.filter(
        ({ device }) => device === client.device.id,
      );
      if (!waiting) throw new Error('expected a record of noise');
      const names = [{ device: waiting.device, blob: waiting.blob }];
      await honest.must(inboxRemove, { grant: await buyGrant(honest), names });
      expect(await put(client)).toBe('grant_missing');
      await tell(client, waiting.blob);
      expect(await put(client)).toBe('grant_missing');
      t.vary(3);
    }
    t.held('a quarter of the quota in all, and another device goes on uploading without a code');
  },
);

row(
  'J5',
  {
    attack: 'having others’ captures thrown away as a lost device’s',
    tried:
      'with a live grant and no proof, a made-up one, and one of another session; with the right one, for a device that is signed in, for one that nobody has, and for one that captured nothing',
  },
  async (t) => {
    const client = await newcomer(house, broker, 'keeper');
    const other = house.clientOf(broker).knows(client);
    await other.signIn('keeper');
    const blob = newBlobId();
    const bytes = randomBytes(KIB);
    const order = { blob, sizeBytes: bytes.length, sha256: sha256Of(bytes) };
    const { urls } = await other.must(contract.blobPutUrls, { blobs: [order] });
    await putTo(urls[0]?.url ?? '', bytes, WHOLE);
    await other.must(inboxWrite, { records: [{ blob, record: other.inboxRecord(blob) }] });
    expect(await prove(client, 'keeper')).toMatchObject({ ok: true });

    const thief = house.clientOf(broker).knows(client);
    await thief.signIn('keeper');
    await buyGrant(thief);
    const device = other.device.id;
    const { proof } = client;
    const proofs = [randomBytes(32).toString('base64url'), proof];
    for (const bad of proofs) {
      const reply = await thief.call(inboxDiscard, { proof: bad, device, sinceMs: 0 });
      expect(reply).toMatchObject({ ok: false, code: 'proof_missing' });
      t.refused('proof_missing');
      t.vary(1);
    }
    for (const signedIn of [device, client.device.id]) {
      const reply = await client.call(inboxDiscard, { proof, device: signedIn, sinceMs: 0 });
      expect(reply).toMatchObject({ ok: false, code: 'input_malformed' });
      t.refused('input_malformed');
      t.vary(1);
    }
    await client.must(deviceRevoke, { device: thief.device.id });
    for (const lost of [newBlobId(), thief.device.id]) {
      const { refused } = await client.must(inboxDiscard, { proof, device: lost, sinceMs: 0 });
      expect(refused).toEqual([]);
      t.vary(1);
    }
    const { records } = await client.must(inboxRead, { names: [{ device, blob }] });
    expect(records).toMatchObject([{ blob, stored: { sizeBytes: bytes.length } }]);
    t.held('the capture of the other device waits as it was, record and blob');
  },
);

row(
  'J7',
  {
    attack: 'flooding the inbox without a code',
    tried:
      'noise, records of strangers and of other blobs, and 230 rightly signed ones from one device, in parallel requests',
  },
  async (t) => {
    const roomy = await house.newBroker();
    const client = await newcomer(house, roomy, 'flooder');
    const { bucket } = house.cloud.cloud.description;
    const s3 = newAdmin();
    const blobs = Array.from({ length: 230 }, newBlobId);
    await Promise.all(
      blobs.map((blob) =>
        s3.send(
          new PutObjectCommand({
            ...{ Bucket: bucket, Key: `v/${client.vault}/blobs/${blob}`, Body: randomBytes(3) },
            ChecksumAlgorithm: 'SHA256',
            IfNoneMatch: '*',
          }),
        ),
      ),
    );
    s3.destroy();
    const bad = [
      { blob: blobs[0], record: randomBytes(1160).toString('base64url') },
      { blob: blobs[1], record: owner.inboxRecord(blobs[1] ?? '') },
      { blob: blobs[2], record: client.inboxRecord(blobs[3] ?? '') },
    ];
    const answer = await client.must(inboxWrite, { records: bad });
    expect(answer.refused.map(({ code }) => code)).toEqual(Array(3).fill('input_malformed'));
    t.refused('input_malformed');
    t.vary(3);
    const batches = [blobs.slice(0, 80), blobs.slice(80, 160), blobs.slice(160)];
    const outcomes = await Promise.all(
      batches.map((batch) =>
        client.must(inboxWrite, {
          records: batch.map((blob) => ({ blob, record: client.inboxRecord(blob) })),
        }),
      ),
    );
    const full = outcomes.flatMap(({ refused }) => refused);
    expect(new Set(full.map(({ code }) => code))).toEqual(new Set(['inbox_full']));
    expect(full).toHaveLength(30);
    t.refused('inbox_full');
    t.vary(230);
  },
);

row(
  'J14',
  {
    attack: 'HTML from the store’s origin',
    tried:
      'a page put at a blob’s and a snapshot page’s URL with another type, another disposition, and without one; then what the store has kept of one that was put as it was signed',
  },
  async (t) => {
    const client = await newcomer(house, await house.newBroker(), 'publisher');
    const html = Buffer.from('<script>document.title = "run"</script>'.padEnd(64));
    const sized = { sizeBytes: html.length, sha256: sha256Of(html) };
    const urlOf = async () => {
      const blobs = [{ blob: newBlobId(), ...sized }];
      return (await client.must(contract.blobPutUrls, { blobs })).urls[0]?.url ?? '';
    };
    const pageUrl = async () => {
      const pages = [{ seq: 1, page: newBlobId(), ...sized }];
      return (await client.must(contract.snapshotPutUrls, { pages })).urls[0]?.url ?? '';
    };
    const { 'content-disposition': _disposition, ...withoutDisposition } = WHOLE;
    const lies = [
      { ...WHOLE, 'content-type': 'text/html' },
      { ...WHOLE, 'content-disposition': 'inline' },
      { ...WHOLE, 'content-disposition': 'attachment; filename=x.html' },
      { ...withoutDisposition, 'content-type': 'text/html' },
      withoutDisposition,
    ];
    for (const headers of lies) {
      for (const url of [await urlOf(), await pageUrl()]) {
        const { status } = await putTo(url, html, headers);
        expect(status).toBe(403);
        t.refused(String(status));
        t.vary(1);
      }
    }
    const { bucket } = house.cloud.cloud.description;
    const admin = newAdmin();
    for (const url of [await urlOf(), await pageUrl()]) {
      expect((await putTo(url, html, WHOLE)).status).toBe(200);
      const key = decodeURIComponent(new URL(url).pathname).slice(`/${bucket}/`.length);
      const head = await admin.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
      expect([head.ContentType, head.ContentDisposition]).toEqual([OBJECT_TYPE, OBJECT_DISPOSITION]);
      t.vary(1);
    }
    admin.destroy();
    t.held('octet-stream and an attachment, whatever was tried');
  },
);
