import { tick } from 'svelte';

/**
 * For the heading of a page or step: it takes the focus if what had it is gone. A field of the step may still take it
 * over.
 */
export function takeLostFocus(heading: HTMLElement): void {
  if (document.activeElement === document.body) heading.focus({ preventScroll: true });
}

/** Another step has taken the page: it is read from its top. */
export async function beginStep(): Promise<void> {
  await tick();
  scrollTo(0, 0);
}
