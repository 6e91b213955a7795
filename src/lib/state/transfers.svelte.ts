import type { TransferReport } from '../worker/protocol.ts';
import type { Announcer } from './announcer.svelte.ts';
import type { CryptoWorker } from './crypto-worker.ts';

/** Figures that change faster than this cannot be read. */
const TICK_MS = 500;
/** More rows than anybody reads; what is done gives way first. */
const SHOWN_ROWS = 100;

const ENDED: readonly TransferReport['phase'][] = ['done', 'cancelled', 'failed'];

/** Somebody who goes along with a transfer. */
interface Follower {
  /** With each report of it. */
  readonly keepAwake: () => void;
  /** Once, when it ends or is forgotten. */
  readonly end: () => void;
}

/** Whether a transfer has come to its end, good or bad. */
function hasEnded({ phase }: TransferReport): boolean {
  return ENDED.includes(phase);
}

/** What is going up and down, and what became of it. */
export class Transfers {
  readonly #worker: CryptoWorker;
  readonly #announcer: Announcer;
  readonly #latest = new Map<string, TransferReport>();
  readonly #followers = new Map<string, Follower>();
  #all = $state.raw<readonly TransferReport[]>([]);
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #underWay = $derived(this.#all.filter((transfer) => !hasEnded(transfer)).length);
  readonly #waitingForCode = $derived(this.#all.filter(({ phase }) => phase === 'waiting-for-code').length);

  constructor(worker: CryptoWorker, announcer: Announcer) {
    this.#worker = worker;
    this.#announcer = announcer;
  }

  get count(): number {
    return this.#all.length;
  }

  get underWay(): number {
    return this.#underWay;
  }

  get waitingForCode(): number {
    return this.#waitingForCode;
  }

  /** The rows to show, oldest first; of very many, those that still want something. */
  get shown(): readonly TransferReport[] {
    if (this.#all.length <= SHOWN_ROWS) return this.#all;
    const wanting = this.#all.filter(({ phase }) => phase !== 'done' && phase !== 'cancelled');
    return (wanting.length > 0 ? wanting : this.#all).slice(0, SHOWN_ROWS);
  }

  apply(report: TransferReport): void {
    const before = this.#latest.get(report.transfer)?.phase;
    this.#latest.set(report.transfer, report);
    this.#followers.get(report.transfer)?.keepAwake();
    if (before === report.phase) {
      this.#timer ??= setTimeout(() => {
        this.#publish();
      }, TICK_MS);
      return;
    }
    this.#publish();
    if (hasEnded(report)) this.#end(report);
  }

  forget(transfer: string): void {
    this.#latest.delete(transfer);
    this.#settle(transfer);
    this.#publish();
  }

  follow(transfer: string, follower: Follower): void {
    const report = this.#latest.get(transfer);
    if (report && hasEnded(report)) follower.end();
    else this.#followers.set(transfer, follower);
  }

  upload(files: readonly File[]): Promise<void> {
    return this.#worker.send('upload/add', { files: [...files] });
  }

  cancel(transfer: string): Promise<void> {
    return this.#worker.send('transfer/cancel', { transfer });
  }

  retry(transfer: string): Promise<void> {
    return this.#worker.send('transfer/retry', { transfer });
  }

  dismiss(transfer: string): Promise<void> {
    return this.#worker.send('transfer/dismiss', { transfer });
  }

  /** Dismisses all that ended well, or was cancelled. What failed stays until somebody has seen to it. */
  async dismissDone(): Promise<void> {
    const done = this.#all.filter(({ phase }) => phase === 'done' || phase === 'cancelled');
    await Promise.all(done.map(({ transfer }) => this.dismiss(transfer)));
  }

  clear(): void {
    for (const transfer of [...this.#followers.keys()]) this.#settle(transfer);
    this.#latest.clear();
    this.#publish();
  }

  #publish(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#all = [...this.#latest.values()];
  }

  #end(report: TransferReport): void {
    this.#settle(report.transfer);
    if (report.phase === 'done') {
      this.#announcer.say(`“${report.name}” is ${report.direction === 'up' ? 'uploaded' : 'downloaded'}.`);
    } else if (report.phase === 'failed') {
      this.#announcer.say(`“${report.name}” has failed.`);
    }
  }

  #settle(transfer: string): void {
    this.#followers.get(transfer)?.end();
    this.#followers.delete(transfer);
  }
}
