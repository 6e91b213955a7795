import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Head } from '$contract/accounts.ts';
import { LIMITS } from '$contract/limits.ts';
import { SEGMENT_HEAD } from '$contract/segment.ts';
import { headRead } from '$contract/vault-log.ts';
import { hashOf } from '../../broker/domain/vault/log.ts';
import { BrokerProblem } from '../../broker/domain/problem.ts';
import { MemoryVaultCloud, newVaultId } from '../support/memory-vault-cloud.ts';
import { ask, serveVaults } from '../support/vault-broker.ts';
import { newSession, openVault, segmentAfter, startVaultSide } from '../support/vault-side.ts';

async function vaultWithTwoBrokers() {
  const cloud = new MemoryVaultCloud();
  const ports = { state: cloud.state, objects: cloud.vaultObjects, kms: cloud.kms, purger: cloud.purger };
  const [one, two] = [startVaultSide(ports), startVaultSide(ports)];
  const session = newSession();
  const vault = newVaultId();
  const genesis = await openVault(one, session, vault);
  const recordHead = async (): Promise<Head> => (await one.requireMember(session.account, vault)).head;
  return { cloud, ports, one, two, session, vault, genesis, recordHead };
}

describe('appending to the journal', () => {
  it('moves the head by one, to the hash of the whole segment', async () => {
    const { one, vault, genesis, recordHead } = await vaultWithTwoBrokers();
    const segment = segmentAfter(genesis);
    const head = await one.log.append(vault, genesis, segment);
    expect(head).toEqual({ seq: 1, hash: hashOf(segment) });
    expect(await recordHead()).toEqual(head);
  });

  it('lets exactly one of two brokers have a place, and the other is told of it', async () => {
    const { one, two, vault, genesis, recordHead } = await vaultWithTwoBrokers();
    const [a, b] = [segmentAfter(genesis), segmentAfter(genesis)];
    const outcomes = await Promise.allSettled([
      one.log.append(vault, genesis, a),
      two.log.append(vault, genesis, b),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'head_changed' },
    });
    expect((await recordHead()).seq).toBe(1);
  });

  it('answers the same bytes again as success, also when others were appended since', async () => {
    const { one, two, vault, genesis } = await vaultWithTwoBrokers();
    const first = segmentAfter(genesis);
    const head = await one.log.append(vault, genesis, first);
    expect(await two.log.append(vault, head, first)).toEqual(head);
    const next = await two.log.append(vault, head, segmentAfter(head));
    expect(await one.log.append(vault, next, first)).toEqual(head);
  });

  it('repairs the head when a broker ended between the object and the record', async () => {
    const { cloud, two, vault, genesis, recordHead, ports } = await vaultWithTwoBrokers();
    const dying = startVaultSide({
      ...ports,
      state: { ...cloud.state, replace: () => Promise.reject(new BrokerProblem('store_unreachable')) },
    });
    const lost = segmentAfter(genesis);
    await expect(dying.log.append(vault, genesis, lost)).rejects.toMatchObject({ code: 'store_unreachable' });
    expect((await recordHead()).seq).toBe(0);

    await expect(two.log.append(vault, genesis, segmentAfter(genesis))).rejects.toMatchObject({
      code: 'head_changed',
    });
    const repaired = { seq: 1, hash: hashOf(lost) };
    expect(await recordHead()).toEqual(repaired);
    expect((await two.log.append(vault, repaired, segmentAfter(repaired))).seq).toBe(2);
  });

  it('recognises its own lost write when the client repeats it at another broker', async () => {
    const { cloud, two, vault, genesis, recordHead, ports } = await vaultWithTwoBrokers();
    const dying = startVaultSide({
      ...ports,
      state: { ...cloud.state, replace: () => Promise.reject(new BrokerProblem('store_unreachable')) },
    });
    const segment = segmentAfter(genesis);
    await expect(dying.log.append(vault, genesis, segment)).rejects.toThrow();
    expect(await two.log.append(vault, genesis, segment)).toEqual({ seq: 1, hash: hashOf(segment) });
    expect((await recordHead()).seq).toBe(1);
  });

  it('repairs the head for a reader, over several lost records', async () => {
    const { cloud, two, vault, genesis, recordHead } = await vaultWithTwoBrokers();
    const first = segmentAfter(genesis);
    const second = segmentAfter({ seq: 1, hash: hashOf(first) });
    await cloud.vaultObjects.create(vault, 'log/1', first);
    await cloud.vaultObjects.create(vault, 'log/2', second);
    expect((await two.log.read(vault, genesis, 0)).head).toEqual({ seq: 2, hash: hashOf(second) });
    expect(await recordHead()).toEqual({ seq: 2, hash: hashOf(second) });
  });

  it('shows a reader who is up to date what was written since its record was read', async () => {
    const { cloud, two, vault, genesis } = await vaultWithTwoBrokers();
    const first = segmentAfter(genesis);
    const second = segmentAfter({ seq: 1, hash: hashOf(first) });
    await cloud.vaultObjects.create(vault, 'log/1', first);
    await cloud.vaultObjects.create(vault, 'log/2', second);
    const { head, segments } = await two.log.read(vault, genesis, 1);
    expect(head.seq).toBe(2);
    expect(segments.map(hashOf)).toEqual([first, second].map(hashOf));
  });

  it('takes a segment that follows a lost one', async () => {
    const { cloud, two, vault, genesis } = await vaultWithTwoBrokers();
    const lost = segmentAfter(genesis);
    await cloud.vaultObjects.create(vault, 'log/1', lost);
    const next = segmentAfter({ seq: 1, hash: hashOf(lost) });
    expect((await two.log.append(vault, genesis, next)).seq).toBe(2);
  });

  it('builds on nothing that was put at the place of the next segment and does not follow', async () => {
    const { cloud, one, vault, genesis, recordHead } = await vaultWithTwoBrokers();
    await cloud.vaultObjects.create(vault, 'log/1', segmentAfter({ seq: 0, hash: 'A'.repeat(43) }));
    await expect(one.log.read(vault, genesis, 0)).rejects.toMatchObject({ code: 'record_corrupt' });
    expect((await recordHead()).seq).toBe(0);
  });

  const changed = (change: (bytes: Buffer) => unknown) => (head: Head) => {
    const bytes = Buffer.from(segmentAfter(head));
    change(bytes);
    return bytes;
  };
  it.each<[string, (head: Head) => Uint8Array, string]>([
    ['empty', () => new Uint8Array(), 'input_malformed'],
    ['no ciphertext', (head) => segmentAfter(head).subarray(0, 128), 'input_malformed'],
    ['another magic', changed((bytes) => bytes.write('HKJ2')), 'input_malformed'],
    ['a seq of 2^63', changed((bytes) => bytes.writeBigUInt64BE(2n ** 63n, 8)), 'input_malformed'],
    [
      'one byte too long',
      (head) => segmentAfter(head, randomBytes(LIMITS.maxSegmentBytes)),
      'input_malformed',
    ],
    ['another previous hash', changed((bytes) => bytes.fill(1, 16, 48)), 'head_changed'],
    ['a place ahead', changed((bytes) => bytes.writeBigUInt64BE(7n, 8)), 'head_changed'],
    ['the place of the genesis', changed((bytes) => bytes.writeBigUInt64BE(0n, 8)), 'head_changed'],
  ])('refuses %s and writes nothing', async (_name, make, code) => {
    const { cloud, one, vault, genesis } = await vaultWithTwoBrokers();
    const objects = cloud.objects.size;
    await expect(one.log.append(vault, genesis, make(genesis))).rejects.toMatchObject({ code });
    expect(cloud.objects.size).toBe(objects);
  });

  it('takes a segment without a writer: one that the identity key signs', async () => {
    const { one, vault, genesis } = await vaultWithTwoBrokers();
    const segment = Buffer.from(segmentAfter(genesis));
    segment.fill(0, SEGMENT_HEAD.writerOffset, SEGMENT_HEAD.signatureOffset);
    expect((await one.log.append(vault, genesis, segment)).seq).toBe(1);
  });

  it('takes the longest segment there may be', async () => {
    const { one, vault, genesis } = await vaultWithTwoBrokers();
    const longest = segmentAfter(
      genesis,
      randomBytes(LIMITS.maxSegmentBytes - SEGMENT_HEAD.ciphertextOffset),
    );
    expect((await one.log.append(vault, genesis, longest)).seq).toBe(1);
  });

  it('keeps every acknowledged segment in one chain, whatever writes of several brokers fail', async () => {
    const run = fc.asyncProperty(
      fc.array(fc.record({ broker: fc.nat(2), fails: fc.constantFrom('no', 'before', 'after') }), {
        minLength: 1,
        maxLength: 24,
      }),
      async (steps) => {
        const { cloud, vault, session, ports } = await vaultWithTwoBrokers();
        let fails = 'no';
        const replace: typeof cloud.state.replace = async (key, bytes, etag) => {
          const fault = fails;
          fails = 'no';
          if (fault === 'before') throw new BrokerProblem('store_unreachable');
          const outcome = await cloud.state.replace(key, bytes, etag);
          if (fault === 'after') throw new BrokerProblem('store_unreachable');
          return outcome;
        };
        const brokers = [0, 1, 2].map(() => startVaultSide({ ...ports, state: { ...cloud.state, replace } }));
        const acknowledged: Uint8Array[] = [];
        for (const step of steps) {
          const broker = brokers[step.broker];
          if (!broker) throw new Error('expected three brokers');
          fails = 'no';
          const known = (await broker.requireMember(session.account, vault)).head;
          // A client folds what is there and builds on it.
          const head = await broker.log.head(vault, known);
          const segment = segmentAfter(head);
          fails = step.fails;
          const outcome = await broker.log.append(vault, head, segment).catch(() => undefined);
          if (outcome) acknowledged.push(segment);
        }
        fails = 'no';
        const [reader] = brokers;
        if (!reader) throw new Error('expected three brokers');
        const { head: last } = await reader.requireMember(session.account, vault);
        const head = await reader.log.head(vault, last);
        const { segments } = await reader.log.read(vault, head, 0);
        expect(segments).toHaveLength(head.seq + 1);
        const prevHashes = segments.map((segment) =>
          Buffer.from(segment).subarray(16, 48).toString('base64url'),
        );
        expect(prevHashes.slice(1)).toEqual(segments.slice(0, -1).map(hashOf));
        const hashes = new Set(segments.map(hashOf));
        expect(acknowledged.every((segment) => hashes.has(hashOf(segment)))).toBe(true);
      },
    );
    await fc.assert(run, { seed: 20261, numRuns: 60 });
  });
});

describe('asking for the head', () => {
  it('is answered with nothing while it is the known one, and else with the newest, whichever is known', async () => {
    const { one, session, vault, genesis } = await vaultWithTwoBrokers();
    const app = serveVaults(one, [session]);
    const askFor = async (known: number): Promise<unknown[]> => {
      const response = await ask(app, session, headRead, vault, { known: String(known) });
      const text = await response.text();
      return [response.status, text === '' ? undefined : (JSON.parse(text) as unknown)];
    };
    expect(await askFor(0)).toEqual([204, undefined]);
    expect(await askFor(1)).toEqual([200, genesis]);
    const head = await one.log.append(vault, genesis, segmentAfter(genesis));
    expect(await askFor(0)).toEqual([200, head]);
    expect(await askFor(1)).toEqual([204, undefined]);
    expect(await askFor(2)).toEqual([200, head]);
  });

  it('costs one read of the store, and is told of a lost segment once somebody has read the log', async () => {
    const { cloud, ports, session, vault, genesis } = await vaultWithTwoBrokers();
    const lost = segmentAfter(genesis);
    await cloud.vaultObjects.create(vault, 'log/1', lost);
    let reads = 0;
    const counting = startVaultSide({
      ...ports,
      state: { ...cloud.state, read: (key) => ((reads += 1), cloud.state.read(key)) },
      objects: { ...cloud.vaultObjects, read: () => Promise.reject(new Error('no object is to be read')) },
    });
    const known = { known: '0' };
    expect((await ask(serveVaults(counting, [session]), session, headRead, vault, known)).status).toBe(204);
    expect(reads).toBe(1);
    const reading = startVaultSide(ports);
    await reading.log.read(vault, genesis, 0);
    const response = await ask(serveVaults(reading, [session]), session, headRead, vault, known);
    expect(await response.json()).toEqual({ seq: 1, hash: hashOf(lost) });
  });

  it.each(['', '-1', '1.5', 'x', '1'.repeat(16)])('does not take %j for a number', async (known) => {
    const { one, session, vault } = await vaultWithTwoBrokers();
    const response = await ask(serveVaults(one, [session]), session, headRead, vault, { known });
    expect(response.status).toBe(400);
  });
});

describe('reading the journal', () => {
  async function vaultOfSegments(sizes: readonly number[]) {
    const all = await vaultWithTwoBrokers();
    let head = all.genesis;
    const segments: Uint8Array[] = [];
    for (const sizeBytes of sizes) {
      const segment = segmentAfter(head, randomBytes(sizeBytes));
      head = await all.one.log.append(all.vault, head, segment);
      segments.push(segment);
    }
    return { ...all, head, segments };
  }

  it.each([
    [0, 4],
    [1, 3],
    [3, 1],
    [4, 0],
    [400, 0],
  ])('answers from %i on the %i that there are', async (from, count) => {
    const { two, vault, head } = await vaultOfSegments([40, 50, 60]);
    const answer = await two.log.read(vault, head, from);
    expect(answer.head).toEqual(head);
    expect(answer.segments).toHaveLength(count);
  });

  it('answers at most as many segments as the limit, in order', async () => {
    const { two, vault, head, segments } = await vaultOfSegments(Array<number>(260).fill(20));
    const answer = await two.log.read(vault, head, 2);
    expect(answer.segments).toEqual(segments.slice(1, 1 + LIMITS.segmentsPerRead));
    const rest = await two.log.read(vault, head, 2 + answer.segments.length);
    expect(rest.segments).toEqual(segments.slice(1 + LIMITS.segmentsPerRead));
  });

  it('answers at most as many bytes as the limit, and one segment in any case', async () => {
    const { two, vault, head, cloud } = await vaultOfSegments(Array<number>(12).fill(1024 * 1024 - 200));
    let reads = 0;
    const read: typeof cloud.vaultObjects.read = (...args) => {
      reads += 1;
      return cloud.vaultObjects.read(...args);
    };
    const frugal = startVaultSide({
      state: cloud.state,
      objects: { ...cloud.vaultObjects, read },
      kms: cloud.kms,
      purger: cloud.purger,
    });
    const { segments } = await frugal.log.read(vault, head, 1);
    const sizeBytes = segments.reduce((sum, segment) => sum + segment.length, 0);
    expect(sizeBytes).toBeLessThanOrEqual(LIMITS.segmentBytesPerRead);
    expect(segments.length).toBeGreaterThan(0);
    const next = await two.log.read(vault, head, 1 + segments.length);
    expect(segments.length + next.segments.length).toBeGreaterThan(8);
    expect(reads).toBeLessThanOrEqual(13);
  });

  it('says that the store is damaged when a segment below the head is gone', async () => {
    const { two, vault, head, cloud } = await vaultOfSegments([40, 50, 60]);
    cloud.objects.delete(`v/${vault}/log/2`);
    await expect(two.log.read(vault, head, 0)).rejects.toMatchObject({ code: 'record_corrupt' });
  });
});
