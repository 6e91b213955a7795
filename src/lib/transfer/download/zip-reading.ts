import { makeZip, predictLength } from 'client-zip';
import type { BlobId, VaultId } from '$contract/ids.ts';
import { LIMITS } from '$contract/limits.ts';
import { blobGetUrls } from '$contract/vault-blobs.ts';
import type { Bytes } from '../../bytes.ts';
import { HalfkeyError } from '../../errors.ts';
import type { Broker } from '../../remote/broker.ts';
import { fetchEarly, readContent, type EarlyContent, type KeptParts, type Where } from './opening.ts';
import type { ZippedFile, ZipPlan } from './zip-plan.ts';

/** Small files whose bytes are on their way before their turn comes: many cost little more time than one. */
const AHEAD_FILES = 6;
const AHEAD_BYTES = 16 * 1024 * 1024;

/** A signed URL that is older than this is asked for anew: what is before it in the zip may take long. */
const URL_YOUNG_MS = (LIMITS.urlSeconds * 1000) / 2;

interface Zipping {
  readonly where: Where;
  /** By blob, 32 bytes each. */
  readonly keys: ReadonlyMap<string, Bytes>;
  readonly keptOf: (blob: string) => KeptParts | undefined;
}

/** Bytes of the whole zip: known before the first of them is made, so that one that ends early is noticed. */
export function zipSize({ emptyFolders, files }: ZipPlan): number {
  const entries = [
    ...emptyFolders.map((name) => ({ name })),
    ...files.map(({ path, stored }) => ({ name: path, size: stored.sizeBytes })),
  ];
  return Number(predictLength(entries));
}

/**
 * The zip, piece by piece, each the taker's. Files come one after the other; each is given to its end only after it was
 * found to be the one that the journal pins.
 * @throws {HalfkeyError} as `readContent`, of the first file that cannot be read: then the zip ends there
 */
export async function* readZip(plan: ZipPlan, zipping: Zipping, signal: AbortSignal): AsyncGenerator<Bytes> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  // What the zip's own pieces are made of is used again for its directory: only the files' bytes may be given away.
  const given = new WeakSet<Uint8Array>();
  const reader = makeZip(entriesOf(plan, zipping, given, either)).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield given.has(value) ? (value as Bytes) : value.slice();
    }
  } finally {
    stop.abort(new DOMException('nobody reads on', 'AbortError'));
    void reader.cancel().catch(() => undefined);
  }
}

function* entriesOf(
  { emptyFolders, files }: ZipPlan,
  zipping: Zipping,
  given: WeakSet<Uint8Array>,
  signal: AbortSignal,
) {
  for (const name of emptyFolders) yield { name };
  const ahead = new Ahead(files, zipping, signal);
  try {
    for (const [index, file] of files.entries()) {
      const { path: name, modifiedAtMs, stored } = file;
      const content = ahead.content(index);
      const input = noted(content, stored.sizeBytes, given);
      yield { name, lastModified: new Date(modifiedAtMs), size: stored.sizeBytes, input };
      signal.throwIfAborted();
    }
  } finally {
    ahead.abandon();
  }
}

async function* noted(
  content: AsyncGenerator<Bytes>,
  sizeBytes: number,
  given: WeakSet<Uint8Array>,
): AsyncGenerator<Bytes> {
  let doneBytes = 0;
  for await (const bytes of content) {
    doneBytes += bytes.length;
    given.add(bytes);
    yield bytes;
  }
  if (doneBytes !== sizeBytes)
    throw new HalfkeyError('ciphertext_truncated', `expected ${String(sizeBytes)} bytes`);
}

/** The files of a zip, the next small ones on their way. */
class Ahead {
  readonly #files: readonly ZippedFile[];
  readonly #zipping: Zipping;
  readonly #signal: AbortSignal;
  readonly #firstUrl: NonNullable<Where['firstUrl']>;
  readonly #fetched = new Map<number, EarlyContent>();
  #next = 0;
  #bytes = 0;

  constructor(files: readonly ZippedFile[], zipping: Zipping, signal: AbortSignal) {
    this.#files = files;
    this.#zipping = zipping;
    this.#signal = signal;
    const urls = new ZipUrls(files, zipping.where);
    this.#firstUrl = (blob) => urls.of(blob, signal);
  }

  /** Of the file at this place, which is asked for once, in their order. */
  async *content(index: number): AsyncGenerator<Bytes> {
    const file = this.#files[index];
    const key = file && this.#zipping.keys.get(file.stored.blob);
    if (!key) throw new HalfkeyError('key_absent', 'no key was released for a file');
    this.#fill(index);
    const early = this.#fetched.get(index);
    if (!early) {
      yield* readContent(this.#where(file), file.stored, key, this.#signal);
      return;
    }
    yield* early.read(key);
    this.#fetched.delete(index);
    this.#bytes -= file.stored.sealedBytes;
  }

  abandon(): void {
    for (const early of this.#fetched.values()) early.abandon();
  }

  #fill(from: number): void {
    this.#next = Math.max(this.#next, from);
    for (;;) {
      const file = this.#files[this.#next];
      const isFull = this.#fetched.size >= AHEAD_FILES || this.#bytes >= AHEAD_BYTES;
      if (!file || (isFull && this.#next > from)) return;
      const early = fetchEarly(this.#where(file), file.stored, this.#signal);
      if (!early && this.#next > from) return; // A large one fills the line by itself when its turn comes.
      if (early) {
        this.#fetched.set(this.#next, early);
        this.#bytes += file.stored.sealedBytes;
      }
      this.#next += 1;
    }
  }

  #where({ stored }: ZippedFile): Where {
    const { where, keptOf } = this.#zipping;
    return { ...where, kept: keptOf(stored.blob), firstUrl: this.#firstUrl };
  }
}

interface UrlsAsked {
  readonly atMs: number;
  readonly urls: Promise<ReadonlyMap<string, string>>;
}

/** The URLs of a zip's files, by the hundred. */
class ZipUrls {
  readonly #places: ReadonlyMap<BlobId, number>;
  readonly #files: readonly ZippedFile[];
  readonly #where: Where;
  /** By blob. */
  readonly #asked = new Map<BlobId, UrlsAsked>();

  constructor(files: readonly ZippedFile[], where: Where) {
    this.#files = files;
    this.#where = where;
    this.#places = new Map(files.map(({ stored }, index) => [stored.blob, index]));
  }

  async of(blob: BlobId, signal: AbortSignal): Promise<{ url: string; askedAtMs: number } | undefined> {
    const known = this.#asked.get(blob);
    const asked = known && Date.now() - known.atMs < URL_YOUNG_MS ? known : this.#askFrom(blob, signal);
    const url = (await asked.urls).get(blob);
    this.#asked.delete(blob);
    return url === undefined ? undefined : { url, askedAtMs: asked.atMs };
  }

  #askFrom(first: BlobId, signal: AbortSignal): UrlsAsked {
    const from = this.#places.get(first) ?? 0;
    const blobs = this.#files.slice(from, from + LIMITS.batch).map(({ stored }) => stored.blob);
    const asked = { atMs: Date.now(), urls: askUrls(this.#where, blobs, signal) };
    asked.urls.catch(() => undefined); // Whoever waits for one of them meets it.
    for (const blob of blobs) this.#asked.set(blob, asked);
    return asked;
  }
}

async function askUrls(
  { broker, vault, ways }: { readonly broker: Broker; readonly vault: VaultId } & Pick<Where, 'ways'>,
  blobs: readonly BlobId[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const ask = () => broker.call(blobGetUrls, { blobs: [...blobs] }, { vault, signal });
  const { urls } = await (ways ? ways.broker(ask, signal) : ask());
  return new Map(urls.map(({ blob, url }) => [blob, url]));
}
