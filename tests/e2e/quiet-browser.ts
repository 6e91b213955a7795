import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { chromium, type Page } from '@playwright/test';
import { converse } from '../bench/cdp.ts';
import { chromiumPath, CHROMIUM_ARGS } from '../support/chromium.mjs';

/**
 * A Chromium that a test tool can be attached to and detached from. While it is attached it copies every request and
 * response for its own use, and what is measured then is the tool's memory, not the app's.
 */
export interface QuietBrowser {
  /** @param use gets the only page; afterwards nothing but an idle pipe is attached */
  attached<Result>(use: (page: Page) => Promise<Result>): Promise<Result>;
  /** Picks a file while nothing is attached, as a person would. @param selector of an `<input type=file>` */
  pick(selector: string, path: string): Promise<void>;
  /** Runs an expression in the page while nothing is attached. */
  evaluate(expression: string): Promise<unknown>;
  close(): Promise<void>;
}

export async function startQuietBrowser(
  url: string,
  profileFolder: string,
  downloadPath: string,
): Promise<QuietBrowser> {
  const flags = [
    '--headless=new',
    '--remote-debugging-pipe',
    '--remote-debugging-port=0',
    `--user-data-dir=${profileFolder}`,
  ];
  const browser = spawn(chromiumPath(), [...CHROMIUM_ARGS, ...flags, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const send = converse(browser.stdio[3] as Writable, browser.stdio[4] as Readable);
  const { targetId } = await send('Target.createTarget', { url });
  const address = `http://127.0.0.1:${await debuggingPort(join(profileFolder, 'DevToolsActivePort'))}`;
  async function inPage<Result>(
    use: (ask: (method: string, params: object) => ReturnType<typeof send>) => Promise<Result>,
  ) {
    const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
    const result = await use((method, params) => send(method, params, String(sessionId)));
    await send('Target.detachFromTarget', { sessionId });
    return result;
  }

  return {
    async attached(use) {
      const tool = await chromium.connectOverCDP(address);
      try {
        const page = tool
          .contexts()[0]
          ?.pages()
          .find((each) => each.url().startsWith(url));
        if (!page) throw new Error('expected the page that was opened');
        return await use(page);
      } finally {
        await tool.close();
        await send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath });
      }
    },
    pick: (selector, path) =>
      inPage(async (ask) => {
        const { result } = await ask('Runtime.evaluate', {
          expression: `document.querySelector('${selector}')`,
        });
        const { objectId } = result as { objectId: string };
        await ask('DOM.setFileInputFiles', { files: [path], objectId });
      }),
    evaluate: (expression) =>
      inPage(async (ask) => {
        const { result } = await ask('Runtime.evaluate', {
          expression,
          awaitPromise: true,
          returnByValue: true,
        });
        return (result as { value?: unknown }).value;
      }),
    async close() {
      const ended = new Promise((resolve) => browser.once('exit', resolve));
      void send('Browser.close', {}).catch(() => undefined);
      await ended;
    },
  };
}

async function debuggingPort(file: string): Promise<string> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const [port = ''] = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
    if (port) return port;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the browser named no port');
}
