import type { Failure } from './failure.ts';
import type { NoArguments } from './no-arguments.ts';

// A session on this device: signing up and in, the lock, and what it asks for at each start.

/** What stands for the second factor. `code`: six digits; `backupCode`: 16 characters of base32, dashes allowed. */
export type Factor = { readonly code: string } | { readonly backupCode: string };

/** Where this device stands. `starting` until the worker has looked into its store. */
export type Phase =
  | { readonly phase: 'starting' }
  | { readonly phase: 'signed-out' }
  /**
   * Signed in, but the passphrase is asked for at each start, and after each lock: names are closed too until it was
   * typed.
   */
  | { readonly phase: 'closed' }
  | { readonly phase: 'locked' }
  /** `expiresAtMs` in this device's clock. */
  | { readonly phase: 'open'; readonly expiresAtMs: number; readonly releases: number };

export interface SessionCommands {
  /**
   * First of all: restores what is stored on the device. Lists what the browser lacks by failing with `browser_lacks`.
   */
  boot: { args: NoArguments; result: Phase };
  /**
   * Before anybody types anything: whether files can be kept on this device until they are uploaded. `storage_refused`.
   */
  'sign-up/check': { args: NoArguments; result: void };
  'sign-up/start': {
    args: { userName: string; passphrase: string };
    result: { totpSecret: string; otpauthUri: string };
  };
  /** The first code. Account, keyring and vault exist when this is answered; phase `open` follows. */
  'sign-up/verify': {
    args: { code: string };
    /** `headPhrase`: the journal's head for the kit to print, FORMAT.md §11.6. */
    result: { recoveryWords: string[]; backupCodes: string[]; headPhrase: string };
  };
  /**
   * 0 (refused) to 4; `bits` is the guessed entropy. The rule that sign-up and recovery apply: below 2 is
   * `passphrase_weak`.
   */
  'passphrase/judge': { args: { passphrase: string; userName: string }; result: { score: number } };
  'passphrase/generate': { args: NoArguments; result: { passphrase: string } };
  'sign-in/start': { args: { userName: string; passphrase: string }; result: void };
  /**
   * Between `start` and `code`, for somebody who has neither authenticator nor backup codes: how long is still to wait,
   * or, once it is over, what to pair another authenticator with, whose first code is sent by `sign-in/code`.
   * `recovery_words_malformed`, `recovery_refused`.
   */
  'sign-in/reset-factor': {
    args: { words: string };
    result: { waitSeconds: number } | { totpSecret: string; otpauthUri: string };
  };
  'sign-in/code': { args: { factor: Factor }; result: void };
  /** No other authenticator is paired without a code, unless it is asked for again. */
  'factor-reset/stop': { args: NoArguments; result: void };
  /** Kit, new passphrase and code at once; phase `open` follows. */
  recover: { args: { words: string; passphrase: string; factor: Factor }; result: void };
  /** @param args.files that the code was typed for: what opens them comes with it */
  unlock: { args: { factor: Factor; files?: readonly string[] }; result: void };
  lock: { args: NoArguments; result: void };
  'sign-out': { args: NoArguments; result: void };
  /** Wakes the idle timer, of all tabs; the page sends it on input while open or locked, at most every ten seconds. */
  active: { args: NoArguments; result: void };
  /** Whether single letters do something on this device. */
  'letter-keys/read': { args: NoArguments; result: { isOn: boolean } };
  'letter-keys/write': { args: { isOn: boolean }; result: void };
  /** Whether this device asks for the passphrase at each start. */
  'start/read': { args: NoArguments; result: { asksPassphrase: boolean } };
  /** Turning it on wants the passphrase, checked against the account before anything changes. `passphrase_wrong`. */
  'start/write': { args: { passphrase?: string }; result: void };
  /**
   * In phase `closed`: opens what is stored here. Works offline. `passphrase_wrong`, with the seconds to wait when
   * there were several; `too_many_requests` before they are over. Then `locked` follows.
   */
  'start/open': { args: { passphrase: string }; result: void };
}

/** What the worker says by itself. */
export type SessionReport =
  | { readonly kind: 'phase'; readonly phase: Phase }
  /** Whether the broker answers; the list stays readable without it. */
  | { readonly kind: 'connection'; readonly online: boolean }
  /**
   * The code that was accepted last has opened, or made, as many keys as one may: what is left of the work wants
   * another.
   */
  | { readonly kind: 'code-spent' }
  /** Something found by itself that people must know: `rollback`, `fork`, `journal_corrupt`… Writing has stopped. */
  | { readonly kind: 'alarm'; readonly failure: Failure };
