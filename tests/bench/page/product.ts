import { WorkerHost } from '../../../src/lib/worker/host.ts';
import type { CommandName, Report } from '../../../src/lib/protocol/commands.ts';
import type { EntryRow, ViewQuery } from '../../../src/lib/protocol/drive.ts';

const BY_NAME: ViewQuery = {
  place: { kind: 'folder', folder: '' },
  search: '',
  sortBy: 'name',
  descending: false,
};
const ROWS_IN_SIGHT = 50;

/** The app's own crypto worker behind the app's own host, as its pages use it. */
export class Product {
  readonly #started = performance.now();
  readonly #host: WorkerHost;
  readonly #listeners = new Set<(report: Report) => void>();

  constructor() {
    this.#host = new WorkerHost((report) => {
      for (const listener of [...this.#listeners]) listener(report);
    });
  }

  send(command: string, args: object): Promise<unknown> {
    return this.#host.send(command as CommandName, args);
  }

  /**
   * From the worker's start until the first rows are here.
   * @returns their number and the drive's, and how long it took
   */
  async firstRow(): Promise<{ rows: number; files: number; ms: number }> {
    await this.#host.send('boot', {});
    const seen = this.#until((report) => (report.kind === 'view' && report.files > 0 ? report : undefined));
    await this.#host.send('view/set', BY_NAME);
    const { files } = await seen;
    const { rows } = await this.#host.send('view/rows', { from: 0, count: ROWS_IN_SIGHT });
    return { rows: rows.length, files, ms: performance.now() - this.#started };
  }

  /** Resolves when a file of that name is listed. @returns when that was, ms since 1970 */
  async awaitName(name: string): Promise<number> {
    const query = { ...BY_NAME, search: name };
    const seen = this.#until((report) => (report.kind === 'view' && report.total > 0 ? true : undefined));
    await this.#host.send('view/set', query);
    await seen;
    return Date.now();
  }

  /** From being picked until the journal names it. @returns ms */
  async upload(file: File | undefined): Promise<number> {
    if (!file) throw new TypeError('expected a picked file');
    const start = performance.now();
    const ended = this.#until((report) => {
      if (report.kind !== 'transfer' || report.transfer.name !== file.name) return undefined;
      const { phase, error } = report.transfer;
      if (phase === 'failed') throw new Error(`the upload failed: ${error?.code ?? phase}`);
      return phase === 'done' ? true : undefined;
    });
    await this.#host.send('upload/add', { files: [{ source: file, folder: '' }] });
    await ended;
    return performance.now() - start;
  }

  /** Into OPFS. */
  async download(name: string): Promise<File> {
    const { entry: file } = await this.#find(name);
    const { opfs } = await this.#host.send('download/write', { file, form: 'plain' });
    if (!opfs) throw new TypeError('expected a file in OPFS');
    return opfs;
  }

  async #find(name: string): Promise<EntryRow> {
    await this.awaitName(name);
    const { rows } = await this.#host.send('view/rows', { from: 0, count: 1 });
    if (!rows[0]) throw new TypeError('expected a row');
    return rows[0];
  }

  /**
   * The first report that `pick` makes something of; it fails when `pick` throws, or when the worker raises an alarm.
   */
  #until<Result>(pick: (report: Report) => Result | undefined): Promise<Result> {
    return new Promise((resolve, reject) => {
      const listener = (report: Report) => {
        try {
          if (report.kind === 'alarm') throw new Error(`the worker raised an alarm: ${report.failure.code}`);
          const result = pick(report);
          if (result === undefined) return;
          this.#listeners.delete(listener);
          resolve(result);
        } catch (error) {
          this.#listeners.delete(listener);
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      this.#listeners.add(listener);
    });
  }
}
