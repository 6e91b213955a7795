import type { IconName } from './icons.ts';

/** One line of a menu. */
export interface MenuItem {
  readonly label: string;
  /** What stands together, and what that is about: only one of it is chosen. */
  readonly group?: string;
  /** Of a choice. */
  readonly isChosen?: boolean;
  /** Absent in a choice: what is chosen has a tick. */
  readonly icon?: IconName;
  readonly danger?: boolean;
  readonly onselect: () => void;
}

/** Where a menu opens, in the window's pixels: beside a button, or at the pointer. */
export interface MenuPlace {
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** What has opened it, and gets the focus back. */
  readonly trigger: HTMLElement;
}

/** Beside what opens it. */
export function beside(trigger: HTMLElement): MenuPlace {
  const { right, top, bottom } = trigger.getBoundingClientRect();
  return { right, top, bottom, trigger };
}
