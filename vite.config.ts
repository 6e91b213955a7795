import { fileURLToPath } from 'node:url';
import { sveltekit } from '@sveltejs/kit/vite';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { chromiumPath, CHROMIUM_ARGS } from './tests/support/chromium.mjs';

const alias = {
  $contract: fileURLToPath(new URL('./broker/contract', import.meta.url)),
  $lib: fileURLToPath(new URL('./src/lib', import.meta.url)),
};

export default defineConfig({
  plugins: process.env['VITEST'] ? [] : [sveltekit()],
  worker: { format: 'es' },
  build: { target: 'es2022' },
  resolve: process.env['VITEST'] ? { alias } : {},
  test: {
    // Once for the run, whichever projects take part in it.
    globalSetup: ['tests/support/workshop.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/{broker,local,browser,e2e,hostile}/**'],
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'broker',
          include: ['tests/{broker,local}/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          // Attacks, each of which has to end in a refusal: see docs/SECURITY.md.
          name: 'hostile',
          include: ['tests/hostile/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          // What rests on WebCrypto is run in both: Node's and Chromium's differ.
          include: ['tests/{browser,crypto,inbox,journal}/**/*.test.ts'],
          exclude: ['**/*.node.test.ts'],
          testTimeout: 60_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: { executablePath: chromiumPath(), args: CHROMIUM_ARGS },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
});
