import { getContext, setContext } from 'svelte';

/** The drive's lock, for whatever lies over the drive: what covers the page must not cover this. */
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

/** The lock of the drive that lies below; undefined where none does, as before signing in. */
export function getLockControl(): LockControl | undefined {
  return getContext<LockControl | undefined>(KEY);
}
