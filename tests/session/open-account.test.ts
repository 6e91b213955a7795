import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventFields, eventsRead, sessionRead } from '$contract/accounts.ts';
import { factorResetStop } from '$contract/factor-reset.ts';
import type { Route } from '$contract/route.ts';
import { logAppend, logRead } from '$contract/vault-log.ts';
import { lengthPrefixed, toB64Url } from '../../src/lib/bytes.ts';
import { sha256 } from '../../src/lib/crypto/digest.ts';
import { PendingChanges } from '../../src/lib/drive/pending-changes.ts';
import { rename } from '../../src/lib/drive/edits.ts';
import { HalfkeyError } from '../../src/lib/errors.ts';
import type { Broker } from '../../src/lib/remote/broker.ts';
import { SessionProver } from '../../src/lib/remote/session-proof.ts';
import { OpenAccount } from '../../src/lib/session/open-account.ts';
import { openDatabase, type Database } from '../../src/lib/store/database.ts';
import { readEventHead, saveEventHead } from '../../src/lib/store/event-head.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { fileAdd, idOf } from '../journal/world.ts';
import { TestLocks } from '../support/test-locks.ts';
import { openVaultWorld, type VaultWorld } from '../support/vault-world.ts';
import { until } from '../support/until.ts';

/** Hears that new heads are listened for, which comes once the journal has caught up. */
const heads = vi.hoisted(() => ({ begun: (): void => undefined }));
vi.mock('../../src/lib/drive/shared-heads.ts', () => ({
  SharedHeads: class {
    constructor() {
      heads.begun();
    }
    stop(): void {
      // Nothing was begun.
    }
  },
}));

/** When another device was heard of last, where that is long ago. */
const others = vi.hoisted(() => ({ staleSinceMs: undefined as number | undefined }));
vi.mock('../../src/lib/drive/freshness.ts', () => ({ staleSinceMs: () => others.staleSinceMs }));

const DAY_MS = 24 * 60 * 60_000;
let world: VaultWorld;
let database: Database;
let heard: unknown[];
let answers: Map<Route, () => unknown>;
let isOnlyTab: boolean;
let openAccount: OpenAccount | undefined;
let asked: string[];
/** The last of the broker's events. */
let event: { readonly seq: number; readonly hash: string };

beforeEach(async () => {
  vi.stubGlobal('navigator', { locks: new TestLocks().client().locks });
  const page = new EventTarget();
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
  vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page));
  [world, database] = [await openVaultWorld(), await openDatabase(() => undefined)];
  for (const store of ['events', 'changes', 'uploads'] as const) await database.clear(store);
  [heard, asked, isOnlyTab] = [[], [], true];
  others.staleSinceMs = undefined;
  const told = { seq: 4, atMs: 1, kind: 'granted', prevHash: 'A'.repeat(43) };
  const fields = eventFields(world.session.account, told);
  event = { ...told, hash: toB64Url(await sha256(lengthPrefixed(...fields))) };
  answers = new Map<Route, () => unknown>([
    [sessionRead, () => session()],
    [eventsRead, () => ({ events: [event], head: { seq: event.seq, hash: event.hash } })],
  ]);
});
afterEach(() => {
  openAccount?.close();
  database.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const session = (more: object = {}) => ({
  ...{ account: world.session.account, device: world.open.device.id, vaults: [{ vault: world.vault }] },
  ...more,
});

/** The account is opened; resolves once it has caught up, or could not. */
async function open(): Promise<OpenAccount> {
  const { vault, journal } = world;
  const broker: Broker = {
    call: async (route, request, options) => {
      asked.push(route.path);
      const answer = answers.get(route);
      return answer ? await answer() : world.broker.call(route, request, options);
    },
  };
  const account = { vault, account: world.session.account, epoch: 1, vaultKey: world.open.vaultKey };
  const device = world.open.device.id;
  const nowMs = () => world.nowMs;
  const changes = await PendingChanges.open(account, {
    database,
    journal,
    device,
    nowMs,
    tell: () => undefined,
  });
  const localAccount = { device: { id: device }, account } as unknown as OpenAccount['localAccount'];
  let settle: () => void = () => undefined;
  const settled = new Promise<void>((resolve) => (settle = resolve));
  openAccount = new OpenAccount(
    { localAccount, journal, changes, database },
    {
      ...{ origin: 'https://halfkey.test', broker, nowMs, inbox: () => undefined },
      prover: new SessionProver(() => Promise.resolve(undefined)),
      failed: (error) => {
        heard.push(error instanceof HalfkeyError ? error.code : error);
        settle();
      },
      reporter: {
        connection: (online) => heard.push(online ? 'online' : 'offline'),
        viewStale: (lastHeardMs) => heard.push(['stale', lastHeardMs]),
        factorReset: (pending) => heard.push(['factor-reset', pending]),
        changesVoid: (changes) => heard.push(['void', changes]),
      },
      isOnlyTab: () => Promise.resolve(isOnlyTab),
    },
  );
  heads.begun = settle;
  await settled;
  return openAccount;
}
const beat = () => world.journal.state.heartbeats.get(world.open.device.id);

describe('an account that is opened', () => {
  it('shows what is new before it reads what the broker has logged', async () => {
    const before = world.times(logRead);
    let refreshes = before;
    const page = answers.get(eventsRead);
    answers.set(eventsRead, () => {
      refreshes = world.times(logRead);
      return page?.();
    });
    await open();
    expect(refreshes).toBeGreaterThan(before);
  });

  it('asks the broker what it has to say of it, and keeps how far its events go', async () => {
    await open();
    expect(heard).toEqual([['factor-reset', undefined]]);
    expect(await readEventHead(database)).toEqual({ seq: 4, hash: event.hash });
  });

  it('tells of another authenticator that was asked for, until it is stopped', async () => {
    const pending = { askedAtMs: 1, dueAtMs: 2 };
    answers.set(sessionRead, () => session({ factorReset: pending }));
    const account = await open();
    answers.set(factorResetStop, () => ({}));
    await account.stopFactorReset();
    expect(heard).toEqual([
      ['factor-reset', pending],
      ['factor-reset', undefined],
    ]);
  });

  it('tells that the others were not heard of for long, and that one is heard of again, each once', async () => {
    others.staleSinceMs = 5;
    const { drive } = await open();
    const refreshed = async () => {
      const before = world.times(logRead);
      drive.sync();
      await until(() => world.times(logRead) > before);
      await drive.changes.flush();
    };
    const stale = () => heard.filter((each) => Array.isArray(each) && each[0] === 'stale');
    await refreshed();
    expect(stale()).toEqual([['stale', 5]]);
    others.staleSinceMs = undefined;
    drive.sync();
    await until(() => stale().length > 1);
    others.staleSinceMs = 7;
    await refreshed();
    expect(stale()).toEqual([
      ['stale', 5],
      ['stale', undefined],
    ]);
  });

  it('gathers what it may not write yet, and loses none of it', async () => {
    await world.journal.append(() => [fileAdd(1), fileAdd(2), fileAdd(3)]);
    const { changes, journal } = (await open()).drive;
    let refusals = 0;
    world.interfere = (route, _request, effect) =>
      route === logAppend && refusals++ < 3
        ? Promise.reject(new HalfkeyError('too_many_requests', 'later'))
        : effect();
    const { seq } = journal.head;
    for (const number of [1, 2, 3]) {
      await changes.edit((shown) => rename(shown, idOf('file', number), `renamed ${String(number)}`));
      expect(await refusalCode(changes.flush())).toBe('too_many_requests');
    }
    await changes.flush();
    // What was on its way goes by itself, for it may have arrived; all that came after it in one.
    expect(journal.head.seq).toBe(seq + 2);
    const names = [1, 2, 3].map((number) => journal.state.entry(idOf('file', number))?.name);
    expect(names).toEqual(['renamed 1', 'renamed 2', 'renamed 3']);
  });

  it.each<[string, () => unknown, string]>([
    ['of another account', () => session({ account: 'another' }), 'session_missing'],
    ['of another device', () => session({ device: 'another' }), 'session_missing'],
    ['without its vault', () => session({ vaults: [] }), 'vault_missing'],
  ])('does not go on with a session %s', async (_case, answer, code) => {
    answers.set(sessionRead, answer);
    await open();
    expect([heard, beat()]).toEqual([[code], undefined]);
  });

  it('does not go on with an event log that is shorter than it was', async () => {
    await saveEventHead(database, { seq: 9, hash: 'h9' });
    await open();
    expect(heard.at(-1)).toBe('rollback');
    expect(await readEventHead(database)).toEqual({ seq: 9, hash: 'h9' });
  });

  it('sends the names that wait', async () => {
    const file = 'f'.repeat(21) + 'A';
    await world.journal.append(() => [
      {
        ...{ kind: 'file-add', file, folder: '', name: 'a' },
        version: {
          ...{ blob: 'b'.repeat(21) + 'A', epoch: 1, sizeBytes: 1, sealedBytes: 200, partBytes: 8388608 },
          ...{ digest: 'A'.repeat(43) + '=', mediaType: 'text/plain', modifiedAtMs: 0, addedAtMs: 0 },
        },
      },
    ]);
    const { drive } = await open();
    await drive.changes.edit((shown) => rename(shown, file, 'b'));
    drive.sync();
    await until(() => world.journal.state.entry(file)?.name === 'b');
  });
});

describe('a device that is in use', () => {
  it('says once a day what it has seen, and which inbox keys it needs', async () => {
    await open();
    expect(beat()).toMatchObject({ atMs: world.nowMs, inboxEpoch: 0 });
    const first = beat()?.atMs;
    openAccount?.close();
    world.nowMs += DAY_MS;
    await open();
    expect(beat()?.atMs).toBe(first);
    openAccount?.close();
    world.nowMs += 1;
    await open();
    expect(beat()?.atMs).toBe(world.nowMs);
  });

  it('promises nothing of inbox keys while another tab could break that', async () => {
    isOnlyTab = false;
    await open();
    expect(beat()).toMatchObject({ atMs: world.nowMs });
    expect(beat()?.inboxEpoch).toBeUndefined();
  });

  it('is not silenced by what it said when its clock ran ahead', async () => {
    await open();
    openAccount?.close();
    world.nowMs -= 10 * DAY_MS;
    await open();
    expect(beat()?.atMs).toBe(world.nowMs);
  });
});

it('asks anew what the broker has to say when it is told to, and once an hour', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const account = await open();
  const greetings = () => asked.filter((path) => path === sessionRead.path).length;
  const refreshes = world.times(logRead);
  account.drive.sync();
  await until(() => world.times(logRead) > refreshes);
  expect(greetings()).toBe(1);
  account.lookAgain();
  await until(() => greetings() === 2);
  vi.advanceTimersByTime(60 * 60_000);
  await until(() => greetings() === 3);
});
