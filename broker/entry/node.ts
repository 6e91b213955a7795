import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { StartRefused } from '../domain/start-refused.ts';
import { startLocalCloudProcess, type LocalCloudProcess } from './local-cloud-process.ts';
import { packageRoot, startServer } from './server.ts';
import { parseSettings } from './settings.ts';

// The SDK's pinned version is one that runs on Node 20; without this it warns into the log.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

const here = dirname(fileURLToPath(import.meta.url));

try {
  await run();
} catch (error) {
  process.stderr.write(`halfkey: ${explain(error)}\n`);
  process.exit(1);
}

async function run(): Promise<void> {
  const settings = parseSettings(process.env);
  const log = pino({ level: settings.logLevel, base: null });
  let local: LocalCloudProcess | undefined;
  if (settings.cloud.kind === 'local') {
    const { dataFolder, port } = settings.cloud;
    const script = join(here, 'local-cloud.js');
    local = await startLocalCloudProcess({ script, dataFolder, port, origin: settings.origin });
  }
  try {
    const cloud = settings.cloud.kind === 'given' ? settings.cloud.cloud : local?.cloud;
    if (!cloud) throw new TypeError('expected a cloud');
    const server = await startServer(settings, cloud, log, packageRoot(here));
    process.stdout.write(`Halfkey runs at ${settings.origin}\n`);
    await stopRequested(local);
    await server.stop();
  } finally {
    await local?.stop();
  }
}

/** Resolves at SIGTERM or SIGINT; rejects when the local cloud ends by itself, for without it nothing works. */
async function stopRequested(local: LocalCloudProcess | undefined): Promise<void> {
  const signal = new Promise<'signal'>((resolve) => {
    const stop = () => {
      resolve('signal');
    };
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, stop);
  });
  const first = await Promise.race(local ? [signal, local.ended] : [signal]);
  if (first !== 'signal') throw new StartRefused('local_cloud_failed', 'it ended while the broker ran');
}

/** For the operator; the message of an error that is not ours may say anything, so its name has to do. */
function explain(error: unknown): string {
  if (error instanceof StartRefused) return error.message;
  if (!(error instanceof Error)) return 'unknown failure';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return `${code}: cannot start`;
}
