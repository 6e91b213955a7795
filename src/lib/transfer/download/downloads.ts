import { BlobId } from '$contract/ids.ts';
import * as v from 'valibot';
import { release, type Bytes } from '../../bytes.ts';
import { randomId } from '../../crypto/random.ts';
import { HalfkeyError } from '../../errors.ts';
import type { Version } from '../../journal/entries/operations.ts';
import type { OpenVault } from '../../vault/open-vault.ts';
import type { DownloadForm, DownloadStream, Preview } from '../../protocol/transfer.ts';
import { DownloadLine, type Demand } from './download-line.ts';
import { feed } from './download-stream.ts';
import { TransferTracker, type Reporter } from '../transfer-tracker.ts';
import { fetchEarly, readContent, readSealed, type KeptParts, type StoredBlob } from './opening.ts';
import { collectPreview, isPreviewable } from './preview.ts';
import { releaseKey } from '../../vault/release.ts';
import { createSink, removeDownload } from './sink.ts';

interface Source {
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly bytes: AsyncGenerator<Bytes>;
  /** Ends the content key: when nothing more is read, and also when nothing ever was. */
  readonly wipe: () => void;
  /** Absent for what is looked at: somebody waits before an empty page, and is told soon. */
  readonly demand?: Demand;
}

/**
 * A browser takes what it is offered some time after, and nothing tells when it has. Until then the whole file lies in
 * OPFS as it is.
 */
const RESTS_FOR_MS = 60_000;

/** The files on their way down. A content key lives as long as its download. */
export class Downloads {
  readonly #vault: () => OpenVault;
  readonly #reporter: Reporter;
  readonly #nowMs: () => number;
  readonly #keptOf: (blob: string) => KeptParts | undefined;
  readonly #line = new DownloadLine();
  readonly #running = new Map<string, { entry: TransferTracker; controller: AbortController }>();
  /** Of everything that is being opened, or read; from before its key is asked for. */
  readonly #controllers = new Set<AbortController>();
  /** Those that lie in OPFS as they are, until the browser has taken them, and what will remove them. */
  readonly #resting = new Map<string, ReturnType<typeof setTimeout>>();

  /** @param keptOf the parts of a blob, where they are stored on this device */
  constructor(
    vault: () => OpenVault,
    reporter: Reporter,
    nowMs: () => number,
    keptOf: (blob: string) => KeptParts | undefined,
  ) {
    this.#vault = vault;
    this.#keptOf = keptOf;
    this.#reporter = reporter;
    this.#nowMs = nowMs;
  }

  /** For the service worker's stream. @throws {HalfkeyError} `locked`, `key_absent`, … before anything is sent */
  async stream(file: string, form: DownloadForm): Promise<DownloadStream> {
    const controller = new AbortController();
    const source = await this.#open(file, form, controller, this.#demand(form, controller));
    const entry = this.#enter(source, controller, true);
    const { port1, port2 } = new MessageChannel();
    void this.#run(entry, source, controller, () =>
      feed(this.#counted(source.bytes, entry), port1, controller.signal),
    );
    return { port: port2, transfer: entry.transfer, name: source.name, sizeBytes: source.sizeBytes };
  }

  /** Into a file that was picked, or into OPFS. Resolves when all is written and was found whole. */
  async write(
    file: string,
    form: DownloadForm,
    handle?: FileSystemFileHandle,
  ): Promise<{ transfer: string; opfs?: File }> {
    const controller = new AbortController();
    const source = await this.#open(file, form, controller, this.#demand(form, controller));
    const entry = this.#enter(source, controller, handle === undefined);
    const written = await this.#run(entry, source, controller, async () => {
      const sink = await createSink(entry.transfer, handle);
      try {
        for await (const bytes of this.#counted(source.bytes, entry)) {
          await sink.write(bytes);
          release(bytes);
        }
        return await sink.finish();
      } catch (error) {
        await sink.discard();
        throw error;
      }
    });
    if (written.failure) throw written.failure.error;
    if (written.result) this.#rest(entry.transfer);
    return { transfer: entry.transfer, ...(written.result && { opfs: written.result }) };
  }

  /** What can be looked at in place; `none` for what cannot, without asking for a key. */
  async preview(file: string): Promise<Preview> {
    const { version } = this.#find(file);
    if (!isPreviewable(version)) return { kind: 'none' };
    const controller = new AbortController();
    const source = await this.#open(file, 'plain', controller);
    try {
      return await collectPreview(version.mediaType, source.bytes);
    } finally {
      this.#close(source, controller);
    }
  }

  /** @returns false when the id is not of a download */
  cancel(transfer: string): boolean {
    const running = this.#running.get(transfer);
    running?.controller.abort();
    return running !== undefined;
  }

  dismiss(transfer: string): void {
    const running = this.#running.get(transfer);
    if (!running?.entry.ended) return;
    this.#running.delete(transfer);
    running.entry.forget();
    this.#remove(transfer);
  }

  /**
   * Locked, whyever: nothing that was opened stays open. What moves may come to its end, but nothing waits with an open
   * key for a server that may be silent for days.
   */
  locked(): void {
    for (const transfer of [...this.#resting.keys()]) this.#remove(transfer);
    this.#line.locked();
  }

  /** Something has changed outside: what waits for a server is tried now. */
  wake(): void {
    this.#line.wake();
  }

  /** *Lock now*: what is being opened stops, so that no content key is left. */
  lockNow(): void {
    for (const controller of this.#controllers) {
      controller.abort(new HalfkeyError('locked', 'locked while it was being opened'));
    }
  }

  clear(): void {
    for (const controller of this.#controllers) controller.abort();
    for (const { entry } of this.#running.values()) entry.forget();
    this.#running.clear();
    this.locked();
  }

  #rest(transfer: string): void {
    const timer = setTimeout(() => {
      this.#remove(transfer);
    }, RESTS_FOR_MS);
    this.#resting.set(transfer, timer);
  }

  #remove(transfer: string): void {
    clearTimeout(this.#resting.get(transfer));
    this.#resting.delete(transfer);
    void removeDownload(transfer).catch(() => undefined); // Else it is swept at the next start.
  }

  #find(file: string): { name: string; version: Version } {
    const { state } = this.#vault().journal;
    const [entry, version] = [state.entry(file), state.newestVersion(file)];
    if (!entry || !version) throw new HalfkeyError('not_found', 'the journal has no such file');
    return { name: entry.name, version };
  }

  /**
   * What is opened waits with an open key, and so not beyond the code that bought it; what goes as it lies in the store
   * has none.
   */
  #demand(form: DownloadForm, controller: AbortController): Demand {
    return {
      mayWait: () => form === 'sealed' || this.#hasGrant(),
      giveUp: (silence) => {
        controller.abort(silence);
      },
    };
  }

  #hasGrant(): boolean {
    try {
      this.#vault().requireGrant();
      return true;
    } catch {
      return false; // Or nobody is signed in any more.
    }
  }

  /** @param demand of what is shown as a transfer, and may wait for a server */
  async #open(
    file: string,
    form: DownloadForm,
    controller: AbortController,
    demand?: Demand,
  ): Promise<Source> {
    this.#controllers.add(controller);
    try {
      return await this.#openNow(file, form, controller.signal, demand);
    } catch (error) {
      this.#controllers.delete(controller);
      if (demand) this.#line.leave(demand);
      throw error;
    }
  }

  #close({ wipe, demand }: Source, controller: AbortController): void {
    this.#controllers.delete(controller);
    if (demand) this.#line.leave(demand);
    wipe();
  }

  async #openNow(
    file: string,
    form: DownloadForm,
    signal: AbortSignal,
    demand: Demand | undefined,
  ): Promise<Source> {
    const vault = this.#vault();
    const { name, version } = this.#find(file);
    const stored: StoredBlob = { ...version, blob: v.parse(BlobId, version.blob) };
    const ways = demand && this.#line.waysFor(demand);
    const kept = this.#keptOf(stored.blob);
    const where = { ...vault, kept, ...(ways && { ways }) };
    const shown = { ...(demand && { demand }) };
    if (form === 'sealed') {
      const bytes = readSealed(where, stored, signal);
      return {
        name: `${name}.floe`,
        mediaType: 'application/octet-stream',
        sizeBytes: stored.sealedBytes,
        bytes,
        wipe: () => undefined,
        ...shown,
      };
    }
    vault.requireGrant(); // Without one nothing is fetched.
    const ahead = vault.takeReleased(stored);
    const from = { ...where, url: ahead?.url };
    const early = fetchEarly(from, stored, signal);
    const asked = () => releaseKey(vault, 'file', stored, signal);
    const contentKey =
      ahead?.contentKey ??
      (await asked().catch((error: unknown) => {
        early?.abandon();
        throw error;
      }));
    const wipe = () => {
      contentKey.fill(0);
      early?.abandon();
    };
    if (signal.aborted) wipe(); // Locked while the half was on its way.
    signal.throwIfAborted();
    const bytes = early?.read(contentKey) ?? readContent(from, stored, contentKey, signal);
    const about = { name, mediaType: version.mediaType, sizeBytes: stored.sizeBytes };
    return { ...about, bytes, wipe, ...shown };
  }

  /** @param isHandedOver whether it is the browser that writes it to where it shall be */
  #enter(source: Source, controller: AbortController, isHandedOver: boolean): TransferTracker {
    const { name, sizeBytes, demand } = source;
    const about = {
      transfer: randomId(),
      direction: 'down',
      name,
      totalBytes: sizeBytes,
      sizeBytes,
      ...(isHandedOver && { isHandedOver }),
    } as const;
    const entry = new TransferTracker(about, this.#reporter, this.#nowMs);
    this.#running.set(entry.transfer, { entry, controller });
    if (demand) demand.entry = entry;
    entry.enter('downloading');
    return entry;
  }

  async *#counted(source: AsyncGenerator<Bytes>, entry: TransferTracker): AsyncGenerator<Bytes> {
    let doneBytes = 0;
    for await (const bytes of source) {
      doneBytes += bytes.length;
      yield bytes;
      entry.progress(doneBytes);
    }
  }

  async #run<Result>(
    entry: TransferTracker,
    source: Source,
    controller: AbortController,
    work: () => Promise<Result>,
  ): Promise<{ result: Result; failure?: never } | { failure: { error: unknown }; result?: never }> {
    try {
      const result = await work();
      entry.enter('done');
      return { result };
    } catch (error) {
      entry.fail(error);
      return { failure: { error } };
    } finally {
      this.#close(source, controller);
    }
  }
}
