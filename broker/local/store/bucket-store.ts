import { mkdir, readdir } from 'node:fs/promises';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { Refusal } from '../refusal.ts';
import { Bucket } from './bucket.ts';
import { writeSettings } from './bucket-settings.ts';
import { syncFolder } from './durable.ts';
import { KeyedLock } from './keyed-lock.ts';

/** All buckets, a folder each under the data folder. */
export class BucketStore {
  readonly #folder: string;
  readonly #buckets: Map<string, Bucket>;
  readonly #lock = new KeyedLock();

  private constructor(folder: string, buckets: Map<string, Bucket>) {
    this.#folder = folder;
    this.#buckets = buckets;
  }

  static async open(folder: string): Promise<BucketStore> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const buckets = new Map<string, Bucket>();
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      // A crash may have left a folder without settings: that bucket was never acknowledged.
      const whole = await access(join(path, 'settings.json')).then(
        () => true,
        () => false,
      );
      if (whole) buckets.set(name, await Bucket.open(path, name));
    }
    return new BucketStore(folder, buckets);
  }

  /** @throws {Refusal} 404 `NoSuchBucket` */
  get(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (!bucket)
      throw new Refusal(404, 'NoSuchBucket', 'the bucket does not exist', { details: { BucketName: name } });
    return bucket;
  }

  find(name: string): Bucket | undefined {
    return this.#buckets.get(name);
  }

  /** All buckets, by name. */
  list(): Bucket[] {
    return [...this.#buckets.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws {Refusal} 400 `InvalidBucketName`, 409 `BucketAlreadyOwnedByYou` */
  async create(name: string, nowMs: number): Promise<Bucket> {
    // The name becomes a folder's: only what S3 allows, so neither a separator nor "..".
    if (!/^[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]$/.test(name))
      throw new Refusal(400, 'InvalidBucketName', 'a bucket name is 3 to 63 of a-z, 0-9, "." and "-"');
    return this.#lock.run(name, async () => {
      if (this.#buckets.has(name))
        throw new Refusal(409, 'BucketAlreadyOwnedByYou', 'the bucket exists already', {
          details: { BucketName: name },
        });
      const path = join(this.#folder, name);
      await mkdir(path, { recursive: true });
      await writeSettings(path, {
        createdMs: nowMs,
        versioning: undefined,
        cors: undefined,
        policy: undefined,
      });
      await syncFolder(this.#folder);
      const bucket = await Bucket.open(path, name);
      this.#buckets.set(name, bucket);
      return bucket;
    });
  }

  async close(): Promise<void> {
    for (const bucket of this.#buckets.values()) await bucket.close();
  }
}
