/* eslint-disable no-restricted-properties -- the one question about storage that a browser lets a page ask, and no worker */

/** Whether the browser has promised not to evict what is stored here. */
async function isKept(): Promise<boolean> {
  return 'persist' in navigator.storage && (await navigator.storage.persisted());
}

/**
 * Asks for that promise. Chromium and Safari decide by themselves, Firefox asks the person.
 * @returns whether it is given
 */
export async function askToKeep(): Promise<boolean> {
  return 'persist' in navigator.storage && (await navigator.storage.persist());
}

/** The same where it was not turned down before: for asking without having been told to. */
export async function askToKeepOnce(): Promise<void> {
  if (await isKept()) return;
  const permission = await navigator.permissions.query({ name: 'persistent-storage' }).catch(() => undefined);
  if (permission?.state !== 'denied') await askToKeep();
}
