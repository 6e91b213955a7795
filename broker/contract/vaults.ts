// All that is asked of a vault; each noun has its file, as in routes/.
export * from './vault-blobs.ts';
export * from './vault-events.ts';
export * from './vault-inbox.ts';
export * from './vault-keys.ts';
export * from './vault-log.ts';
