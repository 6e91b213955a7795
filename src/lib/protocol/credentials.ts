import type { NoArguments } from './no-arguments.ts';
import type { Factor } from './session.ts';

// What an account is opened with: passphrase, authenticator, backup codes, recovery words, devices.

/** A sheet of what is shown once at sign-up. */
export type KitPart = 'words' | 'backup-codes';

/**
 * When another authenticator was asked for, and from when on it can be paired; ms since 1970, by the broker's clock.
 */
export interface FactorReset {
  readonly askedAtMs: number;
  readonly dueAtMs: number;
}

/** Another device of the owner's. */
export interface OtherDevice {
  readonly device: string;
  /** What it called itself. */
  readonly name: string;
  /** By its own clock, ms since 1970; missing before it has spoken for the first time. */
  readonly lastHeardMs?: number;
}

/** How many uploads of a device wait for a code: those that came before a moment, and those since. */
export interface LeftUploads {
  readonly before: number;
  readonly since: number;
}

/** Something that another device did to the list. */
export interface DeviceDeed {
  readonly kind: 'added' | 'replaced' | 'renamed' | 'moved' | 'deleted' | 'restored' | 'tagged';
  /** What the file or folder was called before, where it is known. */
  readonly name?: string;
  /** What it was called from then on. */
  readonly newName?: string;
  /** By that device's clock, ms since 1970. */
  readonly atMs?: number;
}

export interface CredentialCommands {
  /**
   * Passphrase and code once more: the commands of this kind work for ten minutes then, or until `lock`.
   * `passphrase_wrong`.
   */
  'credentials/prove': { args: { passphrase: string; factor: Factor }; result: void };
  /** Ten codes to be kept, as at sign-up. They count from `credentials/accept` on. */
  'credentials/backup-codes': { args: NoArguments; result: { backupCodes: string[] } };
  /** 24 words to be kept, alike. */
  'credentials/kit': { args: NoArguments; result: { recoveryWords: string[]; headPhrase: string } };
  /**
   * What was shown last is kept: it counts now, and what it replaces does no longer. May be sent again.
   * `keyring_changed`.
   */
  'credentials/accept': { args: NoArguments; result: void };
  /** The present authenticator stays good until a code of the new one was seen. */
  'credentials/authenticator': { args: NoArguments; result: { totpSecret: string; otpauthUri: string } };
  'credentials/authenticator-confirm': { args: { code: string }; result: void };
  /** Signs out all other devices. `passphrase_weak`, `keyring_changed`. */
  'credentials/passphrase': { args: { passphrase: string }; result: void };
  /** Those that can be signed out, in the order of their enrolment. */
  'credentials/devices': { args: NoArguments; result: { devices: readonly OtherDevice[] } };
  /**
   * What one did since a moment (ms since 1970): the newest 200 of `count`. `since`: the segment that
   * `credentials/revoke` takes to undo them; it is earlier rather than later, because only what other devices said
   * tells the time. Reads the whole log. `left`: uploads of it that wait in the inbox for a code.
   */
  'credentials/activity': {
    args: { device: string; sinceMs: number };
    result: { since: number; deeds: readonly DeviceDeed[]; count: number; left: LeftUploads };
  };
  /**
   * Signs one out for good: it comes back as a new one only. `since`: the segment from which on nothing counts that it
   * wrote; missing, all counts that it has written. `takeIn`: what it uploaded, and no code has taken in, is taken in
   * before nobody believes it any more: `locked` without a live code, and then it is signed out already. `doubtedMs`:
   * what it uploaded from then on (ms since 1970) is not taken in, but thrown away. May be sent again.
   */
  'credentials/revoke': {
    args: { device: string; since?: number; takeIn?: boolean; doubtedMs?: number };
    result: void;
  };
  /** Forgets what was proven. */
  'credentials/end': { args: NoArguments; result: void };
  /** Parts of the kit of an account that was made on this device, as long as nobody has said that they are kept. */
  'kit/read': { args: NoArguments; result: { unkept: readonly KitPart[] } };
  /** Somebody has these. */
  'kit/kept': { args: { parts: readonly KitPart[] }; result: void };
}

/**
 * The worker says by itself: somebody with passphrase and kit has asked for another authenticator without a code.
 * `pending` is undefined when that is over.
 */
export interface CredentialReport {
  readonly kind: 'factor-reset';
  readonly pending: FactorReset | undefined;
}
