import { tick } from 'svelte';

/** Another step has taken the page: it is read from its top, and the focus is on it, unless a field of it has taken that. */
export async function beginStep(): Promise<void> {
  await tick();
  if (document.activeElement === document.body) {
    document.querySelector('main')?.focus({ preventScroll: true });
  }
  scrollTo(0, 0);
}
