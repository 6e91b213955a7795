import { grantBuy, grantEnd } from '$contract/accounts.ts';
import type { GrantId } from '$contract/ids.ts';
import { HalfkeyError, type ErrorCode } from '../errors.ts';
import type { Broker } from '../remote/broker.ts';
import type { SessionProver } from '../remote/session-proof.ts';
import type { Entry } from './entry/entry.ts';
import { parseFactor } from '../account/factor.ts';
import { requireFeatures } from './features.ts';
import type { OpenAccount, OpenAccountDeps } from './open-account.ts';
import { GrantLock } from './grant-lock.ts';
import { endLeft, leaveSession } from './left-session.ts';
import { activate, checkEntry, type ActivatedAccount, type ActivationDeps } from './activation.ts';
import type { Factor, Phase } from '../protocol/session.ts';
import type { Report } from '../protocol/commands.ts';
import { DeviceStore, type LocalAccount } from './device-store.ts';
import { openWithPassphrase, setStart } from './start.ts';
import { Tabs, type TabMessage } from './tabs.ts';
import { SessionReporter } from './session-reporter.ts';
import { Standing } from './standing.ts';
import { vaultOf } from './granted-vault.ts';
import { namesOf, ReleasedAhead } from '../vault/released-ahead.ts';
import type { OpenVault } from '../vault/open-vault.ts';
import { forgetLeft } from '../store/left-session.ts';
import { saveSessionKey } from '../store/session-key.ts';
import type { Drive } from '../drive/view.ts';
import { watchBroker } from './watched-broker.ts';

/** What a session touches that is not its own. */
export interface SessionDeps {
  readonly origin: string;
  readonly broker: Broker;
  readonly prover: SessionProver;
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

/** What moves this device between signed out, closed, locked and open, and the other tabs with it. */
export class Session {
  /** Hears itself what the broker's refusals mean for grant, session and connection. */
  readonly broker: Broker;
  readonly deviceStore: DeviceStore;
  readonly #deps: SessionDeps;
  readonly #reporter: SessionReporter;
  readonly #tabs: Tabs;
  readonly #lock: GrantLock;
  readonly #around: ActivationDeps & OpenAccountDeps;
  readonly #standing: Standing;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    this.#reporter = new SessionReporter(deps.report);
    this.#tabs = new Tabs((news) => {
      this.#hear(news);
    });
    this.deviceStore = new DeviceStore(() => {
      this.#standing.leave();
    });
    this.broker = watchBroker(deps.broker, {
      answered: () => {
        this.#reporter.connection(true);
      },
      refused: (code, isOfMaking) => {
        this.#heed(code, isOfMaking);
      },
      making: (count) => {
        this.#lock.grant.making(count);
      },
    });
    this.#lock = this.#createLock();
    this.#around = this.#surroundings();
    this.#standing = new Standing({
      lock: this.#lock,
      reporter: this.#reporter,
      around: this.#around,
      onDrive: deps.onDrive,
      onLockNow: deps.onLockNow,
    });
  }

  get phase(): Phase {
    return this.#standing.phase;
  }

  /**
   * Restores what is stored on this device. The journal comes from its copy here, so that names show at once and
   * without the broker, which is asked afterwards. Where the passphrase is asked for, nothing is opened before `open`.
   * @throws {HalfkeyError} `browser_lacks`
   */
  async boot(): Promise<Phase> {
    await requireFeatures();
    await this.#tabs.joined; // Before anything of the device is read.
    let localAccount: LocalAccount | 'closed' | undefined;
    try {
      localAccount = await this.deviceStore.localAccount();
    } catch (error) {
      if (!(error instanceof HalfkeyError) || error.code !== 'device_state_lost') throw error;
      this.#reporter.alarm(error);
    }
    if (localAccount === undefined) {
      this.#standing.begin('signed-out');
      void this.endLeft();
    } else if (localAccount === 'closed') this.#standing.begin('closed');
    else await this.#standing.restore(localAccount);
    return this.phase;
  }

  /**
   * Opens what the passphrase closes, without the broker.
   * @throws {HalfkeyError} as `openWithPassphrase`; `session_missing` when nobody is signed in
   */
  async open(passphrase: string): Promise<void> {
    if (this.#standing.current === 'signed-in') return;
    const localAccount = await openWithPassphrase(this.deviceStore, passphrase, this.#deps.nowMs);
    // Signed out, or opened by another command, while the passphrase was stretched.
    if (this.#standing.current !== 'closed') return;
    this.active();
    await this.#standing.restore(localAccount);
  }

  /** KMS halves that the live grant may still make; undefined when none is live. */
  get halvesLeft(): number | undefined {
    return this.#lock.grant.current?.halvesLeft;
  }

  /** Whether the passphrase is asked for at each start. */
  async asksPassphrase(): Promise<boolean> {
    return (await this.deviceStore.owner())?.stretching !== undefined;
  }

  /**
   * Sets whether it is: with the account's passphrase from now on, without one no longer.
   * @throws {HalfkeyError} as `provePassphrase`, before anything changes; `locked` while closed
   */
  async askPassphrase(passphrase: string | undefined): Promise<void> {
    const openAccount = this.openAccount();
    const isStillThere = () => this.#standing.account === openAccount;
    await setStart(passphrase, openAccount.localAccount, {
      deviceStore: this.deviceStore,
      broker: this.broker,
      isStillThere,
    });
  }

  /**
   * Takes up an account that its user has just signed in to.
   * @throws {HalfkeyError} `vault_missing`, `rollback` and others when broker or journal are not what they were; of the
   *   family unreachable: the same entry can be tried again
   */
  async enter(entry: Entry): Promise<void> {
    checkEntry(entry);
    const { signedIn, sentAtMs } = entry;
    // What is under way for one account never goes on in another's vault.
    const openAccount = this.#standing.account;
    if (openAccount && openAccount.localAccount.account.account !== signedIn.account) this.#standing.leave();
    const activated = await activate(entry, this.#around);
    await this.#keepSession(activated);
    // The grant first: nobody is shown "locked" for a moment on the way in.
    if (signedIn.grant) this.#lock.open(signedIn.grant, sentAtMs);
    this.#standing.settle(activated);
    if (signedIn.grant) this.#deps.onGrant();
  }

  /**
   * @param files that the code was typed for
   * @throws {HalfkeyError} `code_malformed`, `code_wrong` and its like; `session_missing`; `locked` while closed
   */
  async unlock(typed: Factor, files: readonly string[] = []): Promise<void> {
    const factor = parseFactor(typed);
    const openAccount = this.openAccount();
    const sentAtMs = this.#deps.nowMs();
    const vault = this.vault();
    const names = namesOf(vault.journal.state, files);
    const release = names.length > 0 ? { release: { vault: vault.vault, names } } : {};
    const { released, ...grant } = await this.broker.call(grantBuy, { factor, ...release });
    const opened = released && (await ReleasedAhead.open(vault, names, released));
    if (this.#standing.account !== openAccount) {
      opened?.wipe();
      throw new HalfkeyError('session_missing', 'signed out meanwhile');
    }
    this.#lock.open(grant, sentAtMs, opened);
    this.active();
    this.#reporter.phase(this.phase);
    this.#deps.onGrant();
  }

  /**
   * *Lock now*, or nobody was there for long: at once here and in the other tabs, and at the broker when it can be
   * told.
   */
  lock(): void {
    this.#tabs.tell('lock');
    this.#lockHere();
  }

  /** Somebody is there, in whichever tab: then none counts as left. */
  active(): void {
    this.#tabs.tell('active');
    this.#hear('active');
  }

  /** Somebody has come back to this tab, or the network to this device. */
  look(): void {
    this.#standing.account?.drive.look();
  }

  /** What kept the session from being closed is safe now. */
  closeIfDue(): void {
    this.#lock.closeIfDue();
  }

  /** Ends the session and wipes the device: what is stored here goes even when the broker cannot be told. */
  async signOut(): Promise<void> {
    this.#tabs.tell('signed-out');
    const left = leaveSession(this.broker);
    this.#standing.leave();
    await this.deviceStore.wipe();
    this.#deps.prover.forget();
    await left;
  }

  /** Before anybody signs in here: ends at the broker what was signed out of without a network. Never rejects. */
  async endLeft(): Promise<void> {
    if (this.#standing.current === 'signed-out') await endLeft(this.broker);
  }

  /** @throws {HalfkeyError} as `openAccount` */
  vault(): OpenVault {
    return vaultOf(this.openAccount(), this.broker, this.#lock.grant);
  }

  /**
   * Whose account is on this device, and their vault.
   * @throws {HalfkeyError} `session_missing` when nobody is signed in, `locked` while the passphrase is asked for,
   *   `broker_unreachable` before the journal was ever read
   */
  openAccount(): OpenAccount {
    return this.#standing.requireAccount();
  }

  /** From here on other tabs, the service worker and the next start find the session's key. */
  async #keepSession({ database }: ActivatedAccount): Promise<void> {
    const { sessionKey } = this.#deps.prover;
    if (sessionKey) await saveSessionKey(database, sessionKey);
    await forgetLeft().catch(() => undefined); // The cookie is another one now.
  }

  #createLock(): GrantLock {
    const { nowMs, mayClose, onLockNow, onIdle } = this.#deps;
    return new GrantLock(
      {
        nowMs,
        mayClose,
        onLockNow,
        onIdle,
        asksPassphrase: () => this.asksPassphrase(),
        close: () => {
          this.#standing.close();
        },
        locked: (ended) => {
          this.#wrapUp(ended);
        },
        changed: () => {
          this.#reporter.phase(this.phase);
        },
        spent: () => {
          this.#reporter.codeSpent();
        },
      },
      () => {
        this.lock();
      },
    );
  }

  #surroundings(): ActivationDeps & OpenAccountDeps {
    const { origin, prover, nowMs, onInbox: inbox } = this.#deps;
    return {
      origin,
      prover,
      broker: this.broker,
      deviceStore: this.deviceStore,
      reporter: this.#reporter,
      nowMs,
      grant: () => this.#lock.grant.current?.id,
      inbox,
      failed: (error) => {
        this.#standing.failed(error);
      },
      tell: () => {
        this.#tabs.tell('changes');
      },
      isOnlyTab: () => this.#tabs.isAlone(),
    };
  }

  #lockHere(): void {
    if (this.#standing.current === 'signed-in') this.#lock.lock();
  }

  /** Locked, perhaps for long: what was seen of the journal is kept, so that a rollback is noticed after a restart. */
  #wrapUp(ended: GrantId | undefined): void {
    if (ended) this.broker.call(grantEnd, { grant: ended }).catch(() => undefined); // It ends by its time in any case.
    this.#standing.account?.drive.journal.flush().catch(() => undefined); // Without room for it this device knows less, that is all.
  }

  #hear(news: TabMessage): void {
    switch (news) {
      case 'lock':
        this.#lockHere();
        break;
      case 'active':
        this.#lock.active();
        break;
      case 'signed-out':
        this.#standing.leave();
        break;
      case 'changes':
        void this.#standing.account?.drive.changes.reload().catch(() => undefined); // Wiped meanwhile: then it hears that too.
        break;
    }
  }

  /** @param isOfMaking whether halves were to be made: one that makes no more may still open what there is */
  #heed(code: ErrorCode, isOfMaking: boolean): void {
    this.#reporter.connection(code !== 'broker_unreachable');
    if (code === 'session_missing') this.#standing.leave();
    this.#lock.heed(code, isOfMaking);
  }
}
