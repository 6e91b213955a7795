import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { chromiumPath, CHROMIUM_ARGS } from '../support/chromium.mjs';
import { converse } from './cdp.ts';

const READY_MS = 30_000;

/**
 * A page in a Chromium that nothing but a pipe of CDP is attached to: a test tool's network tap would slow bodies
 * thirtyfold.
 */
export interface BenchPage {
  /** The browser's, as it names itself. */
  readonly version: string;
  /** Its processes are found by this folder. */
  readonly profileFolder: string;
  /** Calls a function of `globalThis.bench`; its promise is awaited, and the value comes back by JSON. */
  call<Result>(name: string, args?: object): Promise<Result>;
  /** Picks a file in the page's input, as a person would. */
  pick(path: string): Promise<void>;
  /** The page from the start again: no worker, no buffer of before. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** @param url of the bench's page */
export async function openBenchPage(url: string, profileFolder: string): Promise<BenchPage> {
  const flags = ['--headless=new', '--remote-debugging-pipe', `--user-data-dir=${profileFolder}`];
  const browser = spawn(chromiumPath(), [...CHROMIUM_ARGS, ...flags, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const send = converse(browser.stdio[3] as Writable, browser.stdio[4] as Readable);
  const { product } = await send('Browser.getVersion', {});
  const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
  const ask = (method: string, params: object) => send(method, params, String(sessionId));

  async function evaluate(expression: string, returnByValue: boolean): Promise<Record<string, unknown>> {
    const { result, exceptionDetails } = (await ask('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue,
    })) as {
      result: Record<string, unknown>;
      exceptionDetails?: { text: string; exception?: { description?: string } };
    };
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result;
  }

  async function load(): Promise<void> {
    await ask('Page.navigate', { url });
    const deadline = Date.now() + READY_MS;
    for (;;) {
      // Between two documents there is no context to evaluate in: that is an error, and means "not yet".
      const ready = await evaluate(
        "globalThis.bench !== undefined && document.readyState === 'complete'",
        true,
      )
        .then(({ value }) => value === true)
        .catch(() => false);
      if (ready) return;
      if (Date.now() > deadline) throw new Error(`the bench's page did not load in ${String(READY_MS)} ms`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  await load();
  return {
    version: String(product),
    profileFolder,
    async call<Result>(name: string, args: object = {}) {
      return (await evaluate(`bench.${name}(${JSON.stringify(args)})`, true))['value'] as Result;
    },
    async pick(path) {
      const { objectId } = await evaluate("document.querySelector('#file')", false);
      await ask('DOM.setFileInputFiles', { files: [path], objectId });
    },
    async reload() {
      await evaluate('delete globalThis.bench', true);
      await load();
    },
    async close() {
      const ended = new Promise((resolve) => browser.once('exit', resolve));
      void send('Browser.close', {}).catch(() => undefined);
      await ended;
    },
  };
}
