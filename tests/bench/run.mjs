// `npm run bench`: plain JavaScript, because it comes before the bundles. What is measured is in bench.ts.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildIfStale } from '../../broker/launch/build.mjs';
import { bin, installPackages } from '../../broker/launch/install.mjs';
import { root } from '../../broker/launch/root.mjs';

process.chdir(root);
installPackages();
const { installBrowsers } = await import('../support/install-browsers.mjs');
installBrowsers();
if (process.argv[2] === 'trips') process.exit(countTrips(process.argv.slice(3)));
buildIfStale('broker');
const { build } = await import('vite');
const here = join(root, 'tests', 'bench');
// Inside the project, so that what is left outside the bundles is found.
const out = mkdtempSync(join(root, 'node_modules', '.halfkey-bench-'));
try {
  const alias = { $contract: join(root, 'broker', 'contract') };
  /** @type {import('vite').InlineConfig} */
  const common = { configFile: false, logLevel: 'error', resolve: { alias } };
  // The AWS Encryption SDK wants Node's Buffer in browsers too.
  const buffer = fileURLToPath(import.meta.resolve('buffer/'));
  await build({
    ...common,
    root: join(here, 'page'),
    resolve: { alias: { ...alias, buffer } },
    worker: { format: 'es' },
    build: { outDir: join(out, 'page'), target: 'es2022', minify: false },
  });
  await build({
    ...common,
    root,
    publicDir: false,
    build: { ssr: join(here, 'bench.ts'), outDir: out, emptyOutDir: false, target: 'node20' },
  });
  const { status: outcome } = spawnSync(
    process.execPath,
    [join(out, 'bench.js'), join(out, 'page'), ...process.argv.slice(2)],
    { stdio: 'inherit' },
  );
  process.exitCode = outcome ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}

/**
 * What people wait for, counted: it is a test that prints, because the app is driven as the worker's tests drive it.
 * @param {string[]} words `--undelayed`: requests to the cloud take no longer than they do here
 * @returns {number} the exit code
 */
function countTrips(words) {
  const { status } = spawnSync(
    process.execPath,
    [bin('vitest', 'vitest.mjs'), '--run', 'tests/worker/trips.test.ts'],
    {
      stdio: 'inherit',
      env: { ...process.env, HALFKEY_TRIPS: words.includes('--undelayed') ? 'undelayed' : 'delayed' },
    },
  );
  return status ?? 1;
}
