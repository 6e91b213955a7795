import { createHash, randomBytes } from 'node:crypto';
import { beforeAll, expect } from 'vitest';
import * as account from '$contract/accounts.ts';
import * as contract from '$contract/vaults.ts';
import { createAccounts } from '../../../broker/domain/account/accounts.ts';
import { createRecords } from '../../../broker/domain/state/records.ts';
import { loadSetup } from '../../../broker/domain/state/setup.ts';
import { createSweep } from '../../../broker/domain/sweep.ts';
import type { AccountClient } from '../../support/account-client.ts';
import type { TestBroker } from '../../support/broker.ts';
import { s3Error, type SeenRequest } from '../../support/fault-proxy.ts';
import { envelopeOf } from '../../support/vault-side.ts';
import { row } from '../support/row.ts';
import { buyGrant, newBlobId, newcomer, setUpHouse } from './support/house.ts';

const house = setUpHouse();
let broker: TestBroker;
let client: AccountClient;

beforeAll(async () => {
  broker = await house.newBroker();
  client = await newcomer(house, broker, 'store');
});

const isCompletion = ({ method, query }: SeenRequest): boolean =>
  method === 'POST' && query.includes('uploadId=');
const isList = ({ method, path, query }: SeenRequest): boolean =>
  method === 'GET' && /^\/halfkey\/?$/.test(path) && /[?&](list-type=2|versions|prefix=)/.test(query);
const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');

/** An upload of one part that has only to be completed. */
async function uploaded(bytes = randomBytes(300)) {
  const blob = newBlobId();
  const sha256 = sha256Of(bytes);
  const { uploadId } = await client.must(contract.uploadCreate, { blob, sizeBytes: bytes.length });
  const { urls } = await client.must(contract.uploadPartUrls, {
    blob,
    uploadId,
    parts: [{ partNumber: 1, sizeBytes: bytes.length, sha256 }],
  });
  const sent = await fetch(urls[0]?.url ?? '', {
    method: 'PUT',
    headers: { 'x-amz-checksum-sha256': sha256 },
    body: new Blob([bytes]),
  });
  const parts = [{ partNumber: 1, etag: sent.headers.get('etag') ?? '', sha256 }];
  return { blob, uploadId, order: { blob, uploadId, sizeBytes: bytes.length, parts } };
}

row(
  'D6',
  {
    attack: 'a completion answered 200 with an error in its body',
    tried:
      'each of S3’s error codes, no body, half a document, another document, at every try; then the truth',
  },
  async (t) => {
    const bodies = [
      ...[
        'InternalError',
        'SlowDown',
        'ServiceUnavailable',
        'RequestTimeout',
        'NoSuchUpload',
        'InvalidPart',
        'BadDigest',
        'AccessDenied',
        'PreconditionFailed',
        'EntityTooSmall',
      ].map(s3Error),
      '',
      '<',
      s3Error('InternalError').slice(0, 60),
      '<?xml version="1.0" encoding="UTF-8"?><CompleteMultipartUploadResult><Location>x</Location></CompleteMultipartUploadResult>',
      '<html>proxy</html>',
      '{"ok":true}',
    ];
    for (const body of bodies.filter((_, index) => t.full || index % 3 === 0)) {
      const { blob, order } = await uploaded();
      house.proxy.fault = (request) =>
        isCompletion(request) ? { kind: 'answer', status: 200, body } : undefined;
      const reply = await client.call(contract.uploadComplete, order);
      expect([body, reply.ok]).toEqual([body, false]);
      expect([body, reply.code]).toEqual([
        body,
        expect.stringMatching(/^(store_unreachable|upload_lost|upload_mismatch|internal)$/),
      ]);
      t.refused(reply.code ?? '');
      t.vary(1);
      house.proxy.fault = () => undefined;
      expect(await house.connect().vaultObjects.describe(client.vault, `blobs/${blob}`)).toBeUndefined();
      // Nothing was lost either.
      const { digest } = await client.must(contract.uploadComplete, order);
      expect(digest).toMatch(/-1$/);
    }
    t.held('no success was claimed, and the same completion succeeds afterwards');
  },
);

/** An envelope of an inbox key that is not written yet, with what came with its half. */
async function envelopeWithProof(client: AccountClient) {
  const grant = await buyGrant(client);
  const blob = newBlobId();
  const order = { grant, purpose: 'inbox', epoch: 0, blobs: [blob] };
  const [key] = (await client.must(contract.keysGenerate, order)).keys;
  if (!key) throw new Error('expected a half');
  const envelope = envelopeOf(Buffer.from(key.kmsBlob, 'base64url'), 0, 'inbox');
  return { blob, envelope, proof: key.proof };
}

row(
  'D9',
  {
    attack: 'URLs that expire in the middle, a store that is slow or full',
    tried:
      'an expired part of four, sent again by a fresh URL; 503 and 507 at each of the broker’s own writes',
  },
  async (t) => {
    const blob = newBlobId();
    const { uploadId } = await client.must(contract.uploadCreate, {
      blob,
      sizeBytes: 5 * 1024 * 1024 * 3 + 10,
    });
    const bodies = [...Array.from({ length: 3 }, () => randomBytes(5 * 1024 * 1024)), randomBytes(10)];
    const parts: { partNumber: number; etag: string; sha256: string }[] = [];
    for (const [index, bytes] of bodies.entries()) {
      const sha256 = sha256Of(bytes);
      const order = { blob, uploadId, parts: [{ partNumber: index + 1, sizeBytes: bytes.length, sha256 }] };
      const send = async (url: string) =>
        fetch(url, { method: 'PUT', headers: { 'x-amz-checksum-sha256': sha256 }, body: new Blob([bytes]) });
      const { urls } = await client.must(contract.uploadPartUrls, order);
      const late = new URL(urls[0]?.url ?? '');
      late.searchParams.set('X-Amz-Date', '20260101T000000Z');
      const refused = await send(late.href);
      expect([400, 403]).toContain(refused.status);
      t.refused(String(refused.status));
      const fresh = (await client.must(contract.uploadPartUrls, order)).urls[0]?.url ?? '';
      const sent = await send(fresh);
      expect(sent.status).toBe(200);
      parts.push({ partNumber: index + 1, etag: sent.headers.get('etag') ?? '', sha256 });
      t.vary(1);
    }
    const sizeBytes = bodies.reduce((sum, { length }) => sum + length, 0);
    await client.must(contract.uploadComplete, { blob, uploadId, sizeBytes, parts });

    for (const [status, name, code] of [
      [507, 'InsufficientStorage', 'store_full'],
      [503, 'SlowDown', 'store_unreachable'],
    ] as const) {
      const { head } = await client.must(contract.logRead, { from: '0' });
      const segment = client.segmentAfter(head);
      const enveloped = await envelopeWithProof(client);
      const requests = [
        () => client.call(contract.logAppend, { segment }),
        () => client.call(contract.envelopesWrite, { envelopes: [enveloped] }),
        () => client.call(contract.uploadCreate, { blob: newBlobId(), sizeBytes: 10 }),
      ];
      for (const request of requests) {
        house.proxy.fault = ({ method }) =>
          method === 'GET' || method === 'HEAD' ? undefined : { kind: 'answer', status, body: s3Error(name) };
        const reply = await request();
        house.proxy.fault = () => undefined;
        expect(reply).toMatchObject({ ok: false, code });
        t.refused(reply.code ?? '');
        t.vary(1);
        expect((await request()).ok).toBe(true);
      }
    }
  },
);

row(
  'D13',
  {
    attack: 'a LIST that hides or repeats keys',
    tried:
      'empty, truncated for ever, and foreign lists during append, read, release, completion, sign-in and start',
  },
  async (t) => {
    const empty =
      '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>halfkey</Name><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>';
    const foreign = empty.replace(
      '<KeyCount>0',
      '<Contents><Key>v/x/log/999</Key><Size>5</Size><ETag>"e"</ETag></Contents><KeyCount>1',
    );
    for (const body of [empty, foreign]) {
      house.proxy.fault = (request) => (isList(request) ? { kind: 'answer', status: 200, body } : undefined);
      const fresh = await house.newBroker();
      const twin = client.fork();
      twin.send = house.clientOf(fresh).send;
      const { head } = await twin.must(contract.logRead, { from: '0' });
      const segment = twin.segmentAfter(head);
      const appended = await twin.must(contract.logAppend, { segment });
      expect(appended.seq).toBe(head.seq + 1);
      const read = await twin.must(contract.logRead, { from: String(appended.seq) });
      expect(read.segments).toEqual([segment]);
      const grant = await buyGrant(twin);
      const blob = newBlobId();
      const making = { grant, purpose: 'inbox', epoch: 0, blobs: [blob] };
      const [made] = (await twin.must(contract.keysGenerate, making)).keys;
      const envelope = envelopeOf(Buffer.from(made?.kmsBlob ?? '', 'base64url'), 0, 'inbox');
      await twin.must(contract.envelopesWrite, { envelopes: [{ blob, envelope, proof: made?.proof }] });
      const { keys } = await twin.must(contract.keysRelease, {
        grant,
        purpose: 'inbox',
        names: [{ blob, epoch: 0 }],
      });
      expect(keys[0]?.kmsHalf).toBe(made?.kmsHalf);
      const { order } = await uploaded();
      expect((await twin.must(contract.uploadComplete, order)).digest).toMatch(/-1$/);
      const { events } = await twin.must(account.eventsRead, { from: '0' });
      expect(events.at(-1)?.kind).toBe('released');
      t.vary(7);
    }
    t.held('heads, segments, halves, uploads and events are the same: none is learnt from a list');
    // Where a missing key is 403, a listing says that it is missing: one that is none says nothing, and the next one
    // does.
    for (const body of [s3Error('AccessDenied'), '']) {
      house.proxy.fault = (request) => (isList(request) ? { kind: 'answer', status: 200, body } : undefined);
      const twin = client.fork();
      twin.send = house.clientOf(await house.newBroker()).send;
      expect(await twin.call(contract.logRead, { from: '0' })).toMatchObject({ code: 'store_unreachable' });
      house.proxy.fault = () => undefined;
      await twin.must(contract.logRead, { from: '0' });
      t.vary(1);
      t.refused('store_unreachable');
    }
  },
);

row(
  'D16',
  {
    attack: 'the sweeper races with somebody who comes back',
    tried:
      'a sign-up that is completed, a grant that is spent and an account that is used at each request that a sweep makes',
  },
  async (t) => {
    const { setup, codec } = await loadSetup(broker.ports.state, broker.ports.kms);
    const ports = house.connect();
    const records = createRecords(ports.state, codec);
    const accounts = createAccounts(records, setup.nameKey);
    // As long after as the sign-up would be swept; the store's own clock goes by the wall.
    const sweep = createSweep({
      versions: ports.versions,
      accounts,
      purger: ports.purger,
      unfinished: ports.unfinished,
      findOrphans: () => Promise.resolve([]),
      clock: () => Date.now() + 25 * 3600_000,
    });
    let requests = Infinity;
    for (let at = 0; at < requests; at += t.full ? 1 : 4) {
      const pending = house.clientOf(broker);
      await pending.signUpUntilFirstCode(`late-${String(at)}-${randomBytes(4).toString('hex')}`, 'p');
      const request = await pending.completion();
      let nth = 0;
      let completed: Promise<Awaited<ReturnType<AccountClient['call']>>> | undefined;
      let sweeping = true;
      house.proxy.fault = ({ target }) => {
        if (!sweeping || target !== '') return undefined;
        if (nth++ === at)
          completed = Promise.resolve().then(() => pending.call(account.signupComplete, request));
        return undefined;
      };
      await sweep.run();
      sweeping = false;
      requests = Math.min(requests, nth);
      const reply = await (completed ?? pending.call(account.signupComplete, request));
      // Either it was too late, and says so, or it is there, whole, and stays.
      if (reply.ok) {
        await sweep.run();
        expect((await pending.must(account.sessionRead)).account).toBe(pending.account);
        expect((await pending.must(contract.logRead, { from: '0' })).segments).toHaveLength(1);
        t.held('who was in time is whole');
      } else {
        expect(reply.code).toMatch(/^(session_missing|name_taken|store_unreachable)$/);
        t.refused(reply.code);
      }
      t.vary(1);
    }
    house.proxy.fault = () => undefined;
    await client.must(account.sessionRead);
  },
);
