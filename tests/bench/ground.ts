import { S3Client } from '@aws-sdk/client-s3';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vaultPurger } from '../../broker/aws/vault-purger.ts';
import { freePort } from '../support/free-port.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { openBenchPage, type BenchPage } from './chromium.ts';
import { serveBench } from './serve.ts';

/** Where a contest is held: the bench's page under one origin with a broker and a local cloud of its own. */
export interface Ground {
  readonly origin: string;
  readonly stack: Stack;
  /** For test files; gone at the end. */
  readonly folder: string;
  /** Another browser with a profile of its own: to Halfkey, another device. */
  openPage(): Promise<BenchPage>;
  close(): Promise<void>;
}

/** @param options.brokerCore the one core that the broker may use */
export async function openGround(pageFolder: string, options: { brokerCore?: number } = {}): Promise<Ground> {
  const folder = mkdtempSync(join(tmpdir(), 'halfkey-bench-'));
  const port = await freePort();
  const origin = `http://localhost:${String(port)}`;
  const server = await serveBench(pageFolder, port);
  const stack = await startStack({
    ...options,
    origin,
    environment: { HALFKEY_RATE_PER_MINUTE: '1000000', LOG_LEVEL: 'error' },
  });
  const store = storeOf(stack);
  server.standBefore({
    brokerPort: stack.brokerPort,
    erase: async (key) => {
      await vaultPurger(store, stack.cloud.bucket).eraseBelow([key]);
    },
  });
  const pages: BenchPage[] = [];
  return {
    origin,
    stack,
    folder,
    async openPage() {
      const page = await openBenchPage(origin, join(folder, `profile-${String(pages.length)}`));
      pages.push(page);
      return page;
    },
    async close() {
      await Promise.all(pages.map((page) => page.close()));
      store.destroy();
      await stack.stop();
      await server.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function storeOf({ cloud: { region, s3Endpoint: endpoint, accessKeyId, secretAccessKey } }: Stack): S3Client {
  return new S3Client({
    region,
    endpoint,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
}
