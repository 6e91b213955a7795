import type { DownloadForm, DownloadStream, Preview } from '../protocol/transfer.ts';
import type { FileRow } from '../protocol/drive.ts';
import type { CodePrompt } from './code-prompt.svelte.ts';
import type { CryptoWorker } from '../platform/crypto-worker.ts';
import { pickPlace, saveFile, saveStream } from '../platform/saving.ts';
import { activeServiceWorker } from '../platform/service-worker.ts';
import type { Transfers } from './transfers.svelte.ts';
import { DOWNLOAD, PURPOSE } from './texts/en.ts';

/** Opening and saving files; each asks for a code when it turns out to need one. */
export class Downloads {
  readonly #worker: CryptoWorker;
  readonly #prompt: CodePrompt;
  readonly #transfers: Transfers;

  constructor(worker: CryptoWorker, prompt: CodePrompt, transfers: Transfers) {
    this.#worker = worker;
    this.#prompt = prompt;
    this.#transfers = transfers;
  }

  /**
   * @param isAwaited whether somebody still waits for it: else no code is asked for
   * @throws {DOMException} `AbortError` then
   */
  preview({ entry: file, name }: FileRow, isAwaited: () => boolean): Promise<Preview> {
    return this.#prompt.run(PURPOSE.open(name), () => this.#worker.send('file/preview', { file }), {
      file,
      isAwaited,
    });
  }

  /** Into the browser's downloads: a stream by the service worker, a file in OPFS where there is none. */
  async save(row: FileRow, form: DownloadForm): Promise<void> {
    const serviceWorker = await activeServiceWorker();
    if (serviceWorker && (await this.#saveStream(serviceWorker, row, form))) return;
    const { entry: file, name } = row;
    const { opfs } = await this.#prompt.run(
      PURPOSE.download(name),
      () => this.#worker.send('download/write', { file, form }),
      { file },
    );
    if (opfs) saveFile(opfs, form === 'sealed' ? `${name}.floe` : name);
  }

  /** Into a place that people choose. @throws {DOMException} `AbortError` when they do not */
  async saveAs({ entry: file, name }: FileRow): Promise<void> {
    const handle = await pickPlace(name);
    await this.#prompt.run(
      PURPOSE.save(name),
      () => this.#worker.send('download/write', { file, form: 'plain', handle }),
      { file },
    );
  }

  /**
   * Files and folders as one zip, into the browser's downloads.
   * @param name of the only one of them; undefined where there are several
   */
  async saveZip(entries: readonly string[], name?: string): Promise<void> {
    const purpose = name === undefined ? PURPOSE.downloadMany(entries.length) : PURPOSE.download(name);
    const serviceWorker = await activeServiceWorker();
    const send = () => this.#worker.send('download/zip', { entries });
    if (serviceWorker && (await this.#handOver(serviceWorker, purpose, send))) return;
    const written = await this.#prompt.run(purpose, () =>
      this.#worker.send('download/zip-write', { entries }),
    );
    if (written.opfs) saveFile(written.opfs, written.name);
  }

  #saveStream(
    serviceWorker: ServiceWorker,
    { entry: file, name }: FileRow,
    form: DownloadForm,
  ): Promise<boolean> {
    const send = () => this.#worker.send('download/stream', { file, form });
    return this.#handOver(serviceWorker, PURPOSE.download(name), send, file);
  }

  /** @returns false when the service worker does not take it */
  async #handOver(
    serviceWorker: ServiceWorker,
    purpose: string,
    send: () => Promise<DownloadStream>,
    file?: string,
  ): Promise<boolean> {
    const stream = await this.#prompt.run(purpose, send, file === undefined ? {} : { file });
    const saving = await saveStream(serviceWorker, stream, DOWNLOAD);
    if (saving) {
      this.#transfers.follow(stream.transfer, saving);
      return true;
    }
    await this.#transfers.cancel(stream.transfer);
    await this.#transfers.dismiss(stream.transfer);
    return false;
  }
}
