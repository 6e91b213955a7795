import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { StartRefused } from '../domain/start-refused.ts';
import { explainStart, type Place } from './explain.ts';
import { farewell, greeting } from './greeting.ts';
import { startLocalCloudProcess, type LocalCloudProcess } from './local-cloud-process.ts';
import { packageRoot, startServer } from './server.ts';
import { parseSettings, type Settings } from './settings.ts';

// The SDK's pinned version is one that runs on Node 20; without this it warns into the log.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

const here = dirname(fileURLToPath(import.meta.url));
/** Somebody looks on: they get a few lines instead of a log of requests. */
const isTerminal = process.stdout.isTTY;

let place: Place = { ports: [], dataFolder: undefined };
try {
  const settings = parseSettings(process.env, isTerminal);
  place = { ports: [settings.port], dataFolder: undefined };
  await run(settings);
} catch (error) {
  process.stderr.write(`halfkey: ${await explainStart(error, place)}\n`);
  process.exit(1);
}

async function run(settings: Settings): Promise<void> {
  const log = pino({ level: settings.logLevel, base: null });
  let local: LocalCloudProcess | undefined;
  if (settings.cloud.kind === 'local') {
    const { dataFolder, port } = settings.cloud;
    const script = join(here, 'local-cloud.js');
    local = await startLocalCloudProcess({ script, dataFolder, port, origin: settings.origin });
  }
  const dataFolder = settings.cloud.kind === 'local' ? resolve(settings.cloud.dataFolder) : undefined;
  try {
    const cloud = settings.cloud.kind === 'given' ? settings.cloud.cloud : local?.cloud;
    if (!cloud) throw new TypeError('expected a cloud');
    const server = await startServer(settings, cloud, log, packageRoot(here));
    // Heard from before the address is told: anyone who reads that may want it ended at once.
    const stop = stopRequested(local);
    process.stdout.write(greeting({ origin: settings.origin, dataFolder, isTerminal }));
    await stop;
    await server.stop();
  } finally {
    await local?.stop();
  }
  process.stdout.write(farewell({ dataFolder, isTerminal }));
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
