import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { S3Client, S3ServiceException, type S3ClientConfig } from '@aws-sdk/client-s3';
import { afterAll, beforeAll } from 'vitest';
import { startLocalCloud, type LocalCloud, type LocalCloudOptions } from '../../../../broker/local/cloud.ts';
import { MISSING_KEYS } from '../../../support/missing-keys.ts';

const POLICIES = fileURLToPath(new URL('../../../../broker/deploy/policies', import.meta.url));
export const ORIGIN = 'http://localhost:8787';
/** What presigning needs so that the checksum stays a header. */
export const UNHOISTABLE = new Set(['x-amz-checksum-sha256']);

/** A local cloud in this process. */
export interface TestCloud {
  readonly cloud: LocalCloud;
  readonly dataFolder: string;
  readonly bucket: string;
  readonly endpoint: string;
  /** The administrator's client. */
  readonly s3: S3Client;
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'halfkey-s3-'));
}

export async function startTestCloud(options: Partial<LocalCloudOptions> = {}): Promise<TestCloud> {
  const dataFolder = options.dataFolder ?? temporaryFolder();
  const own = { port: 0, policiesFolder: POLICIES, missingKeys: MISSING_KEYS };
  const cloud = await startLocalCloud({ ...own, ...options, dataFolder });
  return {
    cloud,
    dataFolder,
    bucket: cloud.description.bucket,
    endpoint: cloud.endpoint,
    s3: clientOf(cloud),
  };
}

/** Starts a cloud for all tests of a file. */
export function useTestCloud(options: Partial<LocalCloudOptions> = {}): () => TestCloud {
  let started: TestCloud | undefined;
  beforeAll(async () => {
    started = await startTestCloud(options);
  });
  afterAll(async () => {
    started?.s3.destroy();
    await started?.cloud.close();
    if (started) rmSync(started.dataFolder, { recursive: true, force: true });
  });
  return () => {
    if (!started) throw new Error('the cloud has not been started');
    return started;
  };
}

export function clientOf(
  { description }: Pick<LocalCloud, 'description'>,
  config: S3ClientConfig = {},
): S3Client {
  return new S3Client({
    region: description.region,
    endpoint: description.s3Endpoint,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: description.accessKeyId, secretAccessKey: description.secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...config,
  });
}

/** Status and code of the error that a command is answered with; `200 OK` when it succeeds. */
export async function outcome(command: Promise<unknown>): Promise<string> {
  try {
    await command;
    return '200 OK';
  } catch (error) {
    if (!(error instanceof S3ServiceException)) throw error;
    return `${String(error.$metadata.httpStatusCode)} ${error.name}`;
  }
}

/** The same of a raw answer. */
export async function outcomeOf(response: Response): Promise<string> {
  if (response.ok) return '200 OK';
  return `${String(response.status)} ${codeOf(await response.text())}`;
}

export const codeOf = (xml: string): string => /<Code>(\w+)<\/Code>/.exec(xml)?.[1] ?? 'no code';

export const sha256B64 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');

export const bytesOf = (sizeBytes: number): Uint8Array<ArrayBuffer> => new Uint8Array(randomBytes(sizeBytes));

/** A key that no other test uses. */
export const freshKey = (folder = 'a'): string => `${folder}/${randomBytes(8).toString('hex')}`;

/** One header per entry, exactly as it goes out. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** Sends a request byte for byte as it is given, which no HTTP client would. */
export function sendRaw(
  endpoint: string,
  request: { method: string; target: string; headers: HeaderList; body?: Uint8Array },
): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(endpoint);
  const lines = [
    `${request.method} ${request.target} HTTP/1.1`,
    ...request.headers.map(([name, value]) => `${name}: ${value}`),
    'Connection: close',
  ];
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    const chunks: Buffer[] = [];
    socket.on('data', (bytes) => chunks.push(bytes));
    socket.on('error', reject);
    socket.on('close', () => {
      const text = Buffer.concat(chunks).toString('latin1');
      resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), text });
    });
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    if (request.body) socket.write(request.body);
  });
}

/**
 * Sends a request's head and the beginning of its body, and no more: who waits for the rest before it answers never
 * does.
 * @returns the answer as it came
 */
export function sendBeginning(
  endpoint: string,
  request: { target: string; headers: HeaderList; begin: Uint8Array },
): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(endpoint);
  const lines = [
    `POST ${request.target} HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    ...request.headers.map(([name, value]) => `${name}: ${value}`),
  ];
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      const [, length] = /\r\ncontent-length: (\d+)\r\n/i.exec(text) ?? [];
      const bodyAt = text.indexOf('\r\n\r\n') + 4;
      if (length === undefined || bodyAt < 4 || text.length < bodyAt + Number(length)) return;
      socket.destroy();
      resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), text });
    });
    socket.on('error', reject);
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    socket.write(request.begin);
  });
}
