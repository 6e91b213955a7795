// What a hostile script of the page runs. Each is sent to the browser as it stands, so none uses anything from outside
// itself.

/**
 * Everything that page and worker said to each other, as `heard` has kept it: bytes as Latin-1, files by their text.
 */
export const textsOfWhatWasHeard = async () => {
  const found: string[] = [];
  const visit = async (value: unknown): Promise<void> => {
    if (typeof value === 'string') found.push(value);
    else if (value instanceof CryptoKey) found.push('a CryptoKey');
    else if (value instanceof Blob) found.push(await value.text());
    else if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      const bytes = value instanceof ArrayBuffer ? new Uint8Array(value) : new Uint8Array(value.buffer);
      found.push(String.fromCharCode(...bytes));
    } else if (value !== null && typeof value === 'object')
      for (const inner of Object.values(value)) await visit(inner);
  };
  await visit((globalThis as unknown as { heard: unknown[] }).heard);
  return found;
};

/**
 * Tries to export each private or secret key that IndexedDB holds, in each format.
 * @returns the refusals' names, or `… exported`
 */
export const exportEveryKey = async () => {
  const keys: CryptoKey[] = [];
  const visit = (value: unknown): void => {
    if (value instanceof CryptoKey) keys.push(value);
    else if (value !== null && typeof value === 'object' && !ArrayBuffer.isView(value))
      Object.values(value).forEach(visit);
  };
  const database = await new Promise<IDBDatabase>((resolve) => {
    const opening = indexedDB.open('halfkey');
    opening.onsuccess = () => {
      resolve(opening.result);
    };
  });
  for (const store of database.objectStoreNames) {
    const reading = database.transaction(store).objectStore(store).getAll();
    await new Promise((resolve) => (reading.onsuccess = resolve));
    visit(reading.result);
  }
  database.close();
  const outcomes: string[] = [];
  for (const key of keys) {
    for (const format of ['raw', 'pkcs8', 'jwk', 'spki'] as const) {
      const outcome = await crypto.subtle.exportKey(format as 'raw', key).then(
        () => `${key.type} exported`,
        (error: unknown) => (error as Error).name,
      );
      if (key.type !== 'public') outcomes.push(outcome);
    }
  }
  return outcomes;
};

/** Names of all stores, files and items of the origin's storage that hold anything. */
export const namesOfWhatRests = async () => {
  const rows: string[] = [];
  for (const { name = '' } of await indexedDB.databases()) {
    const database = await new Promise<IDBDatabase>((resolve) => {
      const opening = indexedDB.open(name);
      opening.onsuccess = () => {
        resolve(opening.result);
      };
    });
    for (const store of database.objectStoreNames) {
      const counting = database.transaction(store).objectStore(store).count();
      await new Promise((resolve) => (counting.onsuccess = resolve));
      if (counting.result > 0) rows.push(`${name}/${store}`);
    }
    database.close();
  }
  const opfs = await navigator.storage.getDirectory();
  for await (const name of (opfs as unknown as { keys(): AsyncIterable<string> }).keys())
    rows.push(`opfs/${name}`);
  return [...rows, ...Object.keys(localStorage), ...Object.keys(sessionStorage)];
};
