import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { dirname, join } from 'node:path';
import { getConnInfo } from '@hono/node-server/conninfo';
import { serve } from '@hono/node-server';
import type { Context } from 'hono';
import type { Logger } from 'pino';
import * as v from 'valibot';
import { createApp, problemOf } from '../app.ts';
import { connectCloud } from '../aws/broker-clients.ts';
import { drainable } from '../drain.ts';
import { startSweeping } from '../domain/sweep.ts';
import { openBroker } from '../open-broker.ts';
import { addressBehind } from '../routes/address-limit.ts';
import { faultOf } from '../routes/request-log.ts';
import type { Cloud, Settings } from './settings.ts';

export interface BrokerServer {
  /** Takes no more connections, lets requests end for as long as DRAIN_MS, then cuts. */
  stop(): Promise<void>;
}

const DRAIN_MS = 25_000;
const HEADERS_MS = 10_000;
const REQUEST_MS = 60_000;
/**
 * Longer than proxies in front keep a connection for reuse, so that it is they who end it, and no request meets a
 * closed one.
 */
const KEEP_ALIVE_MS = 75_000;

/**
 * Connects to the cloud, loads the setup, and listens.
 * @throws StartRefused, BrokerProblem, and Node's own for the port
 */
export async function startServer(
  settings: Settings,
  cloud: Cloud,
  log: Logger,
  root: string,
): Promise<BrokerServer> {
  const ports = { ...connectCloud({ ...cloud, s3PublicUrl: settings.s3PublicUrl }), clock: Date.now, log };
  const broker = await openBroker(ports, settings);
  const addressOf = (context: Context) =>
    addressBehind(
      settings.proxies,
      context.req.header('x-forwarded-for'),
      getConnInfo(context).remote.address,
    );
  const app = createApp(
    broker.domain,
    { ...ports, addressOf },
    {
      ...settings,
      s3Origin: await ports.s3Origin(),
      version: versionOf(root),
      files: builtApp(root),
    },
  );
  const drain = await listen(app.fetch, settings);
  const stopSweeping = startSweeping(broker.domain.sweep, (error) => {
    log.warn({ problem: problemOf(error).code, fault: faultOf(error) }, 'sweep');
  });
  return {
    async stop() {
      stopSweeping();
      const drained = drain();
      broker.close();
      await drained;
      ports.close();
    },
  };
}

/** @returns ends the server */
function listen(
  fetch: ReturnType<typeof createApp>['fetch'],
  { port, host }: Settings,
): Promise<() => Promise<void>> {
  return new Promise((resolve, reject) => {
    const server = serve(
      {
        fetch,
        port,
        hostname: host,
        serverOptions: {
          headersTimeout: HEADERS_MS,
          requestTimeout: REQUEST_MS,
          keepAliveTimeout: KEEP_ALIVE_MS,
        },
      },
      () => {
        resolve(drain);
      },
    );
    const drain = drainable(server as Server, DRAIN_MS);
    server.once('error', reject);
  });
}

/** The nearest folder above that is this package: where the bundle is in it is the builder's choice. */
export function packageRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (readPackage(folder)?.name === 'halfkey') return folder;
    if (folder === dirname(folder)) throw new Error('expected a package.json of halfkey above the bundle');
  }
}

const Package = v.object({ name: v.string(), version: v.string() });

function readPackage(folder: string): v.InferOutput<typeof Package> | undefined {
  try {
    const parsed = v.safeParse(Package, JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

function versionOf(root: string): string {
  return readPackage(root)?.version ?? 'unknown';
}

function builtApp(root: string): { folder: string; appHtml: string } | undefined {
  const folder = join(root, 'build');
  try {
    return { folder, appHtml: readFileSync(join(folder, 'app.html'), 'utf8') };
  } catch {
    return undefined;
  }
}
