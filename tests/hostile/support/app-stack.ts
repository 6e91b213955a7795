import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerClock } from '../../support/clock/server-clock.ts';
import { freePort } from '../../support/free-port.ts';
import { startProgram } from '../../support/program.ts';
import { buildAppPackage, type AppPackage } from './app-package.ts';
import { startHostileStore, type HostileStore } from './hostile-s3.ts';

/** The built app on the real broker and the real local cloud, with a store that does as it is told before the browser. */
export interface AppStack {
  readonly origin: string;
  readonly clock: ServerClock;
  readonly store: HostileStore;
  /** What is served, as it lies on the disk. */
  readonly app: AppPackage;
  /** Ends the broker and starts it again, as whoever installs another version does: its headers name what is in the page. */
  restartBroker(): Promise<void>;
  stop(): Promise<void>;
}

export async function startAppStack(): Promise<AppStack> {
  const app = await buildAppPackage();
  const dataFolder = mkdtempSync(join(tmpdir(), 'halfkey-hostile-app-'));
  const clock = new ServerClock();
  const [brokerPort, s3Port] = [await freePort(), await freePort()];
  const origin = `http://localhost:${String(brokerPort)}`;
  const dist = join(app.folder, 'dist');
  const s3 = startProgram({
    command: [
      join(dist, 'local-cloud.js'),
      '--data',
      dataFolder,
      '--port',
      String(s3Port),
      '--origin',
      origin,
    ],
    environment: clock.environment,
    readyUrl: `http://127.0.0.1:${String(s3Port)}/`,
  });
  await s3.resume();
  const store = await startHostileStore(`http://127.0.0.1:${String(s3Port)}`);
  const broker = startProgram({
    command: [join(dist, 'broker.js')],
    environment: {
      PORT: String(brokerPort),
      HALFKEY_ORIGIN: origin,
      HALFKEY_S3_PUBLIC_URL: store.endpoint.replace('127.0.0.1', 'localhost'),
      HALFKEY_LOCAL_CLOUD: s3.output().split('\n')[0] ?? '',
      HALFKEY_RATE_PER_MINUTE: '10000',
      ...clock.environment,
    },
    readyUrl: `${origin}/readyz`,
  });
  await broker.resume();
  return {
    origin,
    clock,
    store,
    app,
    async restartBroker() {
      await broker.halt();
      await broker.resume();
    },
    async stop() {
      await broker.halt();
      await store.close();
      await s3.halt();
      clock.close();
      rmSync(dataFolder, { recursive: true, force: true });
      app.remove();
    },
  };
}
