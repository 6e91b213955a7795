import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { type App, type AppPorts, type AppSettings, createApp } from '../../broker/app.ts';
import { type CloudPorts, connectCloud } from '../../broker/aws/broker-clients.ts';
import type { DomainSettings } from '../../broker/domain/domain.ts';
import { localCloud } from '../../broker/entry/settings.ts';
import { type LocalCloud, type LocalCloudOptions, startLocalCloud } from '../../broker/local/cloud.ts';
import { type BrokerPorts, openBroker } from '../../broker/open-broker.ts';
import { MISSING_KEYS } from './missing-keys.ts';

const policiesFolder = fileURLToPath(new URL('../../broker/deploy/policies', import.meta.url));

/** What the brokers of tests believe they are reached at. */
export const ORIGIN = 'http://localhost:8787';

export interface TestCloud {
  readonly cloud: LocalCloud;
  /** Ports that speak to it over HTTP; each call is another broker's. */
  readonly connect: () => CloudPorts;
  /** It is not listened to any more. */
  readonly stop: () => Promise<void>;
  end(): Promise<void>;
}

/** A local cloud of one's own, on a free port, in a folder that is gone afterwards. */
export async function startTestCloud(
  options: Pick<LocalCloudOptions, 'missingKeys'> = {},
): Promise<TestCloud> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'halfkey-broker-'));
  const place = { dataFolder, port: 0, policiesFolder, allowedOrigins: [ORIGIN], missingKeys: MISSING_KEYS };
  const cloud = await startLocalCloud({ ...place, ...options });
  const connected: CloudPorts[] = [];
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= cloud.close());
  return {
    cloud,
    connect() {
      const ports = connectCloud({ ...localCloud(cloud.description), s3PublicUrl: undefined });
      connected.push(ports);
      return ports;
    },
    stop,
    async end() {
      for (const ports of connected) ports.close();
      await stop();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}

/** Time that passes only when told to; starts in the present, because S3 wants signatures to be fresh. */
export class TestClock {
  nowMs = Date.now();

  readonly read = (): number => this.nowMs;

  advance(seconds: number): void {
    this.nowMs += seconds * 1000;
  }
}

type TestPorts = BrokerPorts & AppPorts;

export interface TestBroker {
  readonly app: App & { close(): void };
  readonly ports: TestPorts;
  /** Every line that it logged. */
  readonly logged: string[];
}

/** What a broker of tests has otherwise than others. */
export interface TestBrokerOptions {
  readonly ports?: Partial<TestPorts>;
  readonly settings?: Partial<AppSettings & DomainSettings>;
}

/** One broker in this process. Ports may be replaced one by one, to see or to disturb what it asks of them. */
export async function startTestBroker(
  cloud: TestCloud,
  clock: TestClock,
  options: TestBrokerOptions = {},
): Promise<TestBroker> {
  const logged: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => logged.push(line) });
  const ports: TestPorts = {
    ...cloud.connect(),
    // The local cloud is fit: tests/broker/conformance.test.ts.
    conformance: () => Promise.resolve(),
    clock: clock.read,
    log,
    addressOf: (context) => context.req.header('x-test-address') ?? '192.0.2.1',
    ...options.ports,
  };
  const settings = {
    origin: ORIGIN,
    s3Origin: cloud.cloud.endpoint,
    signupOpen: true,
    grantSeconds: 300,
    grantReleases: 1000,
    quotaBytes: undefined,
    ratePerMinute: 1_000_000,
    version: '0.0.0',
    files: undefined,
    ...options.settings,
  };
  const broker = await openBroker(ports, settings);
  const close = () => {
    broker.close();
  };
  return { app: { ...createApp(broker.domain, ports, settings), close }, ports, logged };
}
