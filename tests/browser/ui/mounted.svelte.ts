import { flushSync, mount, unmount, type Component } from 'svelte';
import { afterEach } from 'vitest';
import '../../../src/app.css';

const mounted = new Set<Record<string, unknown>>();

afterEach(async () => {
  for (const component of mounted) await unmount(component);
  mounted.clear();
  document.body.replaceChildren();
});

/**
 * A component on an empty page, in the app's styles. What it does at once has been done.
 * @param context as its parents would have set it
 * @returns what it stands in
 */
export function mounts<Props extends Record<string, unknown>>(
  component: Component<Props>,
  props: Props,
  context = new Map<unknown, unknown>(),
): HTMLElement {
  const target = document.createElement('div');
  document.body.append(target);
  mounted.add(mount(component, { target, props, context }));
  flushSync();
  return target;
}

/** Props that a test changes after the component was mounted: `flushSync` brings what follows from it. */
export function changing<Props extends Record<string, unknown>>(props: Props): Props {
  const reactive = $state(props);
  return reactive;
}

/** What an element says to the eye: without what is there for screen readers alone. */
export function seen(element: Element | null): string {
  const copy = element?.cloneNode(true) as Element | undefined;
  for (const unseen of copy?.querySelectorAll('.unseen') ?? []) unseen.remove();
  return (copy?.textContent ?? '').replaceAll(/\s+/g, ' ').trim();
}
