import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { LocalCloudDescription } from '../../../../broker/local/cloud.ts';
import { built } from '../../../support/built.ts';

/** The bundled local cloud as a process of its own. */
export interface CloudProcess {
  readonly description: LocalCloudDescription;
  /** Ends it the way that leaves no time to tidy up. */
  readonly kill: () => Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  readonly terminate: () => Promise<number | null>;
  /** Most memory it ever had resident, in bytes. */
  readonly peakBytes: () => number;
}

/** Starts it. `fileLimitBytes`: no file may grow longer, which is how a full disk looks to the process. */
export async function startProcess(dataFolder: string, fileLimitBytes?: number): Promise<CloudProcess> {
  const program = [
    process.execPath,
    join(await built('broker'), 'dist', 'local-cloud.js'),
    '--data',
    dataFolder,
    '--port',
    '0',
  ];
  // `ulimit -f` counts blocks of 512 bytes in a POSIX shell.
  const script = `ulimit -f ${fileLimitBytes === undefined ? 'unlimited' : String(fileLimitBytes / 512)}; exec "$@"`;
  const child = spawn('sh', ['-c', script, 'sh', ...program], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  const errors: string[] = [];
  child.stderr.on('data', (bytes: Buffer) => errors.push(bytes.toString()));
  const line = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    ended.then(() => {
      throw new Error(`the local cloud ended at start: ${errors.join('')}`);
    }),
  ]);
  const stop = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    await ended;
    return child.exitCode;
  };
  return {
    description: JSON.parse(String(line[0])) as LocalCloudDescription,
    kill: async () => {
      await stop('SIGKILL');
    },
    terminate: () => stop('SIGTERM'),
    peakBytes: () => peakBytesOf(child),
  };
}

function peakBytesOf(child: ChildProcess): number {
  const status = readFileSync(`/proc/${String(child.pid)}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}
