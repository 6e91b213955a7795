import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Random } from './random.ts';

/** How often of 1 a request meets what; the rest goes well. */
export interface Weather {
  /** Gone before it has an effect. */
  readonly lost: number;
  /** Has its effect; nobody hears of it. */
  readonly replyLost: number;
  /** Taken for lost, and has its effect at some later moment. */
  readonly late: number;
  /** 503, without an effect. */
  readonly slowDown: number;
  /** 409 ConditionalRequestConflict, without an effect. */
  readonly conflict: number;
  /** The broker that sent it ends, before the effect or after. */
  readonly crash: number;
}

/** What S3 may do wrong, to show that the checks see it. */
export type Defect =
  'none' | 'ignores If-None-Match' | 'ignores If-Match' | 'forgets writes' | 'reads what was before';

/** As the SDK counts them: the first and two more. */
const TRIES = 3;

/** What waits for its turn: one request on its way, or a pause. */
type Pending = () => void;

/**
 * S3's reads, listings and conditional writes as a model, whose every step is chosen by a seed: which of the requests
 * under way comes next, and what becomes of it. Nothing in it happens by itself or at a time.
 */
export class ModelS3 {
  readonly objects = new Map<string, Buffer>();
  /** Requests that reached S3, with those of them that had an effect. */
  readonly counted = { requests: 0, faults: 0 };
  readonly #random: Random;
  readonly #weather: Weather;
  readonly #defect: Defect;
  readonly #pending: Pending[] = [];
  readonly #before = new Map<string, Buffer>();

  constructor(random: Random, weather: Weather, defect: Defect = 'none') {
    this.#random = random;
    this.#weather = weather;
    this.#defect = defect;
  }

  /** One broker's client: it retries as the SDK does, and goes silent when its broker has ended. */
  client(): S3Client & { readonly ended: () => boolean } {
    let ended = false;
    const send = async (command: unknown): Promise<unknown> => {
      let last: unknown;
      for (let tries = 0; tries < TRIES; tries += 1) {
        try {
          return await this.#turn(() => {
            if (ended) throw fault('broker ended');
            return this.#request(command, () => {
              ended = true;
            });
          });
        } catch (error) {
          last = error;
          const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
          if (ended || (status !== undefined && status !== 503)) throw error;
        }
      }
      throw last;
    };
    return { send, ended: () => ended } as unknown as S3Client & { readonly ended: () => boolean };
  }

  /** A moment in which others may go first. */
  pause(): Promise<void> {
    return this.#turn(() => undefined);
  }

  /** Lets one after the other of what waits happen, in an order of its own, until `done`. */
  async run(done: Promise<unknown>): Promise<void> {
    const state = { running: true };
    const end = (): void => {
      state.running = false;
    };
    void done.then(end, end);
    while (state.running) {
      // All that follows from the step before has been asked for by then.
      await new Promise<void>((resolve) => setImmediate(resolve));
      const next = this.#pending.splice(this.#random.below(this.#pending.length), 1)[0];
      next?.();
    }
    // What was taken for lost and has not landed yet lands now.
    for (const late of this.#pending.splice(0)) late();
  }

  #turn<Result>(act: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#pending.push(() => {
        try {
          resolve(act());
        } catch (error) {
          reject(error instanceof Error ? error : new Error('expected an error'));
        }
      });
    });
  }

  #request(command: unknown, crash: () => void): unknown {
    const act = (): unknown => this.#effect(command);
    const weather = this.#weather;
    this.counted.requests += 1;
    if (this.#random.chance(weather.crash)) {
      this.counted.faults += 1;
      if (this.#random.chance(0.5)) quietly(act);
      crash();
      throw fault('broker ended');
    }
    const kinds = ['lost', 'replyLost', 'late', 'slowDown', 'conflict'] as const;
    const kind = kinds.find((one) => this.#random.chance(weather[one]));
    if (kind === undefined || (kind === 'conflict' && !(command instanceof PutObjectCommand))) return act();
    this.counted.faults += 1;
    switch (kind) {
      case 'lost':
        throw fault('TimeoutError');
      case 'replyLost':
        quietly(act);
        throw fault('TimeoutError');
      case 'late':
        this.#pending.push(() => {
          quietly(act);
        });
        throw fault('TimeoutError');
      case 'slowDown':
        throw fault('SlowDown', 503);
      case 'conflict':
        throw fault('ConditionalRequestConflict', 409);
    }
  }

  #effect(command: unknown): unknown {
    if (command instanceof GetObjectCommand) {
      const key = command.input.Key ?? '';
      const stale = this.#defect === 'reads what was before' ? this.#before.get(key) : undefined;
      const bytes = stale ?? this.objects.get(key);
      if (!bytes) throw fault('NoSuchKey', 404);
      return {
        ETag: etagOf(bytes),
        Body: Readable.from([Buffer.from(bytes)]),
      };
    }
    if (command instanceof ListObjectsV2Command) return this.#list(command.input);
    if (!(command instanceof PutObjectCommand)) {
      throw new TypeError('the model knows reads, listings and writes alone');
    }
    const { Key = '', IfNoneMatch, IfMatch } = command.input;
    const there = this.objects.get(Key);
    if (IfNoneMatch !== undefined && there && this.#defect !== 'ignores If-None-Match')
      throw fault('PreconditionFailed', 412);
    if (IfMatch !== undefined && !there) throw fault('NoSuchKey', 404);
    if (IfMatch !== undefined && there && etagOf(there) !== IfMatch && this.#defect !== 'ignores If-Match') {
      throw fault('PreconditionFailed', 412);
    }
    const bytes = Buffer.from(command.input.Body as Uint8Array);
    if (there) this.#before.set(Key, there);
    if (this.#defect !== 'forgets writes' || !this.#random.chance(0.2)) this.objects.set(Key, bytes);
    return { ETag: etagOf(bytes) };
  }

  /** By UTF-8 bytes, as S3 does; the keys of the model are ASCII. */
  #list({ Prefix = '', StartAfter = '', MaxKeys = 1000 }: ListObjectsV2Command['input']): unknown {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(Prefix) && key > StartAfter).sort();
    const Contents = keys.slice(0, MaxKeys).map((Key) => ({ Key, Size: this.objects.get(Key)?.length }));
    return { Contents, KeyCount: Contents.length, IsTruncated: keys.length > MaxKeys };
  }
}

const etagOf = (bytes: Uint8Array): string => `"${createHash('md5').update(bytes).digest('hex')}"`;

/** As the SDK throws them: without a status when there was no answer. */
function fault(name: string, httpStatusCode?: number): Error {
  const error = new Error(name);
  error.name = name;
  return httpStatusCode === undefined ? error : Object.assign(error, { $metadata: { httpStatusCode } });
}

function quietly(act: () => unknown): void {
  try {
    act();
  } catch {
    // Nobody hears the answer.
  }
}
