import { sessionRead } from '$contract/accounts.ts';
import { factorResetStop } from '$contract/factor-reset.ts';
import type { AccountId } from '$contract/ids.ts';
import { followEvents } from '../drive/events.ts';
import { HalfkeyError } from '../errors.ts';
import type { Database } from '../store/database.ts';
import { readEventHead, saveEventHead } from '../store/event-head.ts';
import type { ActivatedAccount } from './activation.ts';
import type { LocalAccount } from './device-store.ts';
import { membershipOf } from './entry/joining.ts';
import { OpenDrive, type OpenDriveDeps } from './open-drive.ts';
import type { SessionReporter } from './session-reporter.ts';

/** What the broker has to say of the account is asked for at each start, and then so often. */
const GREET_EVERY_MS = 60 * 60_000;

export interface OpenAccountDeps extends Omit<OpenDriveDeps, 'withAccount' | 'reporter'> {
  readonly reporter: OpenDriveDeps['reporter'] & Pick<SessionReporter, 'factorReset'>;
}

/**
 * An account while it is open here: session and events, checked against what was seen before, and the drive that it
 * has.
 */
export class OpenAccount {
  readonly localAccount: LocalAccount;
  readonly database: Database;
  readonly drive: OpenDrive;
  readonly #deps: OpenAccountDeps;
  readonly #greeting: ReturnType<typeof setInterval>;
  /** How often the broker was to be asked about the account, and which of these times it has answered. */
  #asked = 1;
  #answered = 0;
  #isClosed = false;

  constructor(activated: ActivatedAccount, deps: OpenAccountDeps) {
    this.localAccount = activated.localAccount;
    this.database = activated.database;
    this.#deps = deps;
    this.#greeting = setInterval(() => {
      this.lookAgain();
    }, GREET_EVERY_MS);
    const withAccount = (refreshJournal: () => Promise<void>) => this.#withAccount(refreshJournal);
    this.drive = new OpenDrive(activated, { ...deps, withAccount });
  }

  /** Asks the broker anew what it has to say of the account. */
  lookAgain(): void {
    this.#asked += 1;
    this.drive.sync();
  }

  /** @throws {HalfkeyError} of the family unreachable: the same again is fine */
  async stopFactorReset(): Promise<void> {
    await this.#deps.broker.call(factorResetStop, {});
    this.#deps.reporter.factorReset(undefined);
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#greeting);
    this.drive.close();
  }

  /** Names before events: what the broker has logged is for the alarm, and may be long. */
  async #withAccount(refreshJournal: () => Promise<void>): Promise<void> {
    const asked = this.#asked;
    const isDue = this.#answered < asked;
    if (isDue) await this.#greet();
    await refreshJournal();
    if (isDue) await this.#followEvents();
    this.#answered = asked; // Anyone who asked once more meanwhile has an answer still to come.
  }

  /** Sees that session and vault are what this device left. */
  async #greet(): Promise<void> {
    const { account, device } = this.localAccount;
    const session = await this.#deps.broker.call(sessionRead, {});
    if (session.account !== account.account || session.device !== device.id) {
      throw new HalfkeyError('session_missing', 'the session is of another account or device');
    }
    membershipOf(session.vaults, account.vault);
    if (!this.#isClosed) this.#deps.reporter.factorReset(session.factorReset);
  }

  /** Sees that the event log goes on from what this device has seen. */
  async #followEvents(): Promise<void> {
    const account = this.localAccount.account.account as AccountId;
    const head = await followEvents(this.#deps.broker, account, await readEventHead(this.database));
    if (head) await saveEventHead(this.database, head);
  }
}
