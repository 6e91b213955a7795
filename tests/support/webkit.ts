import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readProcess } from './browser-processes.ts';
import { freePort } from './free-port.ts';
import type { WebKitPrograms } from './program-path.mjs';
import { WebDriver } from './webdriver.ts';
import type { HostOptions } from './webkit-host.mjs';

const HOST = fileURLToPath(new URL('webkit-host.mjs', import.meta.url));
/** The driver asks for the browser by this name, and the browser has to answer to it. */
const NAME = 'halfkey-webkit';

/** A WebKit with a profile that outlives the process, so that it can be ended and started again. */
export interface WebKit {
  /** Where downloads end. */
  readonly downloads: string;
  start(): Promise<WebDriver>;
  /** What page and workers have written to the console, from the first start on. */
  output(): string;
  /** Ends it as its own menu does. */
  quit(): Promise<void>;
  /** SIGKILL: no last words. */
  kill(): Promise<void>;
  /** Kills it, and removes profile and downloads. */
  remove(): Promise<void>;
}

/** On a screen of its own. @param options.isPrivate makes its window a private one */
export async function createWebKit(
  programs: WebKitPrograms,
  { isPrivate = false }: { isPrivate?: boolean } = {},
): Promise<WebKit> {
  const folder = mkdtempSync(join(tmpdir(), 'halfkey-webkit-'));
  const [home, runtime, downloads] = ['home', 'runtime', 'downloads'].map((name) => {
    mkdirSync(join(folder, name), { mode: 0o700 });
    return join(folder, name);
  }) as [string, string, string];
  const screen = await startScreen(programs.xvfb);
  const options: HostOptions = { name: NAME, profile: join(folder, 'profile'), downloads, isPrivate };
  let output = '';
  let running: { readonly driver: ChildProcess; readonly session: WebDriver } | undefined;

  /** The driver with all that it has started. */
  async function end(): Promise<void> {
    const driver = running?.driver;
    running = undefined;
    if (driver) await kill(driver);
  }

  return {
    downloads,
    async start() {
      const port = await freePort();
      const driver = spawn(programs.driver, [`--port=${String(port)}`], {
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: process.env['PATH'],
          LC_ALL: 'C.UTF-8',
          DISPLAY: screen.name,
          HOME: home,
          XDG_RUNTIME_DIR: runtime,
          GDK_BACKEND: 'x11',
          // Neither a desktop's settings nor its bus for screen readers is there.
          GSETTINGS_BACKEND: 'memory',
          NO_AT_BRIDGE: '1',
          LIBGL_ALWAYS_SOFTWARE: '1',
        },
      });
      for (const stream of [driver.stdout, driver.stderr]) {
        stream.on('data', (chunk: Buffer) => {
          output += chunk.toString();
        });
      }
      const session = await WebDriver.open(`http://127.0.0.1:${String(port)}`, {
        browserName: NAME,
        'webkitgtk:browserOptions': { binary: programs.gjs, args: ['-m', HOST, JSON.stringify(options)] },
      });
      running = { driver, session };
      return session;
    },
    output: () => output,
    async quit() {
      if (!running) return;
      await running.session.close();
      // What it still has to write down must not be cut off with the driver.
      const { pid = 0 } = running.driver;
      while (othersIn(pid).length > 0) await delay(50);
      await end();
    },
    kill: end,
    async remove() {
      await end();
      await kill(screen.process);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** A screen that nobody sees, of the first number that is free. */
async function startScreen(xvfb: string): Promise<{ readonly process: ChildProcess; readonly name: string }> {
  const options = ['-displayfd', '3', '-screen', '0', '1400x1000x24', '-nolisten', 'tcp', '-ac'];
  const screen = spawn(xvfb, options, { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const number = await new Promise<string>((resolve, reject) => {
    screen.once('exit', () => {
      reject(new Error('Xvfb does not start'));
    });
    screen.stdio[3]?.once('data', (line: Buffer) => {
      resolve(line.toString().trim());
    });
  });
  return { process: screen, name: `:${number}` };
}

/** Processes of a group that run, besides the one that leads it. */
function othersIn(group: number): number[] {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return pids.map(Number).filter((pid) => {
    const stat = readProcess(pid, 'stat');
    const [state, , theirs] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return pid !== group && Number(theirs) === group && state !== 'Z';
  });
}

/** With its whole group. */
async function kill(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) return;
  const ended = once(child, 'exit');
  process.kill(-child.pid, 'SIGKILL');
  await ended;
}
