import { defineConfig } from '@playwright/test';
import { CHROMIUM_ARGS, headlessChromiumPath } from './tests/support/chromium.mjs';

// The pinned SDK runs on Node 20; without this it warns in every process.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

// By the locale Chromium reads names on the disk: without one, a file with another letter than ASCII's in its name is not found.
process.env['LC_ALL'] ??= 'C.UTF-8';

/** End to end: the built app in Chromium, the real broker and the real local cloud. Every file starts a stack of its own. */
export default defineConfig({
  testDir: 'tests/e2e',
  outputDir: 'test-results/e2e',
  globalSetup: './tests/e2e/quick-app.ts',
  timeout: 300_000,
  expect: { timeout: 20_000 },
  workers: 2,
  fullyParallel: false,
  forbidOnly: true,
  // Real clocks and real processes on a machine that may stall: what fails twice is a defect, what fails once is printed as flaky.
  retries: 1,
  reporter: [['list']],
  use: {
    launchOptions: { executablePath: headlessChromiumPath(), args: CHROMIUM_ARGS },
    viewport: { width: 1280, height: 800 },
    actionTimeout: 30_000,
    trace: 'off',
  },
});
