import { flushSync, mount, unmount, type Component } from 'svelte';
import { onTestFinished } from 'vitest';
import '../../../src/app.css';

/**
 * A component on an empty page, in the app's styles, until the test ends. What it does at once has been done.
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
  const mounted = mount(component, { target, props, context });
  // Of each test, and not `afterEach`: this module is read once for several files.
  onTestFinished(async () => {
    await unmount(mounted);
    document.body.replaceChildren();
  });
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
