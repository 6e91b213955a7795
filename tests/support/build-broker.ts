import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Folder that holds `broker.js` and `local-cloud.js`, bundled from the tree under test. */
    brokerDist: string;
  }
}

/** Bundles the broker and the local cloud once for a run, so that tests can start, and kill, real processes. */
export default async function buildBroker(project: TestProject): Promise<() => void> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  // Inside the project, so that the bundles find node_modules.
  const outDir = mkdtempSync(join(root, 'node_modules', '.halfkey-test-'));
  await build({
    root,
    configFile: join(root, 'vite.broker.config.ts'),
    logLevel: 'error',
    build: { outDir, emptyOutDir: false },
  });
  project.provide('brokerDist', outDir);
  return () => {
    rmSync(outDir, { recursive: true, force: true });
  };
}
