import { HalfkeyError } from '../errors.ts';
import { hiddenIn } from '../shown-name.ts';
import type { Commands } from '../protocol/commands.ts';
import type { Factor, Phase } from '../protocol/session.ts';
import type { VoidChanges } from '../protocol/drive.ts';
import type { Failure } from '../protocol/failure.ts';
import { failureOf, type CryptoWorker } from '../platform/crypto-worker.ts';

/** The idle timer wants to hear of input, but not of each key. */
const ACTIVE_EVERY_MS = 10_000;

/** Who is here and whether the drive is open; signing up, in, back in, and out. */
export class Session {
  readonly #worker: CryptoWorker;
  #phase = $state.raw<Phase>({ phase: 'starting' });
  #online = $state.raw(true);
  #alarm = $state.raw<Failure | undefined>();
  #lastHeardMs = $state.raw<number | undefined>();
  #voidChanges = $state.raw<readonly VoidChanges[]>([]);
  #cannotStart = $state.raw<Failure | undefined>();
  #held = $state.raw(false);
  #ended = $state.raw(false);
  #isLeaving = $state.raw(false);
  #lastActiveMs = 0;

  constructor(worker: CryptoWorker) {
    this.#worker = worker;
  }

  get phase(): Phase {
    return this.#phase;
  }

  get signedIn(): boolean {
    return this.#phase.phase === 'open' || this.#phase.phase === 'locked';
  }

  /** Whether an account is on this device, but has to type the passphrase before anything is shown. */
  get isClosed(): boolean {
    return this.#phase.phase === 'closed';
  }

  /** Whether the broker answers. */
  get online(): boolean {
    return this.#online;
  }

  /** Something found by itself that people must know; it stays until the page is loaded anew. */
  get alarm(): Failure | undefined {
    return this.#alarm;
  }

  /**
   * When another device of this person's was heard of last, if that is so long ago that only they can say why; ms since
   * 1970.
   */
  get lastHeardMs(): number | undefined {
    return this.#lastHeardMs;
  }

  /** Why there is nothing to show at all. */
  get cannotStart(): Failure | undefined {
    return this.#cannotStart;
  }

  /** While held, the page stays although its reader is signed in: the kit is in sight, or the halves are joining. */
  get held(): boolean {
    return this.#held;
  }

  /** Whether this device was signed out, and not by the person at it. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether the person at it is signing out, until the page is loaded anew. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
  }

  apply(phase: Phase): void {
    const wasIn = this.signedIn || this.isClosed;
    if (phase.phase === 'signed-out') this.#ended ||= wasIn && !this.#isLeaving;
    else this.#ended = false;
    this.#phase = phase;
  }

  connect(online: boolean): void {
    this.#online = online;
  }

  raise(alarm: Failure): void {
    this.#alarm = alarm;
  }

  /** Changes that came and count for nothing; none once somebody has seen that. */
  get voidChanges(): readonly VoidChanges[] {
    return this.#voidChanges;
  }

  hearOfVoid(changes: readonly VoidChanges[]): void {
    this.#voidChanges = changes;
  }

  /** @param lastHeardMs undefined once somebody has seen it, or another device is heard of */
  hearOfNobodySince(lastHeardMs: number | undefined): void {
    this.#lastHeardMs = lastHeardMs;
  }

  async boot(): Promise<void> {
    try {
      this.#phase = await this.#worker.send('boot', {});
    } catch (error) {
      this.#cannotStart = failureOf(error);
    }
  }

  /**
   * Before anybody types anything.
   * @throws {HalfkeyError} `storage_refused` where an account could keep nothing, as in private windows
   */
  checkForSignUp(): Promise<void> {
    return this.#worker.send('sign-up/check', {});
  }

  /**
   * @throws {HalfkeyError} `name_malformed` for a name with something in it that cannot be seen, and as the broker
   * refuses
   */
  async signUp(userName: string, passphrase: string): Promise<{ totpSecret: string; otpauthUri: string }> {
    if (hiddenIn(userName).length > 0) {
      throw new HalfkeyError('name_malformed', 'the user name has characters in it that cannot be seen');
    }
    return this.#worker.send('sign-up/start', { userName, passphrase });
  }

  /** The first code makes the account. Held until the kit has been left. */
  async activate(code: string): Promise<Commands['sign-up/verify']['result']> {
    this.hold();
    try {
      return await this.#worker.send('sign-up/verify', { code });
    } catch (error) {
      this.release();
      throw error;
    }
  }

  signIn(userName: string, passphrase: string): Promise<void> {
    return this.#worker.send('sign-in/start', { userName, passphrase });
  }

  confirmSignIn(factor: Factor): Promise<void> {
    return this.#worker.send('sign-in/code', { factor });
  }

  /**
   * For somebody who has neither authenticator nor backup codes; `confirmSignIn` takes the first code of the one that
   * is paired then.
   */
  resetFactor(words: string): Promise<Commands['sign-in/reset-factor']['result']> {
    return this.#worker.send('sign-in/reset-factor', { words });
  }

  recover(words: string, passphrase: string, factor: Factor): Promise<void> {
    return this.#worker.send('recover', { words, passphrase, factor });
  }

  /** 0 (refused) to 4. */
  async judge(passphrase: string, userName: string): Promise<number> {
    return (await this.#worker.send('passphrase/judge', { passphrase, userName })).score;
  }

  async generate(): Promise<string> {
    return (await this.#worker.send('passphrase/generate', {})).passphrase;
  }

  /**
   * Opens what is stored on a device that asks for the passphrase at each start.
   * @throws {HalfkeyError} `passphrase_wrong`
   */
  openAtStart(passphrase: string): Promise<void> {
    return this.#worker.send('start/open', { passphrase });
  }

  lock(): Promise<void> {
    return this.#worker.send('lock', {});
  }

  /**
   * Wipes the device. The page is loaded anew then, and with it goes the worker and all that it ever held in memory.
   */
  async signOut(): Promise<void> {
    this.#isLeaving = true;
    try {
      await this.#worker.send('sign-out', {});
    } catch (error) {
      this.#isLeaving = false;
      throw error;
    }
    location.replace('/');
  }

  /** Somebody is here: keeps an open drive from locking itself, and a locked one from closing. */
  touch(nowMs: number): void {
    if (!this.signedIn || nowMs - this.#lastActiveMs < ACTIVE_EVERY_MS) return;
    this.#lastActiveMs = nowMs;
    // A worker that cannot hear this locks the drive by itself, which is the safe side.
    this.#worker.send('active', {}).catch(() => undefined);
  }
}
