import { grantBuy, grantEnd, sessionEnd } from '$contract/account.ts';
import type { GrantId, VaultId } from '$contract/ids.ts';
import { LIMITS } from '$contract/limits.ts';
import { HalfkeyError, type ErrorCode } from '../errors.ts';
import type { Journal } from '../journal/journal.ts';
import type { Broker } from '../remote/broker.ts';
import type { AccountRecord } from '../store/account-record.ts';
import type { Database } from '../store/database.ts';
import { toFailure } from '../transfer/ledger.ts';
import { deviceName } from './device-name.ts';
import type { Entry } from './entry.ts';
import { parseFactor } from './factor.ts';
import { requireFeatures } from './features.ts';
import { joinJournal, membershipOf, openJournal } from './joining.ts';
import { toJournalHead } from './journal-remote.ts';
import { LiveGrant } from './live-grant.ts';
import { Home, type HomeDeps } from './home.ts';
import type { Factor, Phase, Report } from './protocol.ts';
import { Resting, type Resident } from './resting.ts';
import type { OpenVault } from './vault.ts';
import { watchBroker } from './watched-broker.ts';

/** What a session touches that is not its own. */
export interface SessionDeps {
  readonly origin: string;
  readonly broker: Broker;
  readonly nowMs: () => number;
  readonly report: (report: Report) => void;
  /** Another journal is looked at from now on; undefined when nobody is signed in. */
  readonly onJournal: (journal: Journal | undefined) => void;
  readonly onGrant: () => void;
  /** Locked by will: nothing that is open stays open. */
  readonly onLockNow: () => void;
}

/** A device without a copy of the journal waits for the broker before it can show anything. */
const REOPEN_MS = 5_000;

/** Where this device stands between signed out, locked and open, and what that takes. */
export class Session {
  /** Hears itself what the broker's refusals mean for grant, session and connection. */
  readonly broker: Broker;
  readonly resting: Resting;
  readonly #deps: SessionDeps;
  readonly #grant: LiveGrant;
  #standing: 'starting' | 'signed-out' | 'signed-in' = 'starting';
  #home: Home | undefined;
  /** At home here, but the journal is not open yet. */
  #awaited: Resident | undefined;
  #online: boolean | undefined;
  /** What was reported last: an alarm goes off once. */
  #alarm: ErrorCode | undefined;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    this.#grant = new LiveGrant(deps.nowMs, (ended) => {
      this.#endGrant(ended);
    });
    this.resting = new Resting(() => {
      this.#leave();
    });
    this.broker = watchBroker(deps.broker, {
      answered: () => {
        this.#connection(true);
      },
      refused: (code) => {
        this.#heed(code);
      },
    });
  }

  get phase(): Phase {
    if (this.#standing !== 'signed-in') return { phase: this.#standing };
    const held = this.#grant.current;
    if (!held) return { phase: 'locked' };
    return { phase: 'open', expiresAtMs: held.expiresAtMs, releases: held.releases };
  }

  /**
   * Restores what rests on this device. The journal comes from its copy here, so that names show at once and without the broker,
   * which is asked afterwards.
   * @throws {HalfkeyError} `browser_lacks`
   */
  async boot(): Promise<Phase> {
    await requireFeatures();
    let resident: Resident | undefined;
    try {
      resident = await this.resting.resident();
    } catch (error) {
      if (!(error instanceof HalfkeyError) || error.code !== 'device_state_lost') throw error;
      this.#alarmOf(error);
    }
    if (!resident) {
      this.#stand('signed-out');
      return this.phase;
    }
    await this.#restore(resident);
    return this.phase;
  }

  /**
   * Takes up an account that its user has just signed in to.
   * @throws {HalfkeyError} `vault_missing`, `rollback` and others when broker or journal are not what they were; of the family
   *   unreachable: the same entry can be tried again
   */
  async enter(entry: Entry): Promise<void> {
    const { signedIn, keyring, device, sentAtMs } = entry;
    const { vault, epoch, key: vaultKey } = keyring.vaultKey;
    const { account, accountKey, serverPublicKey, version, hash } = keyring;
    if (signedIn.account !== account || signedIn.keyring.version !== version) {
      throw new HalfkeyError(
        'keyring_corrupt',
        'the broker names another account or version than the keyring',
      );
    }
    const membership = membershipOf(signedIn.vaults, vault);
    // What is under way for one account never goes on in another's vault.
    if (this.#home && this.#home.resident.account.account !== account) this.#leave();
    const before = await this.resting.resident().catch(() => undefined);
    if (before?.account.account === account && before.account.keyring.version > version) {
      throw new HalfkeyError('rollback', `keyring ${String(version)} is older than the one seen here`);
    }
    const record: AccountRecord = {
      account,
      vault,
      epoch,
      accountKey,
      vaultKey,
      identityPublicKey: keyring.identity.publicKey,
      serverPublicKey,
      keyring: { version, hash },
    };
    const resident = { device, account: record };
    const database = await this.resting.prepare(account, device);
    const rim = { broker: this.broker, database, nowMs: this.#deps.nowMs };
    const journal = await openJournal(resident, rim, toJournalHead(membership.head));
    await joinJournal(journal, entry, deviceName(navigator.userAgent));
    await this.resting.keep(resident);
    // The grant first: nobody is shown "locked" for a moment on the way in.
    if (signedIn.grant) this.#grant.hold(signedIn.grant, sentAtMs);
    this.#moveIn(new Home(resident, journal, this.#homeDeps(database)));
    if (signedIn.grant) this.#deps.onGrant();
  }

  /** @throws {HalfkeyError} `code_malformed`, `code_wrong` and its like; `session_missing` */
  async unlock(typed: Factor): Promise<void> {
    const factor = parseFactor(typed);
    const home = this.#requireHome();
    const sentAtMs = this.#deps.nowMs();
    const grant = await this.broker.call(grantBuy, { factor });
    if (this.#home !== home) throw new HalfkeyError('session_missing', 'signed out meanwhile');
    this.#grant.hold(grant, sentAtMs);
    this.#reportPhase();
    this.#deps.onGrant();
  }

  /** *Lock now*: at once here, and at the broker when it can be told. */
  lock(): void {
    const held = this.#grant.drop();
    this.#deps.onLockNow();
    this.#reportPhase();
    if (held) this.#tellEnd(held);
    this.#settleDown();
  }

  /** Somebody is there. */
  active(): void {
    this.#grant.active();
  }

  /** Ends the session and wipes the device: what rests here goes even when the broker cannot be told. */
  async signOut(): Promise<void> {
    const told = this.broker.call(sessionEnd, {}).catch(() => undefined);
    this.#leave();
    await this.resting.wipe();
    await told;
  }

  /** @throws {HalfkeyError} `session_missing` when nobody is signed in, `broker_unreachable` before the journal was ever read */
  vault(): OpenVault {
    const { resident, journal } = this.#requireHome();
    const { vault, epoch, vaultKey } = resident.account;
    return {
      vault: vault as VaultId,
      epoch,
      vaultKey,
      broker: this.broker,
      journal,
      requireGrant: () => this.#grant.require(),
      releasesPerCode: () =>
        Math.max(1, Math.min(this.#grant.current?.releases ?? LIMITS.batch, LIMITS.batch)),
    };
  }

  #requireHome(): Home {
    if (this.#home) return this.#home;
    if (this.#standing !== 'signed-in') throw new HalfkeyError('session_missing', 'nobody is signed in');
    throw new HalfkeyError('broker_unreachable', 'the journal was never read on this device');
  }

  /** Opens the journal that rests here; where none does, as soon as the broker answers. */
  async #restore(resident: Resident): Promise<void> {
    this.#stand('signed-in');
    this.#awaited = resident;
    // Whoever signs out or in meanwhile has nothing to do with this resident.
    const isAwaited = () => this.#awaited === resident;
    try {
      const database = await this.resting.database();
      const rim = { broker: this.broker, database, nowMs: this.#deps.nowMs };
      const journal = await openJournal(resident, rim);
      if (isAwaited()) this.#moveIn(new Home(resident, journal, this.#homeDeps(database)));
    } catch (error) {
      if (!isAwaited()) return;
      if (!(error instanceof HalfkeyError) || error.family !== 'unreachable') this.#failed(error);
      else setTimeout(() => isAwaited() && void this.#restore(resident), REOPEN_MS);
    }
  }

  #moveIn(home: Home): void {
    this.#awaited = undefined;
    this.#home?.close();
    this.#home = home;
    this.#alarm = undefined;
    home.journal.onChange(() => {
      if (home.journal.problem) this.#failed(home.journal.problem);
    });
    this.#deps.onJournal(home.journal);
    this.#stand('signed-in');
    if (home.journal.problem) this.#failed(home.journal.problem);
  }

  #homeDeps(database: Database): HomeDeps {
    const { origin, nowMs } = this.#deps;
    return {
      origin,
      broker: this.broker,
      database,
      nowMs,
      failed: (error) => {
        this.#failed(error);
      },
      connection: (online) => {
        this.#connection(online);
      },
    };
  }

  /** The session is over, here or at the broker. What rests on the device stays; signing out wipes it besides. */
  #leave(): void {
    if (this.#standing !== 'signed-in') return;
    this.#grant.drop();
    this.#home?.close();
    this.#home = undefined;
    this.#awaited = undefined;
    this.#deps.onLockNow();
    this.#deps.onJournal(undefined);
    this.#stand('signed-out');
  }

  #stand(standing: 'signed-out' | 'signed-in'): void {
    this.#standing = standing;
    this.#reportPhase();
  }

  /** Over by itself. The broker is told all the same: it may have been by idling. */
  #endGrant(ended: GrantId): void {
    this.#reportPhase();
    this.#tellEnd(ended);
    this.#settleDown();
  }

  /** Locked, perhaps for long: what this device has seen of the journal is kept, so that a rollback is noticed after a restart. */
  #settleDown(): void {
    this.#home?.journal.flush().catch(() => undefined); // Without room for it this device knows less, that is all.
  }

  #tellEnd(grant: GrantId): void {
    this.broker.call(grantEnd, { grant }).catch(() => undefined); // It ends by its time in any case.
  }

  #reportPhase(): void {
    this.#deps.report({ kind: 'phase', phase: this.phase });
  }

  #connection(online: boolean): void {
    if (this.#online === online) return;
    this.#online = online;
    this.#deps.report({ kind: 'connection', online });
  }

  #heed(code: ErrorCode): void {
    this.#connection(code !== 'broker_unreachable');
    if (code === 'session_missing') this.#leave();
    const isSpent = code === 'grant_missing' || code === 'grant_spent';
    if (isSpent && this.#grant.drop()) this.#reportPhase();
  }

  /** What nobody asked for and trying again does not mend. */
  #failed(error: unknown): void {
    if (error instanceof HalfkeyError && error.code === 'session_missing') {
      this.#leave();
      return;
    }
    this.#alarmOf(error);
  }

  #alarmOf(error: unknown): void {
    const failure = toFailure(error);
    // That this is no member's vault any more is the same claim as that there is none.
    const code = failure.code === 'not_a_member' ? 'vault_missing' : failure.code;
    if (this.#alarm === code) return;
    this.#alarm = code;
    this.#deps.report({ kind: 'alarm', failure: { code, detail: failure.detail } });
  }
}
