import { IDBFactory } from 'fake-indexeddb';

// Files that share a process share its globals: each begins with no database of the one before.
if ('indexedDB' in globalThis) globalThis.indexedDB = new IDBFactory();
