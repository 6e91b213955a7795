import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import * as v from 'valibot';
import { StartRefused } from '../domain/start-refused.ts';
import { type Cloud, localCloud, LocalCloudLine } from './settings.ts';

export interface LocalCloudProcess {
  readonly cloud: Cloud;
  /** Settles when the process has ended, by itself or by `stop`. */
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
}

export interface LocalCloudOptions {
  /** Path of the bundle. */
  readonly script: string;
  readonly dataFolder: string;
  readonly port: number;
  /** Of the app: CORS lets no other in. */
  readonly origin: string;
}

/** Its standard input ends with us, however we end: then it ends too, and leaves folder and port to the next start. */
const END_WITH_PARENT =
  'data:text/javascript,process.stdin.on("end", () => process.kill(process.pid, "SIGTERM")).resume().unref()';

/**
 * Starts the local cloud as a process of its own, so that CORS is real, and hands over what it prints.
 * @throws StartRefused `local_cloud_failed` when it ends before it is ready
 */
export async function startLocalCloudProcess(options: LocalCloudOptions): Promise<LocalCloudProcess> {
  const { script, dataFolder, port, origin } = options;
  const child = spawn(
    process.execPath,
    ['--import', END_WITH_PARENT, script, '--data', dataFolder, '--port', String(port), '--origin', origin],
    // A group of its own: Ctrl+C is for the broker, which still needs it while requests end.
    { stdio: ['pipe', 'pipe', 'pipe'], detached: true },
  );
  const ended = once(child, 'close');
  let complaint = '';
  const keepComplaint = (chunk: Buffer) => {
    complaint += chunk.toString();
  };
  child.stderr.on('data', keepComplaint);
  const line = await Promise.race([
    firstLine(child.stdout),
    ended.then(([code]) => {
      // It says in a sentence why it does not start; that is the reason, and is said once.
      const reason = complaint.trim() || `it ended with ${String(code)} before it was ready`;
      throw new StartRefused('local_cloud_failed', reason);
    }),
  ]);
  // It runs, and has complained all the same.
  process.stderr.write(complaint);
  child.stderr.off('data', keepComplaint).pipe(process.stderr, { end: false });
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), LocalCloudLine), line);
  if (!parsed.success) {
    child.kill('SIGKILL');
    throw new StartRefused('local_cloud_failed', 'expected one line of JSON, got something else');
  }
  // It is not read any more; a pipe that is full would stop it.
  child.stdout.resume();
  return {
    cloud: localCloud(parsed.output),
    ended,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
    },
  };
}

async function firstLine(output: Readable): Promise<string> {
  const lines = createInterface({ input: output });
  try {
    const [line] = (await once(lines, 'line')) as [string];
    return line;
  } finally {
    lines.close();
  }
}
