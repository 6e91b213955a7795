import { afterAll, expect, vi } from 'vitest';
import type { VaultClientCache } from '../../../broker/aws/vault-clients.ts';
import { createStateStore } from '../../../broker/aws/state-store.ts';
import { vaultObjects } from '../../../broker/aws/vault-objects.ts';
import { createEventLog } from '../../../broker/domain/state/event-log.ts';
import { createGrants } from '../../../broker/domain/auth/grants.ts';
import { createLog, genesisHead } from '../../../broker/domain/vault/log.ts';
import { BrokerProblem } from '../../../broker/domain/problem.ts';
import { createRecordCodec } from '../../../broker/domain/state/record-codec.ts';
import { createRecords } from '../../../broker/domain/state/records.ts';
import { createVaultRecords } from '../../../broker/domain/vault/vault-record.ts';
import type { Head } from '$contract/accounts.ts';
import { SEGMENT_HEAD } from '$contract/segment.ts';
import { newVaultId } from '../../support/memory-vault-cloud.ts';
import { newSession, segmentAfter } from '../../support/vault-side.ts';
import { row } from '../support/row.ts';
import { contradictions, type Operation } from './support/history.ts';
import { type Defect, ModelS3, type Weather } from './support/model-s3.ts';
import { seeded } from './support/random.ts';

/** Pauses between tries are moments of the model: nothing here waits for a clock. */
const pauses = vi.hoisted(() => {
  vi.resetModules(); // Files before this one have read the same modules, with the real pauses in them.
  return { next: (): Promise<void> => Promise.resolve() };
});
vi.mock('node:timers/promises', () => ({ setTimeout: () => pauses.next() }));
afterAll(() => {
  vi.doUnmock('node:timers/promises');
  vi.resetModules();
});

const CALM: Weather = { lost: 0, replyLost: 0, late: 0, slowDown: 0, conflict: 0, crash: 0 };
const STORM: Weather = {
  lost: 0.06,
  replyLost: 0.06,
  late: 0.05,
  slowDown: 0.04,
  conflict: 0.04,
  crash: 0.01,
};
const GRANT_RELEASES = 7;
const GRANT_GENERATIONS = 5;
const BROKERS = 2;

/** The real journal, grants and event log of one broker, on a client of the model. */
function newBroker(s3: ModelS3, genesis: { codec: ReturnType<typeof createRecordCodec> }) {
  const client = s3.client();
  const state = createStateStore(client, 'b');
  const records = createRecords(state, genesis.codec);
  const cache = { of: () => ({ s3: client }), forget: () => undefined, place: { bucket: 'b' } };
  const vaults = createVaultRecords(records);
  return {
    ended: client.ended,
    vaults,
    log: createLog({
      objects: vaultObjects(cache as unknown as VaultClientCache),
      records: vaults,
      room: { take: () => Promise.resolve() },
      clock: () => 0,
      announce: () => undefined,
    }),
    grants: createGrants(records, () => 0, { grantSeconds: 300, grantReleases: GRANT_RELEASES }),
    events: createEventLog(state, genesis.codec, () => 0),
  };
}

interface Outcome {
  readonly found: readonly string[];
  readonly appended: number;
  readonly unanswered: number;
  readonly requests: number;
  readonly faults: number;
}

/** One random history of several clients, from genesis to the last answer, and what contradicts what was promised. */
async function live(
  seed: number,
  options: { weather: Weather; clients: number; operations: number; defect?: Defect },
): Promise<Outcome> {
  const random = seeded(seed);
  const s3 = new ModelS3(random, options.weather, options.defect);
  pauses.next = () => s3.pause();
  const codec = createRecordCodec(Buffer.alloc(32, 1));
  const vault = newVaultId();
  const session = newSession();
  const genesis = segmentAfter(undefined, Buffer.from('genesis'));
  const head = genesisHead(genesis);
  // As a sign-up leaves them behind.
  const grant = 'AAAAAAAAAAAAAAAAAAAAAA' as Parameters<ReturnType<typeof createGrants>['spend']>[1];
  s3.objects.set(`v/${vault}/log/0`, Buffer.from(genesis));
  const members = [{ account: session.account, role: 'owner' as const }];
  const founded = { members, head, epoch: 0, appends: [], snapshots: [] };
  s3.objects.set(`m/${vault}`, Buffer.from(codec.encode(`m/${vault}`, 0, founded)));
  const grantKey = `g/${session.account}/${grant}`;
  const record = {
    kind: 'release',
    session: session.sessionId,
    device: session.device,
    expiresAtMs: 1000,
    releases: GRANT_RELEASES,
    generations: GRANT_GENERATIONS,
  };
  s3.objects.set(grantKey, Buffer.from(codec.encode(grantKey, 0, record)));

  const brokers = Array.from({ length: BROKERS }, () => newBroker(s3, { codec }));
  /** Any broker; one that ended is another from now on, with a memory that is empty. */
  const someBroker = () => {
    const index = random.below(brokers.length);
    if (brokers[index]?.ended()) brokers[index] = newBroker(s3, { codec });
    const broker = brokers[index];
    if (!broker) throw new Error('expected a broker');
    return broker;
  };
  let time = 0;
  const history: Operation[] = [];
  const events: { seq: number; hash: string }[] = [];
  const spent = { release: 0, generate: 0 };
  let corrupt = 0;

  async function append(value: string, known: Head): Promise<Head> {
    const calledAt = time++;
    const note = (seq: number | undefined, answeredAt: number) => {
      history.push({ kind: 'append', value, calledAt, answeredAt, seq });
    };
    let after = known;
    let segment = segmentAfter(after, Buffer.from(value));
    for (let tries = 0; tries < 12; tries += 1) {
      try {
        const broker = someBroker();
        const { head: said } = (await broker.vaults.read(vault)) ?? { head: after };
        const at = await broker.log.append(vault, said, segment);
        note(at.seq, time++);
        return at;
      } catch (error) {
        const code = codeOf(error);
        if (code === 'record_corrupt') corrupt += 1;
        // The same bytes again, as long as they were not refused.
        if (code !== 'head_changed') continue;
        const newest = await read();
        if (newest === undefined) continue;
        after = newest;
        segment = segmentAfter(after, Buffer.from(value));
      }
    }
    note(undefined, Infinity);
    return after;
  }

  async function read(): Promise<Head | undefined> {
    const calledAt = time++;
    try {
      const broker = someBroker();
      const known = await broker.vaults.read(vault);
      if (!known) return undefined;
      const { head: newest, segments } = await broker.log.read(vault, known.head, 0);
      history.push({
        kind: 'read',
        calledAt,
        answeredAt: time++,
        head: newest.seq,
        values: segments.map(valueOf),
      });
      return newest;
    } catch (error) {
      if (codeOf(error) === 'record_corrupt') corrupt += 1;
      return undefined;
    }
  }

  async function client(name: number): Promise<void> {
    let known = head;
    for (let nth = 0; nth < options.operations; nth += 1) {
      const what = random.below(10);
      if (what < 5) known = await append(`${String(name)}.${String(nth)}`, known);
      else if (what < 7) known = (await read()) ?? known;
      else if (what < 9) {
        const use = random.below(2) === 0 ? 'release' : 'generate';
        await someBroker()
          .grants.spend(session, grant, use, 1)
          .then(
            () => (spent[use] += 1),
            (error: unknown) => codeOf(error),
          );
      } else {
        await someBroker()
          .events.append(session.account, { kind: 'released', device: session.device })
          .then(
            (at) => events.push(at),
            (error: unknown) => codeOf(error),
          );
      }
    }
  }

  await s3.run(Promise.all(Array.from({ length: options.clients }, (_, name) => client(name))));
  const log: string[] = [];
  for (
    let bytes = s3.objects.get(`v/${vault}/log/0`);
    bytes;
    bytes = s3.objects.get(`v/${vault}/log/${String(log.length)}`)
  ) {
    log.push(valueOf(bytes));
  }
  const found = contradictions(history, log);
  for (const [use, most] of [
    ['release', GRANT_RELEASES],
    ['generate', GRANT_GENERATIONS],
  ] as const) {
    if (spent[use] > most) found.push(`${String(spent[use])} of ${String(most)} were given: ${use}`);
  }
  if (corrupt > 0) found.push('a broker took its own records for damaged');
  found.push(...(await brokenEvents(s3, codec, session.account, events)));
  const unanswered = history.filter(({ answeredAt }) => answeredAt === Infinity).length;
  return { found, appended: log.length - 1, unanswered, ...s3.counted };
}

const valueOf = (segment: Uint8Array): string =>
  Buffer.from(segment.subarray(SEGMENT_HEAD.ciphertextOffset)).toString();

/** An answer of the broker; whatever else is thrown is a fault of the test. */
function codeOf(error: unknown): string {
  if (error instanceof BrokerProblem && error.code !== 'internal') return error.code;
  throw error;
}

/** The chain of events read anew by a broker that has seen none of it. */
async function brokenEvents(
  s3: ModelS3,
  codec: ReturnType<typeof createRecordCodec>,
  account: ReturnType<typeof newSession>['account'],
  acknowledged: readonly { seq: number; hash: string }[],
): Promise<string[]> {
  const calm = new ModelS3(seeded(0), CALM);
  for (const [key, bytes] of s3.objects) calm.objects.set(key, bytes);
  const reading = createEventLog(createStateStore(calm.client(), 'b'), codec, () => 0).read(account, 0);
  await calm.run(reading);
  const read = await reading.catch((error: unknown) => codeOf(error));
  if (typeof read === 'string') return [`the events do not read: ${read}`];
  const { events } = read;
  const linked = events.every(
    ({ seq, prevHash }, index) => seq === index && (index === 0 || prevHash === events[index - 1]?.hash),
  );
  const lost = acknowledged.filter(({ seq, hash }) => events[seq]?.hash !== hash);
  return [
    ...(linked ? [] : ['the events are no chain']),
    ...lost.map(({ seq }) => `event ${String(seq)} is lost`),
  ];
}

row(
  'D4',
  {
    attack:
      'several clients and brokers in a storm of faults: requests and replies lost, late, refused; brokers that end',
    tried:
      'random histories by seed on the real journal, grants and event log over a model of S3, each checked for linearizability',
  },
  async (t) => {
    const shapes: readonly (readonly [number, Weather, number, number])[] = t.full
      ? [
          [4000, STORM, 3, 12],
          [1500, STORM, 8, 10],
          [500, CALM, 8, 20],
        ]
      : [
          [150, STORM, 3, 10],
          [20, STORM, 8, 8],
          [10, CALM, 8, 12],
        ];
    const sums = { appended: 0, unanswered: 0, requests: 0, faults: 0 };
    for (const [count, weather, clients, operations] of shapes) {
      for (let seed = 1; seed <= count; seed += 1) {
        const outcome = await live(seed * 7919 + clients, { weather, clients, operations });
        expect([seed, clients, outcome.found]).toEqual([seed, clients, []]);
        for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += outcome[name];
        t.vary(1);
      }
    }
    expect(sums.appended).toBeGreaterThan(500);
    expect(sums.faults).toBeGreaterThan(sums.requests / 20);
    t.held(
      `nothing acknowledged was lost, nothing lies twice, one order, no grant overspent: ${String(sums.appended)} appends, ${String(sums.faults)} faults in ${String(sums.requests)} requests`,
    );
  },
);

row(
  'D4',
  {
    attack: 'the same storm on an S3 that breaks its word, to show that the check sees it',
    tried: 'conditions ignored, writes forgotten, reads of what was before',
  },
  async (t) => {
    const defects: readonly Defect[] = [
      'ignores If-None-Match',
      'ignores If-Match',
      'forgets writes',
      'reads what was before',
    ];
    for (const defect of defects) {
      let seen = 0;
      let lived = 0;
      const histories = t.full ? 100 : 10;
      for (let seed = 1; seed <= histories; seed += 1) {
        const outcome = await live(seed, { weather: CALM, clients: 5, operations: 12, defect });
        lived += 1;
        if (outcome.found.length > 0) seen += 1;
        t.vary(1);
        if (seen > 0 && !t.full) break;
      }
      expect([defect, seen > 0]).toEqual([defect, true]);
      t.held(`${defect}: seen in ${String(seen)} of ${String(lived)} histories`);
    }
  },
);
