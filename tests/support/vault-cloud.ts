import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomUUID } from 'node:crypto';
import { S3Client } from '@aws-sdk/client-s3';
import type { VaultId } from '$contract/ids.ts';
import { connectCloud, type CloudPlace, type CloudPorts } from '../../broker/aws/broker-clients.ts';
import { type LocalCloud, type LocalCloudOptions, startLocalCloud } from '../../broker/local/cloud.ts';
import { MISSING_KEYS } from './missing-keys.ts';

const POLICIES = fileURLToPath(new URL('../../broker/deploy/policies', import.meta.url));
export const APP_ORIGIN = 'http://localhost:8787';

/** A local cloud on a free port, and brokers' ports on it over HTTP, as on AWS. */
export interface VaultCloud {
  readonly cloud: LocalCloud;
  readonly place: CloudPlace;
  /** Those of one more broker; `change` says what it sees otherwise. */
  connect(change?: Partial<CloudPlace>): CloudPorts;
  /** S3 as the administrator. */
  readonly admin: S3Client;
  newVault(ports: CloudPorts): Promise<VaultId>;
  close(): Promise<void>;
}

/** The cloud's clock, and what it says of a key that is not there. */
export type VaultCloudOptions = Pick<LocalCloudOptions, 'nowMs' | 'missingKeys'>;

export async function startVaultCloud(options: VaultCloudOptions = {}): Promise<VaultCloud> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'halfkey-vault-'));
  const cloud = await startLocalCloud({
    dataFolder,
    port: 0,
    policiesFolder: POLICIES,
    allowedOrigins: [APP_ORIGIN],
    missingKeys: MISSING_KEYS,
    ...options,
  });
  const { description } = cloud;
  const place: CloudPlace = {
    ...description,
    s3PublicUrl: undefined,
    credentials: {
      accessKeyId: description.brokerAccessKeyId,
      secretAccessKey: description.brokerSecretAccessKey,
    },
  };
  const admin = new S3Client({
    region: description.region,
    endpoint: description.s3Endpoint,
    forcePathStyle: true,
    credentials: description,
  });
  const connected: CloudPorts[] = [];
  return {
    cloud,
    place,
    admin,
    connect(change = {}) {
      const ports = connectCloud({ ...place, ...change });
      connected.push(ports);
      return ports;
    },
    newVault: (ports) => ports.identities.create(randomUUID()),
    async close() {
      for (const ports of connected) ports.close();
      admin.destroy();
      await cloud.close();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}
