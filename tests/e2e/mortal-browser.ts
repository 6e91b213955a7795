import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from '@playwright/test';
import { CHROMIUM_ARGS, headlessChromiumPath } from '../support/chromium.mjs';

/** A Chromium that can be killed with all its processes, and started again on the profile that it left. */
export interface MortalBrowser {
  /** Starts it and opens a page. */
  start(): Promise<Page>;
  /** Ends it in peace: what it has in memory, the session's cookie for one, is on the disk then. */
  quit(): Promise<void>;
  /** SIGKILL: no last words. */
  kill(): Promise<void>;
  /** Kills it and removes the profile. */
  remove(): Promise<void>;
}

/**
 * Picks a file as a person does: the browser reads it itself. (Over a connection like this one the tool would send it
 * along.)
 */
export async function pickFile(page: Page, path: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const expression = `document.querySelector('input[type=file]')`;
  const { result } = await session.send('Runtime.evaluate', { expression });
  if (result.objectId === undefined) throw new Error('expected a field for files');
  await session.send('DOM.setFileInputFiles', { files: [path], objectId: result.objectId });
  await session.detach();
}

export function createMortalBrowser(): MortalBrowser {
  const profile = mkdtempSync(join(tmpdir(), 'halfkey-profile-'));
  let running: ChildProcess | undefined;
  let quit = () => Promise.resolve();

  async function kill(): Promise<void> {
    const browser = running;
    running = undefined;
    if (browser?.pid === undefined || browser.exitCode !== null) return;
    const ended = new Promise((resolve) => browser.once('exit', resolve));
    process.kill(-browser.pid, 'SIGKILL'); // Its whole group: renderers and services too.
    await ended;
  }

  return {
    async start() {
      const portFile = join(profile, 'DevToolsActivePort');
      rmSync(portFile, { force: true });
      const flags = ['--headless=new', '--remote-debugging-port=0', `--user-data-dir=${profile}`];
      running = spawn(headlessChromiumPath(), [...CHROMIUM_ARGS, ...flags, 'about:blank'], {
        detached: true,
        stdio: 'ignore',
      });
      const tool = await chromium.connectOverCDP(`http://127.0.0.1:${await portIn(portFile)}`);
      quit = async () => {
        const session = await tool.newBrowserCDPSession();
        await session.send('Browser.close').catch(() => undefined); // It may be gone before it answers.
      };
      const context = tool.contexts()[0];
      if (!context) throw new Error('expected the browser to have a context');
      return context.pages()[0] ?? context.newPage();
    },
    async quit() {
      const browser = running;
      running = undefined;
      const ended = new Promise((resolve) => browser?.once('exit', resolve));
      await quit();
      await ended;
    },
    kill,
    async remove() {
      await kill();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function portIn(file: string): Promise<string> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const [port = ''] = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
    if (port) return port;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the browser named no port');
}
