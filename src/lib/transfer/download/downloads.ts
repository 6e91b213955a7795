import { BlobId } from '$contract/ids.ts';
import * as v from 'valibot';
import { release, type Bytes } from '../../bytes.ts';
import { randomId } from '../../crypto/random.ts';
import { HalfkeyError } from '../../errors.ts';
import type { Version } from '../../journal/entries/operations.ts';
import type { OpenVault } from '../../vault/open-vault.ts';
import type { DownloadForm, DownloadStream, Preview, TransferPhase } from '../../protocol/transfer.ts';
import { DownloadLine, type Demand } from './download-line.ts';
import { feed } from './download-stream.ts';
import { TransferTracker, type Reporter } from '../transfer-tracker.ts';
import { fetchEarly, readContent, readSealed, type KeptParts, type StoredBlob } from './opening.ts';
import { collectPreview, isPreviewable } from './preview.ts';
import { releaseKey, releaseKeys } from '../../vault/release.ts';
import { createSink, removeDownload } from './sink.ts';
import { Pause } from './pause.ts';
import { planZip, tooLarge } from './zip-plan.ts';
import { readZip, zipSize } from './zip-reading.ts';

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

/** Opens what is to go down; `demand` of what is shown as a transfer, and may wait for a server. */
type Opening = (signal: AbortSignal, demand: Demand | undefined) => Promise<Source>;

/** What goes into a zip: ids of files and folders, and the zip's name without its ending where they are several. */
export interface Zipped {
  readonly entries: readonly string[];
  readonly name?: string;
}

/** One on its way down, or ended and not dismissed. */
interface Running {
  readonly entry: TransferTracker;
  readonly controller: AbortController;
  readonly demand: Demand | undefined;
  readonly pause: Pause;
}

/** A download that is on this device. */
export interface Written {
  readonly transfer: string;
  /** That it is to be saved under. */
  readonly name: string;
  /** In OPFS, and still to be offered; absent where it went into a file that was picked. */
  readonly opfs?: File;
}

const PAUSABLE: ReadonlySet<TransferPhase> = new Set(['downloading', 'waiting-for-network']);

const ZIP_NAME = 'Halfkey';

/**
 * A browser takes what it is offered some time after, and nothing tells when it has. Until then the whole file is in
 * OPFS in the clear.
 */
const RESTS_FOR_MS = 60_000;

/** The files on their way down. A content key lives as long as its download. */
export class Downloads {
  readonly #vault: () => OpenVault;
  readonly #reporter: Reporter;
  readonly #nowMs: () => number;
  readonly #keptOf: (blob: string) => KeptParts | undefined;
  readonly #line = new DownloadLine();
  readonly #running = new Map<string, Running>();
  /** Of everything that is being opened, or read; from before its key is asked for. */
  readonly #controllers = new Set<AbortController>();
  /** Those that are in OPFS in the clear, until the browser has taken them, and what will remove them. */
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

  /**
   * For the service worker's stream.
   * @param version by its blob; the newest when undefined
   * @throws {HalfkeyError} `locked`, `key_absent`, … before anything is sent
   */
  stream(file: string, form: DownloadForm, version?: string): Promise<DownloadStream> {
    return this.#stream(form, this.#ofFile(file, form, version));
  }

  /** The same for a zip. @throws {HalfkeyError} `zip_too_large`, `not_found` too */
  zip(zipped: Zipped): Promise<DownloadStream> {
    return this.#stream('plain', this.#ofZip(zipped));
  }

  async #stream(form: DownloadForm, opening: Opening): Promise<DownloadStream> {
    const controller = new AbortController();
    const source = await this.#open(opening, controller, this.#demand(form, controller));
    const entry = this.#enter(source, controller, true);
    const { port1, port2 } = new MessageChannel();
    void this.#run(entry, source, controller, () =>
      feed(this.#counted(source.bytes, entry), port1, controller.signal),
    );
    return { port: port2, transfer: entry.transfer, name: source.name, sizeBytes: source.sizeBytes };
  }

  /** Into a file that was picked, or into OPFS. Resolves when all is written and was found whole. */
  write(file: string, form: DownloadForm, handle?: FileSystemFileHandle, version?: string): Promise<Written> {
    return this.#write(form, this.#ofFile(file, form, version), handle);
  }

  writeZip(zipped: Zipped, handle?: FileSystemFileHandle): Promise<Written> {
    return this.#write('plain', this.#ofZip(zipped), handle);
  }

  async #write(
    form: DownloadForm,
    opening: Opening,
    handle: FileSystemFileHandle | undefined,
  ): Promise<Written> {
    const controller = new AbortController();
    const source = await this.#open(opening, controller, this.#demand(form, controller));
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
    const { transfer } = entry;
    return { transfer, name: source.name, ...(written.result && { opfs: written.result }) };
  }

  /** What can be looked at in place; `none` for what cannot, without asking for a key. */
  async preview(file: string, wanted?: string): Promise<Preview> {
    const { version } = this.#find(file, wanted);
    if (!isPreviewable(version)) return { kind: 'none' };
    const controller = new AbortController();
    const source = await this.#open(this.#ofFile(file, 'plain', wanted), controller);
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

  /** What was asked for comes still, and no more. */
  pause(transfer: string): void {
    const running = this.#running.get(transfer);
    if (!running || !PAUSABLE.has(running.entry.phase)) return;
    running.pause.begin();
    running.entry.enter('paused');
  }

  goOn(transfer: string): void {
    const running = this.#running.get(transfer);
    if (running?.entry.phase !== 'paused') return;
    running.entry.enter('downloading');
    running.pause.end();
  }

  dismiss(transfer: string): void {
    const running = this.#running.get(transfer);
    if (!running?.entry.ended) return;
    this.#running.delete(transfer);
    running.entry.forget();
    this.#remove(transfer);
  }

  /**
   * Locked, for whatever reason: nothing that was opened stays open. What moves may come to its end, but nothing waits
   * with an open key for a server that may be silent for days.
   */
  locked(): void {
    for (const transfer of [...this.#resting.keys()]) this.#remove(transfer);
    for (const { entry, demand, controller } of this.#running.values()) {
      const keepsKey = entry.phase === 'paused' && demand?.mayWait() !== true;
      if (keepsKey) controller.abort(new HalfkeyError('locked', 'paused, and the drive is locked'));
    }
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

  /** @param wanted of its versions, by its blob; the newest when undefined */
  #find(file: string, wanted?: string): { name: string; version: Version } {
    const { state } = this.#vault().journal;
    const entry = state.entry(file);
    const version =
      wanted === undefined
        ? state.newestVersion(file)
        : state.versionsOf(file).find(({ blob }) => blob === wanted);
    if (!entry || !version) throw new HalfkeyError('not_found', 'the journal has no such file');
    return { name: entry.name, version };
  }

  /**
   * What is opened waits with an open key, and so not beyond the code that bought it; what goes out as it is stored has
   * none.
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
  async #open(opening: Opening, controller: AbortController, demand?: Demand): Promise<Source> {
    this.#controllers.add(controller);
    try {
      return await opening(controller.signal, demand);
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

  /** All of its keys are here before the first byte is: a zip that began ends, whatever becomes of the code. */
  #ofZip({ entries, name }: Zipped): Opening {
    return async (signal, demand) => {
      const vault = this.#vault();
      vault.requireGrant();
      const plan = planZip(vault.journal.state, entries);
      const most = vault.releasesOfCode?.() ?? Number.POSITIVE_INFINITY;
      if (plan.files.length > most) throw tooLarge(plan.files.length, most);
      const keys = await releaseAll(
        vault,
        plan.files.map(({ stored }) => stored),
        signal,
      );
      const wipe = () => {
        for (const key of keys.values()) key.fill(0);
      };
      if (signal.aborted) wipe(); // Locked while the halves were on their way.
      signal.throwIfAborted();
      const ways = demand && this.#line.waysFor(demand);
      const where = { ...vault, ...(ways && { ways }) };
      return {
        name: `${plan.name ?? name ?? ZIP_NAME}.zip`,
        mediaType: 'application/zip',
        sizeBytes: zipSize(plan),
        bytes: readZip(plan, { where, keys, keptOf: this.#keptOf }, signal),
        wipe,
        ...(demand && { demand }),
      };
    };
  }

  #ofFile(file: string, form: DownloadForm, wanted?: string): Opening {
    return (signal, demand) => this.#openFile(this.#find(file, wanted), form, signal, demand);
  }

  async #openFile(
    { name, version }: { readonly name: string; readonly version: Version },
    form: DownloadForm,
    signal: AbortSignal,
    demand: Demand | undefined,
  ): Promise<Source> {
    const vault = this.#vault();
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
    const { url } = ahead ?? {};
    const askedAtMs = Date.now();
    const from =
      url === undefined ? where : { ...where, firstUrl: () => Promise.resolve({ url, askedAtMs }) };
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
    const pause = new Pause(controller.signal);
    this.#running.set(entry.transfer, { entry, controller, demand, pause });
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
      await this.#running.get(entry.transfer)?.pause.isOver();
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

/** @throws {HalfkeyError} why the first that does not open does not: then none of the keys is left */
async function releaseAll(
  vault: OpenVault,
  blobs: readonly StoredBlob[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Bytes>> {
  const released = await releaseKeys(vault, 'file', blobs, signal);
  const keys = new Map<string, Bytes>();
  let refused: HalfkeyError | undefined;
  for (const [blob, key] of released) {
    if (key instanceof Uint8Array) keys.set(blob, key);
    else refused ??= key;
  }
  if (!refused) return keys;
  for (const key of keys.values()) key.fill(0);
  throw refused;
}
