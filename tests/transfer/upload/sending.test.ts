import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BlobId } from '$contract/ids.ts';
import { blobPutUrls } from '$contract/vault-blobs.ts';
import { toB64 } from '../../../src/lib/bytes.ts';
import { sha256 } from '../../../src/lib/crypto/digest.ts';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import type { Broker } from '../../../src/lib/remote/broker.ts';
import type { Put } from '../../../src/lib/remote/s3.ts';
import type { StoredUpload } from '../../../src/lib/store/database.ts';
import { Semaphore } from '../../../src/lib/concurrency/semaphore.ts';
import { Connection } from '../../../src/lib/transfer/connection.ts';
import { PutUrls } from '../../../src/lib/transfer/upload/put-urls.ts';
import { sendBlob, digestOf } from '../../../src/lib/transfer/upload/sending.ts';
import type { PartSupply, SendingDeps } from '../../../src/lib/transfer/upload/part-supply.ts';
import { refusalCode } from '../../crypto/refusal.ts';
import { withTimersFired } from '../../support/fired-timers.ts';
import { compositeOf, openSendingSide, uploadOfThree } from './sending-side.ts';

// What goes in parts is in multipart.test.ts.
const BODY = new Uint8Array([1, 2, 3]);
const UPLOAD = {
  ...{ blob: 'b'.repeat(22) as BlobId, vault: 'us-east-1:0', mode: 'device', partCount: 1, sealedBytes: 3 },
} as unknown as StoredUpload;
let asked: [string, unknown][];
let puts: Put[];
let onPut: () => Promise<string>;
let stored: Uint8Array<ArrayBuffer>;
let sha256B64: string;

beforeEach(async () => {
  [asked, puts, onPut, stored] = [[], [], () => Promise.resolve('"e1"'), BODY];
  sha256B64 = toB64(await sha256(BODY));
  vi.stubGlobal('fetch', () =>
    Promise.resolve(new Response(stored, { headers: { 'content-length': String(stored.length) } })),
  );
});
afterEach(() => {
  vi.unstubAllGlobals();
});

async function send(signal = new AbortController().signal) {
  const broker = {
    call: (route: { path: string }, request: unknown) => {
      asked.push([route.path, request]);
      const url = `https://store.test/${String(asked.length)}`;
      return Promise.resolve({ urls: [{ blob: UPLOAD.blob, url }] });
    },
  } as unknown as Broker;
  const put = (what: Put) => {
    puts.push(what);
    what.onProgress?.(2);
    return onPut();
  };
  const options = { isAllowed: () => true, isPatient: false };
  const connection = { broker: new Connection(options), store: new Connection(options) };
  const deps = {
    broker,
    put,
    connection,
    urls: new PutUrls(broker, () => ({})),
    gate: new Semaphore(1),
    tinyGate: new Semaphore(1),
    grant: () => ({}),
  } as unknown as SendingDeps;
  const digest = await sha256(BODY);
  const supply: PartSupply = {
    ...{ isRepeatable: true, known: () => digest },
    part: () => Promise.resolve({ body: new Blob([BODY]), digest }),
  };
  const sent: number[] = [];
  const answered = await sendBlob(deps, UPLOAD, supply, signal, {
    onSent: (bytes) => sent.push(bytes),
    onVerifying: () => Promise.reject(new Error('there is nothing to put together')),
  });
  return { answered, sent };
}

describe('a blob of one part', () => {
  it('goes in one PUT that overwrites nothing, and answers its digest', async () => {
    const { answered, sent } = await send();
    expect(answered).toBe(sha256B64);
    const blobs = [{ blob: UPLOAD.blob, sizeBytes: 3, sha256: sha256B64 }];
    expect(asked).toEqual([[blobPutUrls.path, { blobs }]]);
    expect(puts).toMatchObject([{ url: 'https://store.test/1', sha256B64, createOnly: true }]);
    expect(sent).toEqual([2, 3]);
  });

  it('that is there already was sent before, if these are its bytes', async () => {
    onPut = () => Promise.reject(new HalfkeyError('already_exists', 'x'));
    expect((await send()).answered).toBe(sha256B64);
    stored = new Uint8Array([1, 2, 4]);
    expect(await refusalCode(send())).toBe('digest_mismatch');
    stored = new Uint8Array(4);
    expect(await refusalCode(send())).toBe('input_too_large');
  });

  it('that the store has no room for says so', async () => {
    onPut = () => Promise.reject(new HalfkeyError('store_full', 'x'));
    expect(await refusalCode(send())).toBe('store_full');
  });

  it('goes to another URL where the first one expired on its way', async () => {
    let tries = 0;
    onPut = () =>
      (tries += 1) === 1 ? Promise.reject(new HalfkeyError('url_expired', 'x')) : Promise.resolve('"e1"');
    await withTimersFired(() => send());
    expect(puts.map(({ url }) => url)).toEqual(['https://store.test/1', 'https://store.test/2']);
  });
});

describe('what is streamed, or has several parts', () => {
  it('goes as S3’s upload in parts, be it one alone', async () => {
    const side = await openSendingSide();
    const { upload, bodies, digests, supply } = await uploadOfThree(side.vault);
    const size = { partCount: 1, sealedBytes: bodies[0]!.length };
    const streamed = { mode: 'streamed', draft: new Uint8Array(1080), header: new Uint8Array(74) } as const;
    const one = { ...upload, ...size, ...streamed };
    await side.records.save(one);
    const digest = await sendBlob(side.deps, one, supply(), new AbortController().signal, {
      onSent: () => undefined,
      onVerifying: () => Promise.resolve(),
    });
    side.database.close();
    expect(digest).toBe(compositeOf([digests[0]!]));
  });

  it('has a digest that is S3’s: of one PUT that of the bytes, else that of the parts’ digests', async () => {
    const parts = await Promise.all([1, 2].map((fill) => sha256(new Uint8Array([fill]))));
    expect(await digestOf({ partCount: 1, mode: 'device' }, [parts[0]!])).toBe(toB64(parts[0]!));
    expect(await digestOf({ partCount: 1, mode: 'streamed' }, [parts[0]!])).toBe(compositeOf([parts[0]!]));
    expect(await digestOf({ partCount: 2, mode: 'device' }, parts)).toBe(compositeOf(parts));
  });
});
