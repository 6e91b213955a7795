import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import * as contract from '$contract/accounts.ts';
import type { CloudPorts } from '../../broker/aws/broker-clients.ts';
import { createAccounts } from '../../broker/domain/account/accounts.ts';
import { createRecords } from '../../broker/domain/state/records.ts';
import { loadSetup } from '../../broker/domain/state/setup.ts';
import { createSweep, startSweeping, type Sweep } from '../../broker/domain/sweep.ts';
import { createFindOrphans } from '../../broker/domain/vault/orphans.ts';
import { createVaultRecords } from '../../broker/domain/vault/vault-record.ts';
import type { StateVersion, StateVersions } from '../../broker/ports/state.ts';
import { setUpBroker } from '../support/set-up-broker.ts';

const HOUR = 60 * 60;

/** For what is about the broker's own objects alone. */
const NO_VAULTS = {
  unfinished: { endBefore: () => Promise.resolve() },
  findOrphans: () => Promise.resolve([]),
};

let ports: CloudPorts;
/** What is written is dated by S3's clock, which goes right; not by the broker's. */
const { cloud, newClient } = setUpBroker();

/** A sweeper whose clock goes before S3's by so many seconds. */
async function sweepIn(seconds: number, change: Partial<StateVersions> = {}): Promise<Sweep> {
  const { setup, codec } = await loadSetup(ports.state, ports.kms);
  return createSweep({
    versions: { ...ports.versions, ...change },
    accounts: createAccounts(createRecords(ports.state, codec), setup.nameKey),
    purger: ports.purger,
    unfinished: ports.unfinished,
    findOrphans: createFindOrphans({
      objects: ports.vaultObjects,
      vaults: createVaultRecords(createRecords(ports.state, codec)),
      clock: () => Date.now() + seconds * 1000,
    }),
    clock: () => Date.now() + seconds * 1000,
  });
}

async function versionsBelow(prefix: string): Promise<StateVersion[]> {
  const found: StateVersion[] = [];
  let page = await ports.versions.list(prefix, undefined);
  found.push(...page.versions);
  while (page.next) {
    page = await ports.versions.list(prefix, page.next);
    found.push(...page.versions);
  }
  return found;
}
const keysBelow = async (prefix: string) => [...new Set((await versionsBelow(prefix)).map(({ key }) => key))];

beforeAll(() => {
  ports = cloud.connect();
});

describe('a sweep', () => {
  it('removes grants, login states and login paces an hour after their last write, and not before', async () => {
    const client = newClient();
    await client.signUp('sweep-a');
    await client.signIn('sweep-a');
    const prefixes = ['g/', 'l/', 'o/'];
    for (const prefix of prefixes) expect((await keysBelow(prefix)).length, prefix).toBeGreaterThan(0);
    await (await sweepIn(HOUR - 60)).run();
    for (const prefix of prefixes) expect((await keysBelow(prefix)).length, prefix).toBeGreaterThan(0);
    await (await sweepIn(HOUR + 60)).run();
    for (const prefix of prefixes) expect(await versionsBelow(prefix), prefix).toEqual([]);
    // All that a user has is still there.
    await client.signIn('sweep-a');
    expect(await client.call(contract.sessionRead)).toMatchObject({ ok: true });
  });

  it('keeps of accounts and vaults the newest version alone, and the account works on', async () => {
    const client = newClient();
    await client.signUp('sweep-b');
    const own = async () => [
      await versionsBelow(`a/${client.account}`),
      await versionsBelow(`m/${client.vault}`),
    ];
    expect((await own())[0]!.length).toBeGreaterThan(1);
    await (await sweepIn(48 * HOUR)).run();
    const [account, vault] = await own();
    expect(account!.map(({ isLatest }) => isLatest)).toEqual([true]);
    expect(vault!.every(({ isLatest }) => isLatest)).toBe(true);
    await client.signIn('sweep-b');
  });

  it('removes a sign-up that was never finished after a day, and its name is free', async () => {
    const client = newClient();
    await client.signUpUntilFirstCode('sweep-c', 'never finished');
    const request = await client.completion();
    const account = `a/${client.account}`;
    expect(await keysBelow(`m/${client.vault}`)).not.toEqual([]);
    await (await sweepIn(24 * HOUR - 600)).run();
    expect(await keysBelow(account)).toEqual([account]);
    await (await sweepIn(24 * HOUR + 600)).run();
    expect(await versionsBelow(account)).toEqual([]);
    expect(await versionsBelow(`m/${client.vault}`)).toEqual([]);
    // The session of the sign-up is of no use any more, and somebody else may have the name.
    expect(await client.call(contract.signupComplete, request)).toMatchObject({ code: 'session_missing' });
    await newClient().signUp('sweep-c');
  });

  it('lets a sign-up that becomes active in the same moment live', async () => {
    const client = newClient();
    await client.signUpUntilFirstCode('sweep-d', 'just in time');
    const { setup, codec } = await loadSetup(ports.state, ports.kms);
    const accounts = createAccounts(createRecords(ports.state, codec), setup.nameKey);
    const key = `a/${client.account}`;
    // It was pending when it was read, and is active when the sweeper comes to write.
    let reads = 0;
    const racing = createAccounts(
      createRecords(
        {
          ...ports.state,
          async read(asked) {
            const before = await ports.state.read(asked);
            if (asked === key && ++reads === 1) {
              await accounts.update(client.account, (record) => ({ ...record, phase: 'active' }));
            }
            return before;
          },
        },
        codec,
      ),
      setup.nameKey,
    );
    const sweep = createSweep({
      versions: ports.versions,
      accounts: racing,
      ...NO_VAULTS,
      purger: ports.purger,
      clock: () => Date.now() + 48 * HOUR * 1000,
    });
    await sweep.run();
    expect(reads).toBeGreaterThan(1);
    expect((await accounts.read(client.account))?.phase).toBe('active');
    expect(await keysBelow(`m/${client.vault}`)).not.toEqual([]);
  });

  it('removes no version but those that it has seen: a write in between stays', async () => {
    const key = 'l/written-meanwhile';
    await ports.state.create(key, Buffer.from('old'));
    const sweep = await sweepIn(2 * HOUR, {
      async erase(versions) {
        if (versions.some((version) => version.key === key)) {
          const { etag } = (await ports.state.read(key))!;
          await ports.state.replace(key, Buffer.from('new'), etag);
        }
        await ports.versions.erase(versions);
      },
    });
    await sweep.run();
    expect(Buffer.from((await ports.state.read(key))!.bytes).toString()).toBe('new');
  });

  it('may be done by many brokers at a time', async () => {
    const client = newClient();
    await client.signUpUntilFirstCode('sweep-e', 'swept by many');
    await client.fork().signUpUntilFirstCode('sweep-f', 'swept by many');
    const sweeps = await Promise.all(Array.from({ length: 4 }, () => sweepIn(48 * HOUR)));
    await Promise.all(sweeps.map((sweep) => sweep.run()));
    expect(await versionsBelow('g/')).toEqual([]);
    expect(await versionsBelow(`a/${client.account}`)).toEqual([]);
  });

  it('leaves alone what does not look like an account', async () => {
    await ports.state.create('a/not-an-account', Buffer.from('x'));
    await (await sweepIn(48 * HOUR)).run();
    expect(await keysBelow('a/not-an-account')).toEqual(['a/not-an-account']);
    await ports.state.erase('a/not-an-account');
  });
});

describe('a sweep of much', () => {
  it('lists 100,000 versions of a prefix in one turn, and goes on in the next', async () => {
    const pages = Array.from({ length: 240 }, (_, page): StateVersion[] => [
      { key: `g/${String(page)}`, versionId: 'v', isLatest: true, modifiedMs: 0 },
    ]);
    const listed: string[] = [];
    const erased: string[] = [];
    const sweep = createSweep({
      versions: {
        list(prefix, from) {
          if (prefix !== 'g/') return Promise.resolve({ versions: [], next: undefined });
          const page = Number(from?.versionId ?? 0);
          listed.push(String(page));
          const next = page + 1 < pages.length ? { key: 'g/', versionId: String(page + 1) } : undefined;
          return Promise.resolve({ versions: pages[page] ?? [], next });
        },
        erase(versions) {
          erased.push(...versions.map(({ key }) => key));
          return Promise.resolve();
        },
      },
      accounts: { expire: () => Promise.resolve(undefined), erase: () => Promise.resolve() },
      ...NO_VAULTS,
      purger: { eraseBelow: () => Promise.resolve([]) },
      clock: () => 2 * HOUR * 1000,
    });
    const turns: number[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      await sweep.run();
      turns.push(listed.length);
    }
    expect(turns).toEqual([100, 200, 240, 340]);
    expect(new Set(erased).size).toBe(240);
  });
});

describe('sweeping', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('begins within ten minutes, goes on every hour past a failure, and ends', async () => {
    let turns = 0;
    const faults: unknown[] = [];
    const run = () => {
      turns += 1;
      return turns === 1 ? Promise.reject(new Error('store away')) : Promise.resolve();
    };
    const stop = startSweeping({ run }, (fault) => faults.push(fault));
    await vi.advanceTimersByTimeAsync(10 * 60 * 1000);
    expect([turns, faults.length]).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(2 * HOUR * 1000);
    expect([turns, faults.length]).toEqual([3, 1]);
    stop();
    await vi.advanceTimersByTimeAsync(5 * HOUR * 1000);
    expect(turns).toBe(3);
  });
});
