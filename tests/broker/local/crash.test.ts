import { rmSync } from 'node:fs';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isLongForm } from '../../support/long-form.ts';
import { clientOf, temporaryFolder } from './s3/fixture.ts';
import { startProcess } from './s3/process.ts';

const KILLS = isLongForm ? 100 : 10;
const WRITERS = 6;
/** Small ones are in the log, the others in files. */
const SIZES = [0, 1, 200, 5_000, 65_536, 65_537, 300_000, 2_000_000];
const PART_BYTES = 5 * 1024 * 1024;
const BUCKET = 'halfkey';

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const pick = <T>(items: readonly T[]): T => items[randomInt(items.length)]!;

/** What the server has said it holds, and what it may hold, because the reply was lost. */
class Ledger {
  readonly acknowledged = new Map<string, string>();
  readonly attempted = new Map<string, string>();

  attempt(key: string, body: Uint8Array): void {
    this.attempted.set(key, digestOf(body));
  }

  acknowledge(key: string, body: Uint8Array): void {
    this.acknowledged.set(key, digestOf(body));
  }
}

let serial = 0;

async function putOne(s3: S3Client, ledger: Ledger): Promise<void> {
  const key = `a/${String(serial++)}`;
  const body = randomBytes(pick(SIZES));
  ledger.attempt(key, body);
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body, IfNoneMatch: '*' }));
  ledger.acknowledge(key, body);
}

async function uploadOne(s3: S3Client, ledger: Ledger): Promise<void> {
  const at = { Bucket: BUCKET, Key: `a/${String(serial++)}` };
  const bodies = [randomBytes(PART_BYTES), randomBytes(1000)];
  const whole = Buffer.concat(bodies);
  ledger.attempt(at.Key, whole);
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(at));
  const Parts = await Promise.all(
    bodies.map(async (Body, index) => {
      const part = { PartNumber: index + 1 };
      const { ETag } = await s3.send(new UploadPartCommand({ ...at, UploadId, ...part, Body }));
      return { ...part, ETag };
    }),
  );
  await s3.send(
    new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts }, IfNoneMatch: '*' }),
  );
  ledger.acknowledge(at.Key, whole);
}

/** Writes until the server is gone. */
async function writeUntilGone(s3: S3Client, ledger: Ledger, isGone: () => boolean): Promise<void> {
  while (!isGone()) {
    try {
      await (randomInt(12) === 0 ? uploadOne(s3, ledger) : putOne(s3, ledger));
    } catch (error) {
      if (!isGone()) throw error;
    }
  }
}

async function digestAt(s3: S3Client, key: string): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
  return digestOf(await Body!.transformToByteArray());
}

async function listKeys(s3: S3Client): Promise<string[]> {
  const keys: string[] = [];
  let marker: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {};
  while (marker) {
    const command: ListObjectVersionsCommand = new ListObjectVersionsCommand({ Bucket: BUCKET, ...marker });
    const page = await s3.send(command);
    keys.push(...(page.Versions ?? []).map(({ Key }) => Key!));
    marker = page.IsTruncated
      ? { KeyMarker: page.NextKeyMarker!, VersionIdMarker: page.NextVersionIdMarker! }
      : undefined;
  }
  return keys;
}

it(
  'after each kill -9 under load every acknowledged object reads back whole, and nothing else is there in part',
  { timeout: 600_000 },
  async () => {
    const dataFolder = temporaryFolder();
    const ledger = new Ledger();
    let killedInFlight = 0;
    try {
      for (let kill = 0; kill < KILLS; kill++) {
        const server = await startProcess(dataFolder);
        const s3 = clientOf(server, { maxAttempts: 1 });
        // What the last round acknowledged, at once; all of it at the end.
        const recent = [...ledger.acknowledged].slice(-12);
        for (const [key, digest] of recent) expect([key, await digestAt(s3, key)]).toEqual([key, digest]);
        let gone = false;
        const target = ledger.acknowledged.size + randomInt(1, 25);
        const writing = Array.from({ length: WRITERS }, () => writeUntilGone(s3, ledger, () => gone));
        const enough = (async () => {
          while (ledger.acknowledged.size < target) await new Promise(setImmediate);
        })();
        await Promise.race([enough, Promise.all(writing)]);
        gone = true;
        await server.kill();
        await Promise.all(writing);
        killedInFlight += Number(ledger.attempted.size > ledger.acknowledged.size);
        s3.destroy();
      }
      const server = await startProcess(dataFolder);
      const s3 = clientOf(server);
      const keys = await listKeys(s3);
      expect(new Set(keys).size).toBe(keys.length);
      // Every object there is one that was sent whole; every acknowledged one is there.
      for (const key of keys)
        expect([key, await digestAt(s3, key)]).toEqual([key, ledger.attempted.get(key)]);
      const there = new Set(keys);
      expect([...ledger.acknowledged.keys()].filter((key) => !there.has(key))).toEqual([]);
      expect(ledger.acknowledged.size).toBeGreaterThanOrEqual(KILLS);
      // Otherwise the load would not have been one.
      expect(killedInFlight).toBe(KILLS);
      s3.destroy();
      expect(await server.terminate()).toBe(0);
      const unfinished = readdirSync(join(dataFolder, 's3', BUCKET)).filter((name) => name.endsWith('.new'));
      expect(unfinished).toEqual([]);
    } finally {
      rmSync(dataFolder, { recursive: true, force: true });
    }
  },
);
