// Runs the local cloud alone: `npm run local-cloud -- --data DIR --port N`. Plain JavaScript, because it comes before the bundle.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bundle = join(root, 'dist', 'local-cloud.js');

if (!existsSync(bundle)) {
  const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin', 'vite.js');
  const build = spawnSync(
    process.execPath,
    [vite, 'build', '--config', 'vite.broker.config.ts', '--logLevel', 'error'],
    {
      cwd: root,
      // Standard output is the one line of JSON's.
      stdio: ['ignore', 2, 2],
    },
  );
  if (build.status !== 0) process.exit(build.status ?? 1);
}

await import(bundle);
