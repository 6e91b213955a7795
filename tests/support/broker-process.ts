import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { built } from './built.ts';
import { freePort } from './free-port.ts';

/** A broker of its own, from the bundle. */
export interface BrokerProcess {
  readonly child: ChildProcess;
  readonly url: string;
  /** What it wrote until now, standard output and error together. */
  output(): string;
  /** SIGTERM, and what it exits with. */
  stop(): Promise<number | null>;
}

const START_MS = 30_000;

/** Exactly these variables, and PATH: what the machine has set is not the test's. */
export async function runBroker(environment: Record<string, string>) {
  const child = spawn(process.execPath, [join(await built('broker'), 'dist', 'broker.js')], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => written.push(bytes));
  const exited = once(child, 'close').then(([code]) => code as number | null);
  return { child, exited, output: () => Buffer.concat(written).toString('utf8') };
}

/** Starts one and waits until it says that it runs. */
export async function startBrokerProcess(environment: Record<string, string>): Promise<BrokerProcess> {
  const port = await freePort();
  const running = await runBroker({ PORT: String(port), ...environment });
  const { child, exited, output } = running;
  try {
    await until(() => {
      if (child.exitCode !== null) {
        throw new Error(`the broker ended with ${String(child.exitCode)}: ${output()}`);
      }
      return output().includes('Halfkey runs at ');
    });
  } catch (error) {
    // No test leaves a process behind, a failed one least of all.
    child.kill('SIGKILL');
    throw error;
  }
  return {
    child,
    url: `http://localhost:${String(port)}`,
    output,
    stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

/** Polls until something holds, or fails at a deadline. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`expected it within ${String(START_MS)} ms`);
    await delay(25);
  }
}
