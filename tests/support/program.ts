import { spawn, type ChildProcess } from 'node:child_process';

const READY_MS = 60_000;

/** One of our servers as a process that can be ended and started again. */
export interface Program {
  /** Standard output and error, from the first start on. */
  output(): string;
  /** @param more variables, for this start */
  resume(more?: Readonly<Record<string, string>>): Promise<void>;
  /** @param signal SIGKILL: no last words */
  halt(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/**
 * @param description.readyUrl answers with anything as soon as the server listens; `/readyz` with success when it is
 * ready
 */
export function startProgram(description: {
  command: readonly string[];
  environment: Readonly<Record<string, string>>;
  readyUrl: string;
  /** The one core that it may use; any when absent. Linux only. */
  core?: number;
}): Program {
  let output = '';
  let running: ChildProcess | undefined;
  const listen = (chunk: Buffer) => {
    output += chunk.toString();
  };
  return {
    output: () => output,
    async resume(more = {}) {
      const env = { ...process.env, ...description.environment, ...more };
      const pin = description.core === undefined ? [] : ['taskset', '-c', String(description.core)];
      const [file = '', ...args] = [...pin, process.execPath, ...description.command];
      running = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
      running.stdout?.on('data', listen);
      running.stderr?.on('data', listen);
      await untilReady(description.readyUrl, running, () => output);
    },
    async halt(signal = 'SIGTERM') {
      const process = running;
      running = undefined;
      if (process?.exitCode !== null) return;
      const ended = new Promise((resolve) => process.once('exit', resolve));
      process.kill(signal);
      await ended;
    },
  };
}

async function untilReady(url: string, process: ChildProcess, output: () => string): Promise<void> {
  const deadline = Date.now() + READY_MS;
  while (Date.now() < deadline) {
    if (process.exitCode !== null) throw new Error(`the program ended: ${output()}`);
    const response = await fetch(url).catch(() => undefined);
    if (response && (response.ok || !url.endsWith('/readyz'))) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`not ready: ${output()}`);
}
