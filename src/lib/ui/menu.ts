import type { IconName } from './icons.ts';

/** One line of a menu. */
export interface MenuItem {
  readonly label: string;
  readonly icon: IconName;
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
