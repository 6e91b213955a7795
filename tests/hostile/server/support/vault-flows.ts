import { createHash, randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import * as account from '$contract/accounts.ts';
import { inboxList, inboxRead, inboxRemove, inboxWrite } from '$contract/vault-inbox.ts';
import { OBJECT_DISPOSITION, OBJECT_TYPE } from '$contract/limits.ts';
import * as contract from '$contract/vaults.ts';
import type { AccountClient } from '../../../support/account-client.ts';
import { envelopeOf, newBlobId } from '../../../support/vault-side.ts';
import { b64url, codeOf, type Flow, sha256Of, signedUp } from './flow.ts';

const RELEASES = 3;
/** Releases that are left of a grant, by asking until there are none. */
async function spendRest(client: AccountClient, grant: string): Promise<number> {
  for (let given = 0; ; given += 1) {
    const names = [{ blob: newBlobId(), epoch: 0 }];
    const reply = await client.call(contract.keysRelease, { grant, purpose: 'file', names });
    if (!reply.ok) {
      expect(reply.code).toBe('grant_spent');
      return given;
    }
  }
}

export const generate: Flow = {
  name: 'generate',
  async prepare(person) {
    const { factor } = await signedUp(person);
    const { client } = person;
    const { id: grant } = await client.must(account.grantBuy, { factor: await factor(), releases: RELEASES });
    let given = 0;
    return {
      async attempt() {
        await client.must(contract.keysGenerate, { grant, purpose: 'file', epoch: 0, blobs: [newBlobId()] });
        given += 1;
      },
      async check() {
        // Making a half spends no release; that it is never charged too little is in the histories of model.test.ts.
        expect(await spendRest(client, grant)).toBe(RELEASES);
        const { events } = await client.must(account.eventsRead, { from: '0' });
        expect(events.filter(({ kind }) => kind === 'generated').length).toBeGreaterThanOrEqual(given);
      },
    };
  },
};

/** A blob, and an envelope for it that opens. */
async function blobWithEnvelope(client: AccountClient, grant: string) {
  const blob = newBlobId();
  const order = { grant, purpose: 'file', epoch: 0, blobs: [blob] };
  const [made] = (await client.must(contract.keysGenerate, order)).keys;
  if (!made) throw new Error('expected a key');
  await putBlob(client, blob);
  const envelope = envelopeOf(Buffer.from(made.kmsBlob, 'base64url'));
  return { blob, envelope, proof: made.proof, kmsHalf: made.kmsHalf };
}

export const release: Flow = {
  name: 'envelope and release',
  async prepare(person) {
    const { factor, grant: first } = await signedUp(person);
    const { client } = person;
    const { blob, envelope, proof, kmsHalf } = await blobWithEnvelope(client, first);
    const { id: grant } = await client.must(account.grantBuy, { factor: await factor(), releases: RELEASES });
    let given = 0;
    return {
      async attempt() {
        await client.must(contract.envelopesWrite, { envelopes: [{ blob, envelope, proof }] });
        const { keys } = await client.must(contract.keysRelease, {
          grant,
          purpose: 'file',
          names: [{ blob, epoch: 0 }],
        });
        expect(keys[0]?.kmsHalf).toBe(kmsHalf);
        given += 1;
      },
      async check() {
        expect(given + (await spendRest(client, grant))).toBeLessThanOrEqual(RELEASES);
        const other = { ...envelope, salt: b64url(randomBytes(32)) };
        const envelopes = [{ blob, envelope: other, proof }];
        const { refused } = await client.must(contract.envelopesWrite, { envelopes });
        expect(refused).toEqual([{ blob, epoch: 0, code: 'already_exists' }]);
      },
    };
  },
};

export const unlock: Flow = {
  name: 'code and release',
  async prepare(person) {
    const { factor, grant: first } = await signedUp(person);
    const { client } = person;
    const { blob, envelope, proof, kmsHalf } = await blobWithEnvelope(client, first);
    await client.must(contract.envelopesWrite, { envelopes: [{ blob, envelope, proof }] });
    const release = { vault: client.vault, names: [{ blob, epoch: 0 }] };
    let current = await factor();
    let given: { id: string; released?: unknown } | undefined;
    return {
      async attempt() {
        const reply = await client.call(account.grantBuy, { factor: current, releases: RELEASES, release });
        // It was taken, and the answer lost: another one is needed.
        if (reply.code === 'code_used' || reply.code === 'backup_code_refused') current = await factor();
        if (!reply.ok) throw new Error(reply.code);
        given = reply.answer;
        // The half may have failed while the code was good.
        if (reply.answer.released) expect(reply.answer.released.keys[0]?.kmsHalf).toBe(kmsHalf);
      },
      async check() {
        const taken = given?.released ? 1 : 0;
        const { events } = await client.must(account.eventsRead, { from: '0' });
        expect(events.filter(({ kind }) => kind === 'released').length).toBeGreaterThanOrEqual(taken);
        expect(taken + (await spendRest(client, given?.id ?? ''))).toBeLessThanOrEqual(RELEASES);
      },
    };
  },
};

export const append: Flow = {
  name: 'append',
  async prepare(person) {
    await signedUp(person);
    const { client } = person;
    const { head } = await client.must(contract.logRead, { from: '0' });
    const segment = client.segmentAfter(head);
    return {
      async attempt() {
        await client.must(contract.logAppend, { segment });
      },
      async check() {
        const { segments, head: now } = await client.must(contract.logRead, { from: '0' });
        expect(now.seq).toBe(1);
        expect(segments.filter((one) => one === segment)).toHaveLength(1);
        expect(await codeOf(client, contract.logAppend, { segment: client.segmentAfter(head) })).toBe(
          'head_changed',
        );
      },
    };
  },
};

export const adopt: Flow = {
  name: 'envelope and entry',
  async prepare(person) {
    const { grant } = await signedUp(person);
    const { client } = person;
    const { blob, envelope, proof } = await blobWithEnvelope(client, grant);
    const { head } = await client.must(contract.logRead, { from: '0' });
    const entry = { segment: client.segmentAfter(head) };
    return {
      async attempt() {
        await client.must(contract.envelopesWrite, { envelopes: [{ blob, envelope, proof }], entry });
      },
      async check() {
        const { segments, head: now } = await client.must(contract.logRead, { from: '0' });
        expect(now.seq).toBe(1);
        expect(segments.filter((one) => one === entry.segment)).toHaveLength(1);
        const other = { ...envelope, salt: b64url(randomBytes(32)) };
        const { refused } = await client.must(contract.envelopesWrite, {
          envelopes: [{ blob, envelope: other, proof }],
        });
        expect(refused).toEqual([{ blob, epoch: 0, code: 'already_exists' }]);
      },
    };
  },
};

export const upload: Flow = {
  name: 'multipart upload',
  async prepare(person) {
    await signedUp(person);
    const { client } = person;
    const blob = newBlobId();
    const bytes = randomBytes(300);
    const sha256 = sha256Of(bytes);
    let uploadId: string | undefined;
    let digest = '';
    return {
      async attempt() {
        uploadId ??= (await client.must(contract.uploadCreate, { blob, sizeBytes: bytes.length })).uploadId;
        const parts = [{ partNumber: 1, sizeBytes: bytes.length, sha256 }];
        const { urls } = await client.must(contract.uploadPartUrls, { blob, uploadId, parts });
        const sent = await fetch(urls[0]?.url ?? '', {
          method: 'PUT',
          headers: { 'x-amz-checksum-sha256': sha256 },
          body: new Blob([bytes]),
        });
        const etag = sent.headers.get('etag') ?? `"${createHash('md5').update(bytes).digest('hex')}"`;
        const order = { blob, uploadId, sizeBytes: bytes.length, parts: [{ partNumber: 1, etag, sha256 }] };
        ({ digest } = await client.must(contract.uploadComplete, order));
      },
      async check() {
        expect(digest).toBe(
          `${createHash('sha256').update(Buffer.from(sha256, 'base64')).digest('base64')}-1`,
        );
        const { urls } = await client.must(contract.blobGetUrls, { blobs: [blob] });
        const stored = await fetch(urls[0]?.url ?? '');
        expect(Buffer.from(await stored.arrayBuffer()).equals(bytes)).toBe(true);
      },
    };
  },
};

/** Puts a small blob there by one PUT. */
async function putBlob(client: AccountClient, blob = newBlobId()) {
  const bytes = randomBytes(50);
  const sha256 = sha256Of(bytes);
  const blobs = [{ blob, sizeBytes: bytes.length, sha256 }];
  const url = (await client.must(contract.blobPutUrls, { blobs })).urls[0]?.url ?? '';
  await fetch(url, {
    method: 'PUT',
    headers: {
      'content-type': OBJECT_TYPE,
      'content-disposition': OBJECT_DISPOSITION,
      'if-none-match': '*',
      'x-amz-checksum-sha256': sha256,
    },
    body: new Blob([bytes]),
  });
  return blob;
}

export const purge: Flow = {
  name: 'purge',
  async prepare(person) {
    const { grant, factor } = await signedUp(person);
    const { client } = person;
    const [gone, kept] = [await blobWithEnvelope(client, grant), await blobWithEnvelope(client, grant)];
    for (const { blob, envelope, proof } of [gone, kept]) {
      await client.must(contract.envelopesWrite, { envelopes: [{ blob, envelope, proof }] });
    }
    let purgeGrant: string | undefined;
    return {
      async attempt() {
        purgeGrant ??= (await client.must(contract.purgeGrant, { factor: await factor() })).id;
        await client.must(contract.purge, { grant: purgeGrant, blobs: [gone.blob] });
      },
      async check() {
        const names = [gone, kept].map(({ blob }) => ({ blob, epoch: 0 }));
        const { keys, absent } = await client.must(contract.keysRelease, { grant, purpose: 'file', names });
        expect(keys.map(({ blob }) => blob)).toEqual([kept.blob]);
        expect(absent.map(({ blob }) => blob)).toEqual([gone.blob]);
        const { urls } = await client.must(contract.blobGetUrls, { blobs: [gone.blob, kept.blob] });
        const statuses = await Promise.all(urls.map(async ({ url }) => (await fetch(url)).status));
        // By how S3 reads a permission to list.
        expect([403, 404]).toContain(statuses[0]);
        expect(statuses[1]).toBe(200);
      },
    };
  },
};

export const inbox: Flow = {
  name: 'inbox',
  async prepare(person) {
    const { grant } = await signedUp(person);
    const { client } = person;
    const blob = await putBlob(client);
    const record = client.inboxRecord(blob);
    let written = false;
    return {
      async attempt() {
        if (!written) await client.must(inboxWrite, { records: [{ blob, record }] });
        written = true;
        const names = [{ device: client.device.id, blob }];
        const { records } = await client.must(inboxRead, { names });
        // Once its removal has begun it may be gone already.
        expect(records.every((one) => one.record === record)).toBe(true);
        await client.must(inboxRemove, { grant, names });
      },
      async check() {
        expect((await client.must(inboxList, { after: '' })).names).toEqual([]);
      },
    };
  },
};
