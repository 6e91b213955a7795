import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { isLongForm } from './tests/support/long-form.ts';
import { CHROMIUM_ARGS, findHeadlessChromium } from './tests/support/chromium.mjs';

const alias = {
  $contract: fileURLToPath(new URL('./broker/contract', import.meta.url)),
  $lib: fileURLToPath(new URL('./src/lib', import.meta.url)),
};

// The pinned SDK runs on Node 20; without this it warns in every process.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

/** Long, and about what comes of operations and not of keys: in Chromium too in the long form. */
const INDEPENDENT_OF_ENGINE = 'erased,fold,inbox-epochs,names,snapshot';

const tests = readdirSync(fileURLToPath(new URL('tests', import.meta.url)), { recursive: true })
  .map((path) => `tests/${String(path).replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.test.ts') && !/^tests\/(browser|hostile)\//.test(path));
const having = (pattern: RegExp) =>
  tests.filter((path) => pattern.test(readFileSync(new URL(path, import.meta.url), 'utf8')));

/** Tests that put other modules in the place of the product's: nobody else may get what they have read or left. */
const isolated = having(/\bvi\.(mock|doMock|resetModules)\(/);

/** Tests of the whole worker, in a Chromium that they drive. */
const inChromium = having(/^import .* from '\.\/(people|device|bare-stack)\.ts';$/m);

// This file is read for every project, also for those that need no browser: where there is none, only its own project fails.
const chromium = findHeadlessChromium();

export default defineConfig({
  resolve: { alias },
  test: {
    // Once for the run, whichever projects take part in it.
    globalSetup: ['tests/support/workshop.ts'],
    // Fixtures start processes and browsers, which takes a while on a busy machine.
    hookTimeout: 120_000,
    // By itself Vitest leaves one core to others: of two, half of the machine.
    maxWorkers: availableParallelism(),
    // Where nothing is kept in a module or a global, one process runs file after file and reads each module once (`isolate: false`).
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          isolate: false,
          setupFiles: ['tests/support/fresh-database.ts', 'tests/support/in-process-worker.ts'],
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/{broker,browser,e2e,hostile}/**', ...isolated, ...inChromium],
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'isolated',
          pool: 'threads',
          setupFiles: ['tests/support/in-process-worker.ts'],
          include: isolated,
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'worker',
          isolate: false,
          setupFiles: ['tests/support/in-process-worker.ts'],
          include: inChromium,
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'broker',
          isolate: false,
          include: ['tests/broker/**/*.test.ts'],
          exclude: isolated,
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          // Attacks, each of which has to end in a refusal: see docs/SECURITY.md.
          name: 'hostile',
          isolate: false,
          setupFiles: ['tests/support/in-process-worker.ts'],
          include: ['tests/hostile/**/*.test.ts'],
          testTimeout: 120_000,
        },
      },
      {
        extends: true,
        plugins: [svelte()],
        // Components as the browser gets them: by itself Vitest takes what Svelte has for servers.
        resolve: { conditions: ['browser'] },
        // Found in the middle of a run, it would load all of it anew.
        optimizeDeps: { include: ['uqr', 'virtua/svelte'] },
        test: {
          name: 'browser',
          isolate: false,
          // What rests on WebCrypto is run in both: Node's and Chromium's differ.
          include: ['tests/{adversarial,browser,crypto,inbox,journal}/**/*.test.ts'],
          exclude: [
            '**/*.node.test.ts',
            ...(isLongForm
              ? []
              : [`tests/journal/{${INDEPENDENT_OF_ENGINE}}.test.ts`, 'tests/adversarial/product.test.ts']),
          ],
          testTimeout: 60_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: { ...(chromium && { executablePath: chromium }), args: CHROMIUM_ARGS },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
});
