import { getContext, setContext } from 'svelte';

/** A sentence for the ear. `number`: which one it is; a later one has a higher. */
interface Said {
  readonly text: string;
  readonly number: number;
}

/**
 * What is said to all of the page, wherever somebody is in it. A dialog makes everything below it inert: what is
 * said there goes unheard, so each dialog has to say it itself.
 */
export interface Announcements {
  /** The latest milestone; its text is empty while the next one is coming. */
  readonly said: Said;
  /** What the page warns of, the oldest first. */
  readonly alarms: readonly Said[];
  /** The page warns of something. @returns takes it back */
  raise(text: string): () => void;
}

const KEY = Symbol('announcements');

/** Hands them to all components within the one that is being made. */
export function setAnnouncements(announcements: Announcements): void {
  setContext(KEY, announcements);
}

/** Those of the page; undefined where a component stands alone. */
export function getAnnouncements(): Announcements | undefined {
  return getContext<Announcements | undefined>(KEY);
}
