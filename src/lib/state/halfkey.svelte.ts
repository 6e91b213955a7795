import { createContext } from 'svelte';
import { WorkerHost } from '../worker/host.ts';
import type { Factor, FileRow, Phase, Preview, Report } from '../worker/protocol.ts';
import { Announcer } from './announcer.svelte.ts';
import { CodePrompt } from './code-prompt.svelte.ts';
import type { CryptoWorker } from './crypto-worker.ts';
import { Downloads } from './downloads.ts';
import { Files } from './files.svelte.ts';
import { Notice } from './notice.svelte.ts';
import { Session } from './session.svelte.ts';
import { Transfers } from './transfers.svelte.ts';

/** All state of one page, around its one crypto worker. */
export class Halfkey {
  readonly announcer = new Announcer();
  readonly notice = new Notice();
  readonly session: Session;
  readonly files: Files;
  readonly transfers: Transfers;
  readonly prompt: CodePrompt;
  readonly downloads: Downloads;
  readonly #worker: CryptoWorker;

  constructor() {
    const worker = new WorkerHost((report) => {
      this.#apply(report);
    });
    this.#worker = worker;
    this.session = new Session(worker);
    this.files = new Files(worker);
    this.transfers = new Transfers(worker, this.announcer);
    this.prompt = new CodePrompt(worker);
    this.downloads = new Downloads(worker, this.prompt, this.transfers);
  }

  /** Deletes a file for good. @throws {HalfkeyError} when the code is refused, or the file is gone */
  async purge({ file, name }: FileRow, factor: Factor): Promise<void> {
    await this.#worker.send('file/purge', { file, factor });
    this.announcer.say(`“${name}” is deleted for good.`);
  }

  #apply(report: Report): void {
    switch (report.kind) {
      case 'phase':
        this.#enter(report.phase);
        return;
      case 'view':
        this.files.applyView(report);
        return;
      case 'transfer':
        this.transfers.apply(report.transfer);
        return;
      case 'transfer-gone':
        this.transfers.forget(report.transfer);
        return;
      case 'connection':
        this.session.connect(report.online);
        return;
      case 'alarm':
        this.session.raise(report.failure);
        return;
      default:
        report satisfies never;
    }
  }

  #enter(phase: Phase): void {
    const before = this.session.phase.phase;
    this.session.apply(phase);
    if (phase.phase === before) return;
    if (phase.phase === 'open') this.announcer.say('Halfkey is open.');
    if (phase.phase === 'locked' && before === 'open') this.announcer.say('Halfkey is locked.');
    if (phase.phase !== 'signed-out') return;
    this.prompt.dismiss();
    this.files.clear();
    this.transfers.clear();
    this.notice.dismiss();
    if (before !== 'starting') this.announcer.say('You are signed out.');
  }
}

const [getHalfkey, setHalfkey] = createContext<Halfkey>();
export { getHalfkey, setHalfkey };
export type { Factor, FileRow, Preview };
