import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServerClock } from './server-clock.ts';
import { freePort } from './free-port.ts';
import { startGate, type Gate } from './gate.ts';
import { startProgram, type Program } from './program.ts';
import { startTap, type Tap } from './tap.ts';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));

/** What the local cloud prints when it starts. */
interface CloudDescription {
  readonly s3Endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** What stands between the browser and one of our servers. */
interface Front {
  readonly port: number;
  close(): Promise<void>;
}

/** What stands before the whole local cloud. */
interface CloudFront extends Front {
  readonly endpoint: string;
}

/** The real broker and the real local cloud, as processes of their own, on ports and a data folder of their own. */
export interface Stack {
  /** What the browser is to open. */
  readonly origin: string;
  /** Where the broker itself listens. */
  readonly brokerPort: number;
  readonly cloud: CloudDescription;
  readonly dataFolder: string;
  /** Both can be halted and resumed on the same port and data. */
  readonly broker: Program;
  readonly s3: Program;
  /** What went between the browser and each of them; only where `tapped` was asked for. */
  readonly taps: readonly Tap[];
  /** Through which the browser reaches the broker and S3; only where `gated` was asked for. */
  readonly gates: readonly Gate[];
  /** Both go by it; the browser has this machine's. */
  readonly clock: ServerClock;
  /** All that both have printed so far. */
  logs(): string;
  stop(): Promise<void>;
}

/** What it takes to be somebody there. */
export type Servers = Pick<Stack, 'origin' | 'clock'>;

/**
 * @param options.tapped puts a recorder of every byte between the browser and both servers
 * @param options.gated puts a gate there, where a test may stop single requests
 * @param options.openS3Front puts something of one's own before S3, on a port of this machine; the broker itself goes
 *   past it
 * @param options.openCloudFront puts something before S3, KMS and Cognito, for the broker and the browser alike
 * @param options.origin of somebody else who serves the app and hands on to the broker
 * @param options.dist folder of the built programs, if not the project's own; the app is in `build` beside it
 * @param options.brokerCore the one core that the broker may use
 */
export async function startStack(
  options: {
    environment?: Readonly<Record<string, string>>;
    tapped?: boolean;
    gated?: boolean;
    openS3Front?: (s3Port: number) => Promise<Front>;
    openCloudFront?: (endpoint: string) => Promise<CloudFront>;
    origin?: string;
    brokerCore?: number;
    dist?: string;
  } = {},
): Promise<Stack> {
  const dist = options.dist ?? DIST;
  const dataFolder = mkdtempSync(join(tmpdir(), 'halfkey-e2e-'));
  const clock = new ServerClock();
  const [brokerPort, s3Port] = [await freePort(), await freePort()];
  const taps = options.tapped ? [await startTap(brokerPort), await startTap(s3Port)] : [];
  const gates = options.gated ? [await startGate(brokerPort), await startGate(s3Port)] : [];
  const [brokerFront, s3Front = await options.openS3Front?.(s3Port)] = [...taps, ...gates];
  const origin = options.origin ?? `http://localhost:${String(brokerFront?.port ?? brokerPort)}`;

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
  const cloud = JSON.parse(s3.output().split('\n')[0] ?? '') as CloudDescription;
  const cloudFront = await options.openCloudFront?.(cloud.s3Endpoint);
  const fronted = cloudFront && {
    s3Endpoint: cloudFront.endpoint,
    kmsEndpoint: cloudFront.endpoint,
    cognitoEndpoint: cloudFront.endpoint,
  };

  const broker = startProgram({
    command: [join(dist, 'broker.js')],
    environment: {
      PORT: String(brokerPort),
      HALFKEY_ORIGIN: origin,
      HALFKEY_S3_PUBLIC_URL: `http://localhost:${String((cloudFront ?? s3Front)?.port ?? s3Port)}`,
      HALFKEY_LOCAL_CLOUD: JSON.stringify({ ...cloud, ...fronted }),
      // One address plays all people here.
      HALFKEY_RATE_PER_MINUTE: '10000',
      ...clock.environment,
      ...options.environment,
    },
    readyUrl: `http://localhost:${String(brokerPort)}/readyz`,
    ...(options.brokerCore !== undefined && { core: options.brokerCore }),
  });
  await broker.resume();
  return {
    origin,
    brokerPort,
    cloud,
    dataFolder,
    broker,
    s3,
    taps,
    gates,
    clock,
    logs: () => s3.output() + broker.output(),
    async stop() {
      await broker.halt();
      await s3.halt();
      clock.close();
      await Promise.all([...taps, ...gates].map((front) => front.close()));
      await cloudFront?.close();
      if (options.openS3Front) await s3Front?.close();
      rmSync(dataFolder, { recursive: true, force: true });
    },
  };
}
