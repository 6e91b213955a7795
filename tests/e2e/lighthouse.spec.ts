import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import lighthouse, { desktopConfig } from 'lighthouse';
import { chromiumPath, CHROMIUM_ARGS } from '../support/chromium.mjs';
import { inLongForm } from '../support/long-form.ts';
import { startStack, type Stack } from '../support/stack.ts';

// What Lighthouse says of the first visit, in a Chromium of its own. Its word on speed is printed and not asserted: it
// depends on what else the machine does.

const PHONE = ['phone', undefined] as const;
const LAPTOP = ['laptop', desktopConfig] as const;

const profile = mkdtempSync(join(tmpdir(), 'halfkey-lighthouse-'));
let stack: Stack;
test.beforeAll(async () => {
  stack = await startStack();
});
test.afterAll(async () => {
  await stack.stop();
  rmSync(profile, { recursive: true, force: true });
});

inLongForm(test)('Lighthouse finds nothing to mend but speed, which it tells', async () => {
  const args = [...CHROMIUM_ARGS, '--headless', '--remote-debugging-port=0', `--user-data-dir=${profile}`];
  const chromium = spawn(chromiumPath(), args, { stdio: 'ignore' });
  const ended = new Promise((resolve) => chromium.once('exit', resolve));
  try {
    const portFile = join(profile, 'DevToolsActivePort');
    await expect.poll(() => existsSync(portFile)).toBe(true);
    const port = Number(readFileSync(portFile, 'utf8').split('\n')[0]);
    for (const [screen, config] of [PHONE, LAPTOP]) {
      const result = await lighthouse(stack.origin, { port, logLevel: 'error' }, config);
      const scores = Object.fromEntries(
        Object.entries(result?.lhr.categories ?? {}).map(([id, { score }]) => [
          id,
          Math.round(100 * (score ?? 0)),
        ]),
      );
      console.log(screen, scores);
      expect(scores).toMatchObject({ accessibility: 100, 'best-practices': 100, seo: 100 });
    }
  } finally {
    chromium.kill();
    await ended;
  }
});
