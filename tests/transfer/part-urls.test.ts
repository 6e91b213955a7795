import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BlobId, VaultId } from '../../broker/contract/ids.ts';
import { LIMITS } from '../../broker/contract/limits.ts';
import { HalfkeyError } from '../../src/lib/errors.ts';
import type { Broker } from '../../src/lib/remote/broker.ts';
import { isStale, PartUrls, type SignedPart } from '../../src/lib/transfer/upload/part-urls.ts';

const place = { blob: 'blob' as BlobId, uploadId: 'upload' };
const part = (partNumber: number): SignedPart => ({ partNumber, sizeBytes: 1, sha256: String(partNumber) });
const parts = (from: number, until: number): SignedPart[] =>
  Array.from({ length: until - from + 1 }, (_, index) => part(from + index));
const numbers = (signed: readonly SignedPart[]): number[] => signed.map(({ partNumber }) => partNumber);

/** A broker that signs, and remembers what it was asked for; the URL says which request it came from. */
function signer(fails: (request: number) => boolean = () => false) {
  const requests: SignedPart[][] = [];
  const call = async (_route: unknown, { parts: wanted }: { parts: SignedPart[] }) => {
    requests.push(wanted);
    const request = requests.length;
    await Promise.resolve();
    if (fails(request)) throw new HalfkeyError('broker_unreachable', 'gone');
    const urls = wanted.map(({ partNumber }) => ({
      partNumber,
      url: `${String(partNumber)} of ${String(request)}`,
    }));
    return { urls };
  };
  const broker = { call } as unknown as Broker;
  const urls = new PartUrls({ broker, vault: 'vault' as VaultId }, place, new AbortController().signal);
  return { urls, requests };
}

describe('the URLs of parts', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('come one by one while nothing else is sealed', async () => {
    const { urls, requests } = signer();
    expect((await urls.ask(part(1), [])).url).toBe('1 of 1');
    expect((await urls.ask(part(2), [])).url).toBe('2 of 2');
    expect(requests.map(numbers)).toEqual([[1], [2]]);
  });

  it('come with those of sixteen parts that are sealed already, which are not asked for again', async () => {
    const { urls, requests } = signer();
    expect((await urls.ask(part(1), parts(2, 40))).url).toBe('1 of 1');
    for (let number = 2; number <= 17; number++) {
      expect((await urls.ask(part(number), parts(number + 1, 40))).url).toBe(`${String(number)} of 1`);
    }
    expect(requests.map(numbers)).toEqual([numbers(parts(1, 17))]);
    expect((await urls.ask(part(18), parts(19, 40))).url).toBe('18 of 2');
  });

  it('are signed in one request for all that wait, never more than the broker takes', async () => {
    const { urls, requests } = signer();
    const count = 300;
    const all = parts(1, count).map((one) => urls.ask(one, parts(one.partNumber + 1, count)));
    const given = await Promise.all(all);
    expect(given.map(({ url }) => Number(url.split(' ')[0]))).toEqual(numbers(parts(1, count)));
    for (const request of requests) expect(request.length).toBeLessThanOrEqual(LIMITS.batch);
    expect(requests.length).toBeLessThan(8);
  });

  it('are other ones each time: one that was refused is not given twice', async () => {
    const { urls } = signer();
    await urls.ask(part(1), parts(2, 3));
    expect((await urls.ask(part(2), [])).url).toBe('2 of 1');
    expect((await urls.ask(part(2), [])).url).toBe('2 of 2');
  });

  it('are not given after a minute', async () => {
    const { urls } = signer();
    const first = await urls.ask(part(1), parts(2, 3));
    vi.advanceTimersByTime(60_001);
    expect(isStale(first)).toBe(true);
    expect((await urls.ask(part(2), [])).url).toBe('2 of 2');
  });

  it('fail for those who asked, and for nobody later', async () => {
    const { urls } = signer((request) => request === 1);
    await expect(urls.ask(part(1), parts(2, 3))).rejects.toMatchObject({ code: 'broker_unreachable' });
    expect((await urls.ask(part(2), [])).url).toBe('2 of 2');
  });
});
