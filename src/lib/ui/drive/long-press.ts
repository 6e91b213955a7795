/** As long as the systems of phones take it. */
const LONG_MS = 500;
/** A finger is never quite still. */
const STILL_PX = 10;

/**
 * For what is touched and held. The click that follows means nothing then, and the menu that some browsers open at a
 * long press stays closed; iOS tells of neither.
 * @param onpress gets what is held
 */
export function longPress(onpress: (target: Element) => void): (element: HTMLElement) => () => void {
  return (element) => {
    let at: { readonly x: number; readonly y: number; readonly target: Element } | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isTouched = false;
    let isSpent = false;

    const stop = () => {
      clearTimeout(timer);
      at = undefined;
    };
    const press = () => {
      const held = at?.target;
      stop();
      if (!held) return;
      isSpent = true;
      onpress(held);
    };
    const listeners = {
      pointerdown: ({ pointerType, isPrimary, clientX, clientY, target }: PointerEvent) => {
        stop();
        isTouched = pointerType === 'touch';
        isSpent = false;
        if (!isTouched || !isPrimary) return;
        at = { x: clientX, y: clientY, target: target as Element };
        timer = setTimeout(press, LONG_MS);
      },
      pointermove: ({ clientX, clientY }: PointerEvent) => {
        if (at && Math.hypot(clientX - at.x, clientY - at.y) > STILL_PX) stop();
      },
      pointerup: stop,
      pointercancel: stop,
      scroll: stop,
      contextmenu: (event: MouseEvent) => {
        if (!isTouched) return;
        event.preventDefault();
        event.stopPropagation();
        press();
      },
      click: (event: MouseEvent) => {
        if (!isSpent) return;
        isSpent = false;
        event.preventDefault();
        event.stopPropagation();
      },
    };
    const all = Object.entries(listeners) as [string, EventListener][];
    for (const [type, listener] of all) element.addEventListener(type, listener, { capture: true });
    return () => {
      stop();
      for (const [type, listener] of all) element.removeEventListener(type, listener, { capture: true });
    };
  };
}
