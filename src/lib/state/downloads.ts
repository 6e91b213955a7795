import type { DownloadForm, DownloadStream, Preview } from '../protocol/transfer.ts';
import type { FileRow } from '../protocol/drive.ts';
import type { CodePrompt } from './code-prompt.svelte.ts';
import type { CryptoWorker } from '../platform/crypto-worker.ts';
import { pickPlace, saveFile, saveStream } from '../platform/saving.ts';
import { activeServiceWorker } from '../platform/service-worker.ts';
import type { Transfers } from './transfers.svelte.ts';
import { DOWNLOAD, PURPOSE } from './texts/en.ts';

/** A file as it is now, or an earlier version of it, by its blob. */
interface FileContent {
  readonly file: string;
  readonly version?: string;
}

function contentOf(file: string, version: string | undefined): FileContent {
  return { file, ...(version !== undefined && { version }) };
}

/** The key of what a file is now comes with the code that is asked for. */
function withCode({ file, version }: FileContent): { readonly file?: string } {
  return version === undefined ? { file } : {};
}

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
   * @param version an earlier one, by its blob
   * @throws {DOMException} `AbortError` then
   */
  preview({ entry, name }: FileRow, isAwaited: () => boolean, version?: string): Promise<Preview> {
    const of = contentOf(entry, version);
    return this.#prompt.run(PURPOSE.open(name), () => this.#worker.send('file/preview', of), {
      ...withCode(of),
      isAwaited,
    });
  }

  /** Into the browser's downloads: a stream by the service worker, a file in OPFS where there is none. */
  async save(row: FileRow, form: DownloadForm, version?: string): Promise<void> {
    const serviceWorker = await activeServiceWorker();
    const of = contentOf(row.entry, version);
    if (serviceWorker && (await this.#saveStream(serviceWorker, row.name, of, form))) return;
    const { name } = row;
    const { opfs } = await this.#prompt.run(
      PURPOSE.download(name),
      () => this.#worker.send('download/write', { ...of, form }),
      withCode(of),
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
    name: string,
    of: FileContent,
    form: DownloadForm,
  ): Promise<boolean> {
    const send = () => this.#worker.send('download/stream', { ...of, form });
    return this.#handOver(serviceWorker, PURPOSE.download(name), send, withCode(of));
  }

  /** @returns false when the service worker does not take it */
  async #handOver(
    serviceWorker: ServiceWorker,
    purpose: string,
    send: () => Promise<DownloadStream>,
    wanting: { readonly file?: string } = {},
  ): Promise<boolean> {
    const stream = await this.#prompt.run(purpose, send, wanting);
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
