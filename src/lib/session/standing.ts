import type { Drive } from '../drive/view.ts';
import { HalfkeyError } from '../errors.ts';
import type { Phase } from '../protocol/session.ts';
import { restore, type ActivatedAccount, type ActivationDeps } from './activation.ts';
import type { LocalAccount } from './device-store.ts';
import type { GrantLock } from './grant-lock.ts';
import { OpenAccount, type OpenAccountDeps } from './open-account.ts';
import type { SessionReporter } from './session-reporter.ts';

/** A device without a copy of the journal waits for the broker before it can show anything. */
const REOPEN_MS = 5_000;

export interface StandingDeps {
  readonly lock: GrantLock;
  readonly reporter: SessionReporter;
  /** What opening an account takes. */
  readonly around: ActivationDeps & OpenAccountDeps;
  /** Another drive is looked at from now on; undefined when nobody is signed in, or the passphrase is asked for. */
  readonly onDrive: (drive: Drive | undefined) => void;
  /** Nothing that is open stays open. */
  readonly onLockNow: () => void;
}

/** Where this device stands between signed out, closed, locked and open, and the account that is open then. */
export class Standing {
  readonly #deps: StandingDeps;
  #current: 'starting' | 'signed-out' | 'closed' | 'signed-in' = 'starting';
  #openAccount: OpenAccount | undefined;
  /** At home here, but the journal is not open yet. */
  #awaited: LocalAccount | undefined;

  constructor(deps: StandingDeps) {
    this.#deps = deps;
  }

  get current(): 'starting' | 'signed-out' | 'closed' | 'signed-in' {
    return this.#current;
  }

  get phase(): Phase {
    if (this.#current !== 'signed-in') return { phase: this.#current };
    const held = this.#deps.lock.grant.current;
    if (!held) return { phase: 'locked' };
    return { phase: 'open', expiresAtMs: held.expiresAtMs, releases: held.releases };
  }

  /** Undefined too before the journal was ever read. */
  get account(): OpenAccount | undefined {
    return this.#openAccount;
  }

  /**
   * @throws {HalfkeyError} `session_missing` when nobody is signed in, `locked` while the passphrase is asked for,
   *   `broker_unreachable` before the journal was ever read
   */
  requireAccount(): OpenAccount {
    if (this.#openAccount) return this.#openAccount;
    if (this.#current === 'closed') throw new HalfkeyError('locked', 'the passphrase is asked for first');
    if (this.#current !== 'signed-in') throw new HalfkeyError('session_missing', 'nobody is signed in');
    throw new HalfkeyError('broker_unreachable', 'the journal was never read on this device');
  }

  /** Nothing was open before. */
  begin(standing: 'signed-out' | 'closed'): void {
    this.#stand(standing);
  }

  /** Opens the journal that is stored here; where there is none, as soon as the broker answers. */
  async restore(localAccount: LocalAccount): Promise<void> {
    this.#stand('signed-in');
    this.#deps.lock.watch();
    this.#awaited = localAccount;
    // Somebody may sign out, or in with another account, meanwhile.
    const isAwaited = () => this.#awaited === localAccount;
    try {
      const activated = await restore(localAccount, this.#deps.around);
      if (isAwaited()) this.settle(activated);
    } catch (error) {
      if (!isAwaited()) return;
      if (!(error instanceof HalfkeyError) || error.family !== 'unreachable') this.failed(error);
      else setTimeout(() => isAwaited() && void this.restore(localAccount), REOPEN_MS);
    }
  }

  /** Signed in, with this account open. */
  settle(activated: ActivatedAccount): void {
    const { lock, reporter, around, onDrive } = this.#deps;
    this.#awaited = undefined;
    lock.keepOpen();
    this.#openAccount?.close();
    const openAccount = new OpenAccount(activated, around);
    this.#openAccount = openAccount;
    reporter.forgetAlarm();
    const { journal } = openAccount.drive;
    journal.onChange(() => {
      if (journal.problem) this.failed(journal.problem);
    });
    onDrive(openAccount.drive);
    lock.watch();
    this.#stand('signed-in');
    if (journal.problem) this.failed(journal.problem);
  }

  /** The session is over, here or at the broker. What is stored on the device stays; signing out wipes it besides. */
  leave(): void {
    if (this.#current === 'signed-in' || this.#current === 'closed') this.#vacate('signed-out');
  }

  /** The passphrase is asked for from now on. */
  close(): void {
    if (this.#current === 'signed-in') this.#vacate('closed');
  }

  /** A failure that no command led to, and that trying again does not mend. */
  failed(error: unknown): void {
    if (error instanceof HalfkeyError && error.code === 'session_missing') this.leave();
    else this.#deps.reporter.alarm(error);
  }

  /** Lets go of every key. */
  #vacate(standing: 'signed-out' | 'closed'): void {
    this.#deps.lock.stop();
    this.#openAccount?.close();
    this.#openAccount = undefined;
    this.#awaited = undefined;
    this.#deps.onLockNow();
    this.#deps.onDrive(undefined);
    this.#stand(standing);
  }

  #stand(standing: 'signed-out' | 'closed' | 'signed-in'): void {
    this.#current = standing;
    this.#deps.reporter.phase(this.phase);
  }
}
