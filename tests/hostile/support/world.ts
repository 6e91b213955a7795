import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectCloud } from '../../../broker/aws/broker-clients.ts';
import { localCloud } from '../../../broker/entry/settings.ts';
import { type LocalCloud, startLocalCloud } from '../../../broker/local/cloud.ts';
import { ORIGIN, startTestBroker, TestClock, type TestBroker, type TestCloud } from '../../support/broker.ts';
import { setUp } from '../../support/fixture.ts';
import { MISSING_KEYS } from '../../support/missing-keys.ts';
import { startHostileStore, type HostileStore } from './hostile-s3.ts';
import { openNodeBrowser, type NodeBrowser } from './node-browser.ts';

const POLICIES = fileURLToPath(new URL('../../../broker/deploy/policies', import.meta.url));

/**
 * The real broker and the real local cloud in this process, with a store that does as it is told between them and
 * everybody.
 */
export interface HostileWorld {
  readonly store: HostileStore;
  readonly broker: TestBroker;
  /** The broker's; S3 and clients have the machine's. */
  readonly clock: TestClock;
  newBrowser(): NodeBrowser;
  /**
   * Keeps the state of everything that the cloud has.
   * @returns what brings it back, and starts a broker that saw nothing newer
   */
  photograph(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** A world for the test file that calls this. */
export function setUpHostileWorld(): HostileWorld {
  return setUp(startHostileWorld, (world) => world.close());
}

async function startHostileWorld(): Promise<HostileWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'halfkey-hostile-'));
  const dataFolder = join(folder, 'data');
  const options = {
    dataFolder,
    policiesFolder: POLICIES,
    allowedOrigins: [ORIGIN],
    missingKeys: MISSING_KEYS,
  };
  let cloud: LocalCloud = await startLocalCloud({ ...options, port: 0 });
  const port = Number(new URL(cloud.endpoint).port);
  const store = await startHostileStore(cloud.endpoint);
  const place = localCloud(cloud.description);
  const closers: (() => void)[] = [];
  const testCloud: TestCloud = {
    get cloud() {
      return cloud;
    },
    connect() {
      // KMS and Cognito are the operator's; the store alone is hostile here.
      const ports = connectCloud({ ...place, s3Endpoint: store.endpoint, s3PublicUrl: undefined });
      closers.push(() => {
        ports.close();
      });
      return ports;
    },
    stop: () => cloud.close(),
    end: () => cloud.close(),
  };
  const clock = new TestClock();
  let broker = await startTestBroker(testCloud, clock);
  let photographs = 0;
  return {
    store,
    get broker() {
      return broker;
    },
    clock,
    newBrowser: () => openNodeBrowser((request) => broker.app.fetch(request)),
    async photograph() {
      const copy = join(folder, `photograph-${String(++photographs)}`);
      await cp(dataFolder, copy, { recursive: true });
      return async () => {
        await cloud.close();
        await rm(dataFolder, { recursive: true });
        await cp(copy, dataFolder, { recursive: true });
        cloud = await startLocalCloud({ ...options, port });
        // One that ran on would miss its own records' newer states; a hostile operator starts another.
        broker.app.close();
        broker = await startTestBroker(testCloud, clock);
      };
    },
    async close() {
      broker.app.close();
      for (const close of closers) close();
      await store.close();
      await cloud.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
