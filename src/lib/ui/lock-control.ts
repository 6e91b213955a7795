import { getContext, setContext } from 'svelte';

/** The drive's lock, for whatever covers the drive: what covers the page must not cover this. */
export interface LockControl {
  /** Until when the drive is open, in this device's clock; undefined when it is locked. */
  readonly openUntilMs: number | undefined;
  readonly lock: () => void;
  readonly unlock: () => void;
}

const KEY = Symbol('lock control');

/** Hands the lock to all dialogs within the component that is being made. */
export function setLockControl(control: LockControl): void {
  setContext(KEY, control);
}

/** The lock of the drive below; undefined where there is none, as before signing in. */
export function getLockControl(): LockControl | undefined {
  return getContext<LockControl | undefined>(KEY);
}
