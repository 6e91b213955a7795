import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from './durable.ts';

/** One rule of a bucket's CORS configuration. */
export interface CorsRule {
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  /** Request headers, which may hold one `*` each. */
  readonly headers: readonly string[];
  readonly exposed: readonly string[];
  readonly maxAgeSeconds: number | undefined;
  readonly id: string | undefined;
}

/** What is set on a bucket as a whole. */
export interface BucketSettings {
  readonly createdMs: number;
  /** Undefined: versioning was never switched on. */
  readonly versioning: 'Enabled' | 'Suspended' | undefined;
  readonly cors: readonly CorsRule[] | undefined;
  /** The policy document as it was put, JSON text. */
  readonly policy: string | undefined;
}

const FILE_NAME = 'settings.json';

/** Reads a bucket's settings; the file's existence is what makes a folder a bucket. */
export async function readSettings(folder: string): Promise<BucketSettings> {
  return JSON.parse(await readFile(join(folder, FILE_NAME), 'utf8')) as BucketSettings;
}

/** Replaces them, crash-safe. */
export async function writeSettings(folder: string, settings: BucketSettings): Promise<void> {
  await replaceFile(join(folder, FILE_NAME), JSON.stringify(settings, undefined, 2));
}
