import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startProgram, type Program } from './program.ts';
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
  /** All that both have printed so far. */
  logs(): string;
  stop(): Promise<void>;
}

/**
 * @param options.tapped puts a recorder of every byte between the browser and both servers
 * @param options.origin of somebody else who serves the app and hands on to the broker
 * @param options.brokerCore the one core that the broker may use
 */
export async function startStack(
  options: {
    environment?: Readonly<Record<string, string>>;
    tapped?: boolean;
    origin?: string;
    brokerCore?: number;
  } = {},
): Promise<Stack> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'halfkey-e2e-'));
  const [brokerPort, s3Port] = [await freePort(), await freePort()];
  const taps = options.tapped ? [await startTap(brokerPort), await startTap(s3Port)] : [];
  const origin = options.origin ?? `http://localhost:${String(taps[0]?.port ?? brokerPort)}`;

  const s3 = startProgram({
    command: [
      join(DIST, 'local-cloud.js'),
      '--data',
      dataFolder,
      '--port',
      String(s3Port),
      '--origin',
      origin,
    ],
    environment: {},
    readyUrl: `http://127.0.0.1:${String(s3Port)}/`,
  });
  await s3.resume();
  const cloud = JSON.parse(s3.output().split('\n')[0] ?? '') as CloudDescription;

  const broker = startProgram({
    command: [join(DIST, 'broker.js')],
    environment: {
      PORT: String(brokerPort),
      HALFKEY_ORIGIN: origin,
      HALFKEY_S3_PUBLIC_URL: `http://localhost:${String(taps[1]?.port ?? s3Port)}`,
      HALFKEY_LOCAL_CLOUD: JSON.stringify(cloud),
      // One address plays all people here.
      HALFKEY_RATE_PER_MINUTE: '10000',
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
    logs: () => s3.output() + broker.output(),
    async stop() {
      await broker.halt();
      await s3.halt();
      await Promise.all(taps.map((tap) => tap.close()));
      rmSync(dataFolder, { recursive: true, force: true });
    },
  };
}
