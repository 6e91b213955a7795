import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import type { VaultId } from '../contract/ids.ts';
import { lean, LEAN } from './lean-client.ts';
import { addressOf } from './s3-address.ts';
import { type FetchVaultCredentials, sharedCredentials } from './vault-credentials.ts';
import { credentialsAreStale } from './vault-faults.ts';

/** Where S3 and KMS are. Endpoints are absent on AWS itself. */
export interface VaultCloudPlace {
  readonly region: string;
  readonly bucket: string;
  readonly kmsKeyId: string;
  readonly s3Endpoint?: string | undefined;
  /** Scheme, host and port under which the browser sees S3, where that is another than the broker's. */
  readonly s3PublicUrl?: string | undefined;
  readonly kmsEndpoint?: string | undefined;
}

/** Clients that sign with the credentials of one vault's identity. */
export interface VaultClients {
  readonly s3: S3Client;
  /** Signs for the host that the browser sees, and sends nothing itself. */
  readonly s3ForUrls: S3Client;
  readonly kms: KMSClient;
}

/** A client with its middleware is some hundred kB; vaults beyond these are set up anew when they come back. */
const MAX_KEPT_VAULTS = 256;
const CONNECT_TIMEOUT_MS = 3_000;
/**
 * Three tries of it end before the time for a request does, so that nothing happens after its client was told of a
 * failure.
 */
const REQUEST_TIMEOUT_MS = 9_000;
/** Silence in the middle of an answer; S3 is silent for minutes while it completes an upload. */
const SILENCE_MS = { s3: 300_000, kms: REQUEST_TIMEOUT_MS } as const;
/** More than the requests that one batch has in flight, so that batches of several vaults do not wait for sockets. */
const MAX_SOCKETS = 320;

/** The clients of each vault, kept while it is in use. All share one pool of connections. */
export class VaultClientCache {
  readonly place: VaultCloudPlace;
  readonly #fetch: FetchVaultCredentials;
  readonly #kept = new Map<VaultId, VaultClients>();
  readonly #agents = {
    httpAgent: new HttpAgent({ keepAlive: true, maxSockets: MAX_SOCKETS }),
    httpsAgent: new HttpsAgent({ keepAlive: true, maxSockets: MAX_SOCKETS }),
  };

  constructor(place: VaultCloudPlace, fetch: FetchVaultCredentials) {
    this.place = place;
    this.#fetch = fetch;
  }

  of(vault: VaultId): VaultClients {
    const clients = this.#kept.get(vault) ?? this.#connect(vault);
    // A Map iterates in the order of insertion, so the first is the one that was not used for the longest time.
    this.#kept.delete(vault);
    this.#kept.set(vault, clients);
    if (this.#kept.size > MAX_KEPT_VAULTS) {
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    return clients;
  }

  /** Sets the vault's clients up with a token of its identity, and fetches their credentials. Never rejects. */
  async warm(vault: VaultId, token: string): Promise<void> {
    const clients = this.#connect(vault, token);
    this.#kept.set(vault, clients);
    await clients.s3.config.credentials().catch(() => undefined);
  }

  /** Forgets a vault's credentials, so that the next request fetches new ones. */
  forget(vault: VaultId): void {
    this.#kept.delete(vault);
  }

  /** Ends idle connections; requests on their way end by themselves. */
  close(): void {
    this.#kept.clear();
    this.#agents.httpAgent.destroy();
    this.#agents.httpsAgent.destroy();
  }

  #connect(vault: VaultId, token?: string): VaultClients {
    const { region, s3Endpoint, s3PublicUrl, kmsEndpoint } = this.place;
    const common = {
      ...LEAN,
      credentials: sharedCredentials((own) => this.#fetch(vault, own), token),
      maxAttempts: 3,
      retryMode: 'standard',
    } as const;
    const handler = (socketTimeout: number) => ({
      ...this.#agents,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      socketTimeout,
    });
    const s3 = (endpoint: string | undefined) =>
      lean(
        new S3Client({
          ...common,
          ...addressOf(region, endpoint),
          requestHandler: handler(SILENCE_MS.s3),
          // Otherwise the checksum of an empty body is baked into each presigned URL.
          requestChecksumCalculation: 'WHEN_REQUIRED',
          responseChecksumValidation: 'WHEN_REQUIRED',
        }),
      );
    const direct = s3(s3Endpoint);
    return {
      s3: direct,
      s3ForUrls: s3PublicUrl === undefined ? direct : s3(s3PublicUrl),
      kms: lean(
        new KMSClient({
          ...common,
          region,
          requestHandler: handler(SILENCE_MS.kms),
          ...(kmsEndpoint === undefined ? {} : { endpoint: kmsEndpoint }),
        }),
      ),
    };
  }
}

/**
 * Runs a request with the vault's clients, and once more under fresh credentials when the kept ones are no longer
 * taken.
 */
export async function withVaultClients<Result>(
  cache: VaultClientCache,
  vault: VaultId,
  run: (clients: VaultClients) => Promise<Result>,
): Promise<Result> {
  try {
    return await run(cache.of(vault));
  } catch (error) {
    if (!credentialsAreStale(error)) throw error;
    cache.forget(vault);
    return run(cache.of(vault));
  }
}
