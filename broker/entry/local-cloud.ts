import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startLocalCloud } from '../local/cloud.ts';
import { explainStart } from './explain.ts';

const USAGE = 'usage: local-cloud --data DIR --port N [--origin URL]… [--policies DIR]';
const POLICIES = join('broker', 'deploy', 'policies');

/** The policies of the project that this bundle is in. */
function findPolicies(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, POLICIES))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`no ${POLICIES} above the program; name the folder by --policies`);
    folder = parent;
  }
  return join(folder, POLICIES);
}

async function main(): Promise<void> {
  const { dataFolder, port, origin, policies } = parseCommandLine();
  const cloud = await startLocalCloud({
    dataFolder,
    port,
    policiesFolder: policies === undefined ? findPolicies() : resolve(policies),
    ...(origin && { allowedOrigins: origin }),
    warn: (sentence) => {
      process.stderr.write(`${sentence}\n`);
    },
    report: (error, requestId) => {
      const what = error instanceof Error ? (error.stack ?? error.message) : 'not an error';
      process.stderr.write(`${JSON.stringify({ level: 'error', requestId, what })}\n`);
    },
  }).catch(async (error: unknown) => {
    // What comes from the operating system has a code, and gets a sentence; ours are sentences already.
    const isOwn = error instanceof Error && !('code' in error);
    throw isOwn ? error : new Error(await explainStart(error, { ports: [port], dataFolder }));
  });
  let closing = false;
  const close = () => {
    if (closing) return;
    closing = true;
    void cloud.close().then(() => process.exit(0));
  };
  process.on('SIGTERM', close);
  process.on('SIGINT', close);
  process.stdout.write(`${JSON.stringify(cloud.description)}\n`);
}

function parseCommandLine() {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      port: { type: 'string' },
      origin: { type: 'string', multiple: true },
      policies: { type: 'string' },
    },
  });
  const { data, port = '', origin, policies } = values;
  if (data === undefined || !/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Error(USAGE);
  return { dataFolder: resolve(data), port: Number(port), origin, policies };
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
