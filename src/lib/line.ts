/**
 * What some browsers say of the line: Chromium on Android says `type`, others only whether people want to save data.
 */
interface NetworkInformation extends EventTarget {
  readonly type?: string;
  readonly saveData?: boolean;
}

/**
 * Whether this line may be used, with a tab and without one.
 * @param wifiOnly what was chosen on this device; nothing is held up where the browser cannot tell
 */
export function isLineAllowed({ wifiOnly }: { readonly wifiOnly: boolean }): boolean {
  return !(wifiOnly && isMetered());
}

/** Whether the line costs people by the byte, as far as the browser says; false where it cannot tell. */
function isMetered(): boolean {
  const connection = networkInformation();
  return connection?.type === 'cellular' || connection?.saveData === true;
}

/** Whether this browser can tell a metered line, or a cellular one, from others. */
export function canTellLine(): boolean {
  const connection = networkInformation();
  return connection !== undefined && ('type' in connection || 'saveData' in connection);
}

/** Calls the listener when the line may be another. @returns a function that stops it */
export function onLineChange(listener: () => void): () => void {
  const connection = networkInformation();
  connection?.addEventListener('change', listener);
  globalThis.addEventListener('online', listener);
  return () => {
    connection?.removeEventListener('change', listener);
    globalThis.removeEventListener('online', listener);
  };
}

function networkInformation(): NetworkInformation | undefined {
  return (navigator as { readonly connection?: NetworkInformation }).connection;
}
