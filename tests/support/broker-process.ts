import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

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
export function runBroker(dist: string, environment: Record<string, string>) {
  const child = spawn(process.execPath, [join(dist, 'broker.js')], {
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
export async function startBrokerProcess(
  dist: string,
  environment: Record<string, string>,
): Promise<BrokerProcess> {
  const port = await freePort();
  const running = runBroker(dist, { PORT: String(port), ...environment });
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

/**
 * A port, and the next one, that were free a moment ago: below the range that outgoing connections take theirs from, which
 * would take it again before a process has started.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    if ((await listenOnce(port)) !== undefined && (await listenOnce(port + 1)) !== undefined) return port;
  }
}

async function listenOnce(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' ? address?.port : undefined;
  } catch {
    return undefined;
  } finally {
    server.close();
  }
}
