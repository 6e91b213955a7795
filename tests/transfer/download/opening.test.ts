import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BlobId, VaultId } from '$contract/ids.ts';
import { concat, equalBytes, toB64, type Bytes } from '../../../src/lib/bytes.ts';
import { sealAad } from '../../../src/lib/crypto/aad.ts';
import { compositeDigest, sha256 } from '../../../src/lib/crypto/digest.ts';
import { seal, SEGMENT_BYTES, SEGMENT_PLAINTEXT_BYTES } from '../../../src/lib/crypto/floe.ts';
import { paddedSize } from '../../../src/lib/crypto/padding.ts';
import type { Broker } from '../../../src/lib/remote/broker.ts';
import {
  readContent,
  readSealed,
  type KeptParts,
  type StoredBlob,
} from '../../../src/lib/transfer/download/opening.ts';
import { planPart, planStored } from '../../../src/lib/transfer/plan.ts';

// A store that answers ranges over HTTP, as it is told; a URL is good until it is called expired.
const VAULT = 'us-east-1:00000000-0000-4000-8000-000000000000' as VaultId;
const BLOB = 'BBBBBBBBBBBBBBBBBBBBBA' as BlobId;
const KEY = new Uint8Array(32).fill(7);
let server: Server;
let origin: string;
let object: Bytes;
let ranges: string[];
let expired: Set<string>;
/** How many answers a URL still gives before it is called expired; as many as are wanted, if it is not in here. */
let answersLeft: Map<string, number>;
let urls: number;
/** How old a URL is by the time that the store refuses it. */
let ageAtRefusalMs: number;
let held: (() => void)[] | undefined;

beforeAll(async () => {
  server = createServer((request, response) => {
    const { url = '' } = request;
    const { range = '' } = request.headers;
    ranges.push(range);
    const left = answersLeft.get(url);
    if (left !== undefined) answersLeft.set(url, left - 1);
    if (expired.has(url) || left === 0) {
      if (ageAtRefusalMs > 0) vi.setSystemTime(Date.now() + ageAtRefusalMs);
      return void response.writeHead(403).end();
    }
    const [, from = '', until = ''] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
    const answer = () => response.writeHead(206).end(object.subarray(Number(from), Number(until) + 1));
    if (held) held.push(answer);
    else answer();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});
beforeEach(() => {
  [ranges, expired, answersLeft] = [[], new Set(), new Map<string, number>()];
  [urls, held, ageAtRefusalMs] = [0, undefined, 0];
});
afterEach(() => {
  server.closeAllConnections();
  vi.useRealTimers();
});
afterAll(() => {
  server.close();
});

const broker: Broker = {
  call: () => Promise.resolve({ urls: [{ blob: BLOB, url: `${origin}/${String(++urls)}` }] } as never),
};
const never = new AbortController().signal;

/** A file of these bytes as it is stored, in parts of one segment. */
async function store(content: Bytes): Promise<StoredBlob> {
  const padded = new Uint8Array(paddedSize(content.length));
  padded.set(content);
  object = await seal(KEY, sealAad('content', VAULT, BLOB, 3), padded);
  const about = {
    ...{ blob: BLOB, epoch: 3, sizeBytes: content.length },
    ...{ sealedBytes: object.length, partBytes: SEGMENT_BYTES },
  };
  const plan = planStored(about);
  const digests = await Promise.all(partsOf(about).map((part) => sha256(part)));
  const digest = plan.partCount > 1 ? (await compositeDigest(digests)).text : toB64(digests[0]!);
  return { ...about, digest };
}
function partsOf(about: Pick<StoredBlob, 'sizeBytes' | 'sealedBytes' | 'partBytes'>): Bytes[] {
  const plan = planStored(about);
  return Array.from({ length: plan.partCount }, (_, index) => {
    const { offsetBytes, sizeBytes } = planPart(plan, index + 1);
    return object.slice(offsetBytes, offsetBytes + sizeBytes);
  });
}

/** What was given out, and what it ended in. */
async function read(
  stored: StoredBlob,
  options: { kept?: KeptParts; how?: 'content' | 'sealed'; signal?: AbortSignal } = {},
) {
  const where = { broker, vault: VAULT, kept: options.kept };
  const signal = options.signal ?? never;
  const given: Bytes[] = [];
  const reading =
    options.how === 'sealed' ? readSealed(where, stored, signal) : readContent(where, stored, KEY, signal);
  try {
    for await (const bytes of reading) given.push(bytes.slice());
    return { bytes: concat(...given), given, code: undefined };
  } catch (error) {
    return { bytes: concat(...given), given, code: (error as { code?: unknown; name: string }).code };
  }
}

const hashOf = (bytes: Bytes): string => createHash('sha256').update(bytes).digest('hex');
const LONG = 2 * SEGMENT_PLAINTEXT_BYTES + 1000;

describe('content', () => {
  it.each([0, 1, SEGMENT_PLAINTEXT_BYTES - 1, SEGMENT_PLAINTEXT_BYTES, SEGMENT_PLAINTEXT_BYTES + 1, LONG])(
    'of %d bytes is what was sealed, without its padding',
    async (sizeBytes) => {
      const content = new Uint8Array(sizeBytes).map((_, index) => index * 7 + (index >> 9));
      const { bytes, code } = await read(await store(content));
      expect(code).toBeUndefined();
      expect(equalBytes(bytes, content)).toBe(true);
    },
  );

  it('is withheld in its last segment when the whole is not what the journal pins', async () => {
    const stored = await store(new Uint8Array(LONG));
    const { given, code } = await read({ ...stored, digest: stored.digest.replace(/^./, 'x') });
    expect(code).toBe('digest_mismatch');
    expect(given.map(({ length }) => length)).toEqual([SEGMENT_PLAINTEXT_BYTES, SEGMENT_PLAINTEXT_BYTES]);
  });

  it('is given out up to a damaged segment, which is named', async () => {
    const stored = await store(new Uint8Array(LONG));
    const second = planPart(planStored(stored), 2);
    object[second.offsetBytes + 100]! ^= 1;
    const { given, code } = await read(stored);
    expect(code).toBe('segment_corrupt');
    expect(given.length).toBeLessThanOrEqual(1);
  });

  it('under another key, or of another epoch, is refused before anything is given out', async () => {
    const stored = await store(new Uint8Array(LONG));
    expect(await read({ ...stored, epoch: 4 })).toMatchObject({ code: 'key_mismatch', given: [] });
  });

  it('that the store has cut is truncated', async () => {
    const stored = await store(new Uint8Array(LONG));
    object = object.slice(0, -1);
    expect((await read(stored)).code).toBe('ciphertext_truncated');
  });

  it('is fetched by one URL, and by a new one for all parts once that has expired', async () => {
    const stored = await store(new Uint8Array(LONG));
    expect((await read(stored)).code).toBeUndefined();
    expect(urls).toBe(1);
    expired.add('/2');
    expect((await read(stored)).code).toBeUndefined();
    expect(urls).toBe(3);
  });

  it('is missing where two URLs in a row are refused that cannot have expired', async () => {
    const stored = await store(new Uint8Array(LONG));
    for (const one of ['/1', '/2', '/3']) expired.add(one);
    expect((await read(stored)).code).toBe('not_found');
    expect(urls).toBe(2);
  });

  it('is not missing where a URL between two that are refused has worked', async () => {
    const stored = await store(new Uint8Array(4 * SEGMENT_PLAINTEXT_BYTES));
    expired.add('/1');
    answersLeft.set('/2', 3); // The three parts that are fetched at a time.
    expect((await read(stored)).code).toBeUndefined();
    expect(urls).toBe(3);
  });

  it('is not missing where its URLs are refused for their age', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const stored = await store(new Uint8Array(LONG));
    ageAtRefusalMs = 300_000;
    for (const one of ['/1', '/2', '/3']) expired.add(one);
    expect((await read(stored)).code).toBeUndefined();
    expect(urls).toBe(4);
  });

  it('is fetched three parts at a time, and no further while nobody takes what is there', async () => {
    const stored = await store(new Uint8Array(5 * SEGMENT_PLAINTEXT_BYTES));
    held = [];
    const reading = readContent({ broker, vault: VAULT }, stored, KEY, never);
    const first = reading.next();
    await expect.poll(() => held?.length).toBe(3);
    for (const answer of held.splice(0)) answer();
    await expect.poll(() => held?.length).toBeGreaterThan(0);
    for (const answer of held.splice(0)) answer();
    held = undefined;
    expect((await first).value).toHaveLength(SEGMENT_PLAINTEXT_BYTES);
    expect(ranges.length).toBeLessThan(6);
    await reading.return(undefined);
  });

  it('ends when it is called off', async () => {
    const stored = await store(new Uint8Array(LONG));
    const controller = new AbortController();
    held = [];
    const reading = read(stored, { signal: controller.signal });
    await expect.poll(() => held?.length).toBe(3);
    controller.abort(new Error('called off'));
    expect(await reading).toMatchObject({ given: [], code: undefined });
  });
});

describe('ciphertext', () => {
  it('is given part by part as it lies in the store', async () => {
    const stored = await store(new Uint8Array(LONG));
    const { given, code } = await read(stored, { how: 'sealed' });
    expect(code).toBeUndefined();
    expect(given.map(hashOf)).toEqual(partsOf(stored).map(hashOf));
  });

  it('is withheld in its last part when the whole is not what the journal pins', async () => {
    const stored = await store(new Uint8Array(LONG));
    const wrong = { ...stored, digest: stored.digest.replace(/^./, 'x') };
    const { given, code } = await read(wrong, { how: 'sealed' });
    expect(code).toBe('digest_mismatch');
    expect(given.map(hashOf)).toEqual(partsOf(stored).slice(0, -1).map(hashOf));
  });
});

describe('parts that rest on this device', () => {
  function keep(parts: readonly (Bytes | undefined)[]) {
    const said: string[] = [];
    const kept: KeptParts = {
      part: ({ partNumber }) => {
        const bytes = parts[partNumber - 1];
        return Promise.resolve(bytes && new Blob([bytes]));
      },
      onWrong: () => void said.push('wrong'),
    };
    return { kept, said };
  }

  it('are not fetched; those that are not there any more are', async () => {
    const content = new Uint8Array(randomBytes(LONG));
    const stored = await store(content);
    const [first, , third] = partsOf(stored);
    const { kept, said } = keep([first, undefined, third]);
    const { bytes, code } = await read(stored, { kept });
    expect([code, equalBytes(bytes, content), ranges.length, said]).toEqual([undefined, true, 1, []]);
  });

  it.each([
    ['cannot be read', () => Promise.reject(new DOMException('gone', 'NotFoundError'))],
    ['have fewer bytes', () => Promise.resolve(new ArrayBuffer(3))],
  ])('are fetched, and kept no more, when they %s all the same', async (_what, arrayBuffer) => {
    const content = new Uint8Array(randomBytes(LONG));
    const stored = await store(content);
    const { kept, said } = keep(partsOf(stored));
    const takenAway: KeptParts = {
      ...kept,
      part: async (part) => {
        const file = await kept.part(part);
        return part.partNumber === 2 ? Object.assign(file!, { arrayBuffer }) : file;
      },
    };
    const { bytes, code } = await read(stored, { kept: takenAway });
    expect([code, equalBytes(bytes, content), ranges.length, said]).toEqual([undefined, true, 1, ['wrong']]);
  });

  it.each(['content', 'sealed'] as const)('are called wrong when they are (%s)', async (how) => {
    const stored = await store(new Uint8Array(randomBytes(LONG)));
    const parts = partsOf(stored);
    parts[1]![500]! ^= 1;
    const { kept, said } = keep(parts);
    const { code } = await read(stored, { kept, how });
    expect(code).toBe(how === 'content' ? 'segment_corrupt' : 'digest_mismatch');
    expect(said).toEqual(['wrong']);
  });
});
