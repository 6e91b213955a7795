import { grantBuy, grantEnd, sessionEnd } from '$contract/account.ts';
import type { GrantId } from '$contract/ids.ts';
import { HalfkeyError, type ErrorCode } from '../../errors.ts';
import type { Broker } from '../../remote/broker.ts';
import { Closing } from './closing.ts';
import type { Entry } from '../entry/entry.ts';
import { parseFactor } from '../factor.ts';
import { requireFeatures } from '../features.ts';
import { Home, type HomeDeps } from './home.ts';
import { Idle } from './idle.ts';
import { LiveGrant } from './live-grant.ts';
import { checkEntry, moveIn, returnHome, type Household, type MovingDeps } from './moving.ts';
import type { Factor, Phase, Report } from '../protocol.ts';
import { Resting, type Resident } from '../resting.ts';
import { openWithPassphrase, setStart } from './start.ts';
import { Tabs, type TabNews } from './tabs.ts';
import { Telling } from './telling.ts';
import { vaultOf } from './open-vault.ts';
import type { OpenVault } from '../vault.ts';
import type { Drive } from '../drive/view.ts';
import { watchBroker } from './watched-broker.ts';

/** What a session touches that is not its own. */
export interface SessionDeps {
  readonly origin: string;
  readonly broker: Broker;
  readonly nowMs: () => number;
  readonly report: (report: Report) => void;
  /** Another drive is looked at from now on; undefined when nobody is signed in, or the passphrase is asked for. */
  readonly onDrive: (drive: Drive | undefined) => void;
  readonly onGrant: () => void;
  /** The inbox has something new. */
  readonly onInbox: () => void;
  /** Locked by will: nothing that is open stays open. */
  readonly onLockNow: () => void;
  /** Nobody was there for five minutes, in any tab. */
  readonly onIdle: () => void;
  /** Whether nothing would be lost if every key left memory now: no file is just being taken in. */
  readonly mayClose: () => boolean;
}

/** A device without a copy of the journal waits for the broker before it can show anything. */
const REOPEN_MS = 5_000;

/** Where this device stands between signed out, closed, locked and open, and what that takes. */
export class Session {
  /** Hears itself what the broker's refusals mean for grant, session and connection. */
  readonly broker: Broker;
  readonly resting: Resting;
  readonly #deps: SessionDeps;
  readonly #telling: Telling;
  readonly #tabs: Tabs;
  readonly #idle: Idle;
  readonly #grant: LiveGrant;
  readonly #closing: Closing;
  readonly #around: MovingDeps & HomeDeps;
  #standing: 'starting' | 'signed-out' | 'closed' | 'signed-in' = 'starting';
  #home: Home | undefined;
  /** At home here, but the journal is not open yet. */
  #awaited: Resident | undefined;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    this.#telling = new Telling(deps.report);
    this.#tabs = new Tabs((news) => {
      this.#hear(news);
    });
    this.#idle = new Idle(deps.nowMs, () => {
      this.#idled();
    });
    this.#grant = new LiveGrant(deps.nowMs, (ended) => {
      this.#telling.phase(this.phase);
      this.#wrapUp(ended);
    });
    this.resting = new Resting(() => {
      this.#leave();
    });
    this.broker = watchBroker(deps.broker, {
      answered: () => {
        this.#telling.connection(true);
      },
      refused: (code) => {
        this.#heed(code);
      },
    });
    this.#closing = new Closing({
      asks: () => this.asksPassphrase(),
      mayClose: deps.mayClose,
      close: () => {
        if (this.#standing === 'signed-in') this.#vacate('closed');
      },
    });
    this.#around = this.#surroundings();
  }

  get phase(): Phase {
    if (this.#standing !== 'signed-in') return { phase: this.#standing };
    const held = this.#grant.current;
    if (!held) return { phase: 'locked' };
    return { phase: 'open', expiresAtMs: held.expiresAtMs, releases: held.releases };
  }

  /**
   * Restores what rests on this device. The journal comes from its copy here, so that names show at once and without the broker,
   * which is asked afterwards. Where the passphrase is asked for, nothing is opened before `open`.
   * @throws {HalfkeyError} `browser_lacks`
   */
  async boot(): Promise<Phase> {
    await requireFeatures();
    await this.#tabs.joined; // Before anything of the device is read.
    let resident: Resident | 'closed' | undefined;
    try {
      resident = await this.resting.resident();
    } catch (error) {
      if (!(error instanceof HalfkeyError) || error.code !== 'device_state_lost') throw error;
      this.#telling.alarm(error);
    }
    if (resident === undefined) this.#stand('signed-out');
    else if (resident === 'closed') this.#stand('closed');
    else await this.#restore(resident);
    return this.phase;
  }

  /**
   * Opens what the passphrase closes, without the broker.
   * @throws {HalfkeyError} as `openWithPassphrase`; `session_missing` when nobody is signed in
   */
  async open(passphrase: string): Promise<void> {
    if (this.#standing === 'signed-in') return;
    const resident = await openWithPassphrase(this.resting, passphrase, this.#deps.nowMs);
    // Signed out, or opened by another command, while the passphrase was stretched.
    if (this.#standing !== 'closed') return;
    this.active();
    await this.#restore(resident);
  }

  /** Whether the passphrase is asked for at each start. */
  async asksPassphrase(): Promise<boolean> {
    return (await this.resting.owner())?.stretching !== undefined;
  }

  /**
   * Sets whether it is: with the account's passphrase from now on, without one no longer.
   * @throws {HalfkeyError} as `provePassphrase`, before anything changes; `locked` while closed
   */
  async askPassphrase(passphrase: string | undefined): Promise<void> {
    const home = this.home();
    const isStillThere = () => this.#home === home;
    await setStart(passphrase, home.resident, { resting: this.resting, broker: this.broker, isStillThere });
  }

  /**
   * Takes up an account that its user has just signed in to.
   * @throws {HalfkeyError} `vault_missing`, `rollback` and others when broker or journal are not what they were; of the family
   *   unreachable: the same entry can be tried again
   */
  async enter(entry: Entry): Promise<void> {
    checkEntry(entry);
    const { signedIn, sentAtMs } = entry;
    // What is under way for one account never goes on in another's vault.
    if (this.#home && this.#home.resident.account.account !== signedIn.account) this.#leave();
    const household = await moveIn(entry, this.#around);
    // The grant first: nobody is shown "locked" for a moment on the way in.
    if (signedIn.grant) this.#grant.hold(signedIn.grant, sentAtMs);
    this.#settle(household);
    if (signedIn.grant) this.#deps.onGrant();
  }

  /** @throws {HalfkeyError} `code_malformed`, `code_wrong` and its like; `session_missing`; `locked` while closed */
  async unlock(typed: Factor): Promise<void> {
    const factor = parseFactor(typed);
    const home = this.home();
    const sentAtMs = this.#deps.nowMs();
    const grant = await this.broker.call(grantBuy, { factor });
    if (this.#home !== home) throw new HalfkeyError('session_missing', 'signed out meanwhile');
    this.#closing.cancel();
    this.#grant.hold(grant, sentAtMs);
    this.active();
    this.#telling.phase(this.phase);
    this.#deps.onGrant();
  }

  /** *Lock now*, or nobody was there for long: at once here and in the other tabs, and at the broker when it can be told. */
  lock(): void {
    this.#tabs.tell('lock');
    this.#lockHere();
  }

  /** Somebody is there, in whichever tab: then nobody has left any. */
  active(): void {
    this.#tabs.tell('active');
    this.#hear('active');
  }

  /** What kept the session from being closed is safe now. */
  closeIfDue(): void {
    this.#closing.again();
  }

  /** Ends the session and wipes the device: what rests here goes even when the broker cannot be told. */
  async signOut(): Promise<void> {
    this.#tabs.tell('signed-out');
    const told = this.broker.call(sessionEnd, {}).catch(() => undefined);
    this.#leave();
    await this.resting.wipe();
    await told;
  }

  /** @throws {HalfkeyError} as `home` */
  vault(): OpenVault {
    return vaultOf(this.home(), this.broker, this.#grant);
  }

  /**
   * Who is at home, and their vault.
   * @throws {HalfkeyError} `session_missing` when nobody is signed in, `locked` while the passphrase is asked for,
   *   `broker_unreachable` before the journal was ever read
   */
  home(): Home {
    if (this.#home) return this.#home;
    if (this.#standing === 'closed') throw new HalfkeyError('locked', 'the passphrase is asked for first');
    if (this.#standing !== 'signed-in') throw new HalfkeyError('session_missing', 'nobody is signed in');
    throw new HalfkeyError('broker_unreachable', 'the journal was never read on this device');
  }

  /** Opens the journal that rests here; where none does, as soon as the broker answers. */
  async #restore(resident: Resident): Promise<void> {
    this.#stand('signed-in');
    this.#idle.begin();
    this.#awaited = resident;
    // Whoever signs out or in meanwhile has nothing to do with this resident.
    const isAwaited = () => this.#awaited === resident;
    try {
      const household = await returnHome(resident, this.#around);
      if (isAwaited()) this.#settle(household);
    } catch (error) {
      if (!isAwaited()) return;
      if (!(error instanceof HalfkeyError) || error.family !== 'unreachable') this.#failed(error);
      else setTimeout(() => isAwaited() && void this.#restore(resident), REOPEN_MS);
    }
  }

  #settle(household: Household): void {
    this.#awaited = undefined;
    this.#closing.cancel();
    this.#home?.close();
    const home = new Home(household, this.#around);
    this.#home = home;
    this.#telling.forgetAlarm();
    home.journal.onChange(() => {
      if (home.journal.problem) this.#failed(home.journal.problem);
    });
    this.#deps.onDrive(home);
    this.#idle.begin();
    this.#stand('signed-in');
    if (home.journal.problem) this.#failed(home.journal.problem);
  }

  #surroundings(): MovingDeps & HomeDeps {
    const { origin, nowMs, onInbox: inbox } = this.#deps;
    return {
      origin,
      broker: this.broker,
      resting: this.resting,
      telling: this.#telling,
      nowMs,
      inbox,
      failed: (error) => {
        this.#failed(error);
      },
      tell: () => {
        this.#tabs.tell('changes');
      },
      isOnlyTab: () => this.#tabs.isAlone(),
    };
  }

  /** The session is over, here or at the broker. What rests on the device stays; signing out wipes it besides. */
  #leave(): void {
    if (this.#standing === 'signed-in' || this.#standing === 'closed') this.#vacate('signed-out');
  }

  /** Lets go of every key. */
  #vacate(standing: 'signed-out' | 'closed'): void {
    this.#grant.drop();
    this.#idle.stop();
    this.#home?.close();
    this.#home = undefined;
    this.#awaited = undefined;
    this.#closing.cancel();
    this.#deps.onLockNow();
    this.#deps.onDrive(undefined);
    this.#stand(standing);
  }

  #stand(standing: 'signed-out' | 'closed' | 'signed-in'): void {
    this.#standing = standing;
    this.#telling.phase(this.phase);
  }

  #lockHere(): void {
    if (this.#standing !== 'signed-in') return;
    const held = this.#grant.drop();
    this.#deps.onLockNow();
    this.#telling.phase(this.phase);
    this.#wrapUp(held);
    void this.#closing.begin();
  }

  /** Nobody was there for five minutes. */
  #idled(): void {
    this.#deps.onIdle();
    if (this.#grant.current) this.lock();
    else void this.#closing.begin();
  }

  /** Locked, perhaps for long: what was seen of the journal is kept, so that a rollback is noticed after a restart. */
  #wrapUp(ended: GrantId | undefined): void {
    if (ended) this.broker.call(grantEnd, { grant: ended }).catch(() => undefined); // It ends by its time in any case.
    this.#home?.journal.flush().catch(() => undefined); // Without room for it this device knows less, that is all.
  }

  #hear(news: TabNews): void {
    switch (news) {
      case 'lock':
        this.#lockHere();
        break;
      case 'active':
        this.#idle.active();
        this.#grant.active();
        break;
      case 'signed-out':
        this.#leave();
        break;
      case 'changes':
        void this.#home?.changes.reload().catch(() => undefined); // Wiped meanwhile: then it hears that too.
        break;
    }
  }

  #heed(code: ErrorCode): void {
    this.#telling.connection(code !== 'broker_unreachable');
    if (code === 'session_missing') this.#leave();
    const isSpent = code === 'grant_missing' || code === 'grant_spent';
    if (isSpent && this.#grant.drop()) this.#telling.phase(this.phase);
  }

  /** What nobody asked for and trying again does not mend. */
  #failed(error: unknown): void {
    if (error instanceof HalfkeyError && error.code === 'session_missing') this.#leave();
    else this.#telling.alarm(error);
  }
}
