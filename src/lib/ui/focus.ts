/** What can be pressed so that something opens. */
const CONTROLS = 'button, a[href], input, summary, [role=row]';

let pressed: WeakRef<HTMLElement> | undefined;

/**
 * Keeps in mind what was clicked: Safari does not focus a button then, and whatever it opens has to know where it came
 * from.
 */
export function notePress({ target }: MouseEvent): void {
  const control = target instanceof Element ? target.closest<HTMLElement>(CONTROLS) : null;
  pressed = control === null ? undefined : new WeakRef(control);
}

/** From here on the focus is where the keyboard is. */
export function forgetPress(): void {
  pressed = undefined;
}

/** Where somebody is who has just opened something. */
export function focusOrigin(): Element | null {
  const focused = document.activeElement;
  const control = pressed?.deref();
  // A browser that does not focus a button focuses what contains the button, or the page.
  return control?.isConnected && (focused === null || focused.contains(control)) ? control : focused;
}

/**
 * Gives the focus back to where it came from; if that is gone, as a row that was deleted, to the list, and to the page
 * without one.
 */
export function giveFocusBack(to: Element | null): void {
  const isThere = to !== null && to.isConnected && to !== document.body;
  const list = () =>
    document.querySelector('main [role=row][tabindex="0"]') ?? document.querySelector('main');
  const back = isThere ? to : list();
  if (back instanceof HTMLElement) back.focus();
}
