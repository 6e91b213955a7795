import type {
  PickedFile,
  TransferCounts,
  TransferPace,
  TransferReport,
  Unsent,
} from '../protocol/transfer.ts';
import type { Announcer } from './announcer.svelte.ts';
import type { CryptoWorker } from '../platform/crypto-worker.ts';
import { transferEnded } from './texts/en.ts';
import { TransferMeter } from './transfer-pace.ts';

/** Figures that change faster than this cannot be read. */
const TICK_MS = 500;
/** Of so many, each of which begins and ends, nobody follows a single one: they are looked at once per tick. */
const MANY = 500;
/** More rows than anybody reads; what is done gives way first. */
const SHOWN_ROWS = 100;

const ENDED: readonly TransferReport['phase'][] = ['done', 'cancelled', 'failed'];
/** Nothing happens to these until something else has. */
const RESTING: readonly TransferReport['phase'][] = [
  'waiting-for-network',
  'waiting-for-file',
  'waiting-for-code',
  'paused',
];

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

/** Whether it comes to nothing unless somebody sees to it. */
function wantsPerson({ phase }: TransferReport): boolean {
  return phase === 'failed' || phase === 'waiting-for-file';
}

/** Counts what there is. */
function countTransfers(transfers: readonly TransferReport[]): TransferCounts {
  const going = transfers.filter((transfer) => !hasEnded(transfer));
  const resting = going.filter(({ phase }) => RESTING.includes(phase)).length;
  return {
    all: transfers.length,
    underWay: going.length - resting,
    resting,
    paused: going.filter(({ phase }) => phase === 'paused').length,
    waitingForCode: going.filter(({ phase }) => phase === 'waiting-for-code').length,
    failed: transfers.filter(({ phase }) => phase === 'failed').length,
    uploaded: transfers.filter(({ phase, direction }) => phase === 'done' && direction === 'up').length,
    downloaded: transfers.filter(({ phase, direction }) => phase === 'done' && direction === 'down').length,
    atRisk: going.filter(({ isSafe, phase }) => !isSafe && phase !== 'waiting-for-file').length,
  };
}

/** What somebody has to see to comes first, then what moves, what waits, and what is over. */
function rank(report: TransferReport): number {
  if (wantsPerson(report)) return 0;
  if (hasEnded(report)) return 3;
  return report.phase === 'waiting' || RESTING.includes(report.phase) ? 2 : 1;
}

/**
 * Whether signing out would lose it: it is neither in the drive nor in the inbox, and somebody still wants it to be.
 */
function isUnsent({ direction, phase, isSafe, restsHere, canRetry }: TransferReport): boolean {
  if (direction === 'down' || phase === 'done' || phase === 'cancelled') return false;
  if (phase === 'failed') return canRetry;
  return phase !== 'waiting-for-code' || !isSafe || restsHere === true;
}

/** What is going up and down, and what became of it. */
export class Transfers {
  readonly #worker: CryptoWorker;
  readonly #announcer: Announcer;
  readonly #latest = new Map<string, TransferReport>();
  readonly #followers = new Map<string, Follower>();
  #all = $state.raw<readonly TransferReport[]>([]);
  #pace = $state.raw<TransferPace>({ done: 0, all: 0, doneBytes: 0, totalBytes: 0 });
  readonly #meter = new TransferMeter();
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #counts = $derived(countTransfers(this.#all));
  readonly #onPhase: (report: TransferReport) => void;

  /** @param onPhase hears of each transfer that has come into another phase */
  constructor(worker: CryptoWorker, announcer: Announcer, onPhase: (report: TransferReport) => void) {
    this.#worker = worker;
    this.#announcer = announcer;
    this.#onPhase = onPhase;
  }

  get counts(): TransferCounts {
    return this.#counts;
  }

  get pace(): TransferPace {
    return this.#pace;
  }

  /** What signing out would lose: also what is not taken in yet, and what has failed and may be tried again. */
  get unsent(): Unsent {
    const unsent = this.#all.filter(isUnsent);
    return { count: unsent.length, sizeBytes: unsent.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
  }

  /**
   * Uploads that are to come into the drive and are not in it yet. `isMoving`: something is happening to one of them.
   */
  get arriving(): { count: number; isMoving: boolean } {
    const arriving = this.#all.filter((report) => report.direction === 'up' && !hasEnded(report));
    return { count: arriving.length, isMoving: arriving.some(({ phase }) => !RESTING.includes(phase)) };
  }

  /**
   * The rows to show: first those that somebody has to see to, then what moves and what waits, each the oldest first; of
   * very many, those that still want something.
   */
  get shown(): readonly TransferReport[] {
    const all = [0, 1, 2, 3].flatMap((place) => this.#all.filter((report) => rank(report) === place));
    if (all.length <= SHOWN_ROWS) return all;
    const wanting = all.filter(({ phase }) => phase !== 'done' && phase !== 'cancelled');
    return (wanting.length > 0 ? wanting : all).slice(0, SHOWN_ROWS);
  }

  apply(report: TransferReport): void {
    const before = this.#latest.get(report.transfer)?.phase;
    this.#latest.set(report.transfer, report);
    this.#followers.get(report.transfer)?.keepAwake();
    if (before === report.phase || this.#latest.size > MANY) {
      this.#timer ??= setTimeout(() => {
        this.#publish();
      }, TICK_MS);
    } else this.#publish();
    if (before === report.phase) return;
    this.#onPhase(report);
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

  /** @returns how many of them will wait for another code than the one that is live */
  async upload(files: readonly PickedFile[]): Promise<number> {
    return (await this.#worker.send('upload/add', { files })).beyondCode;
  }

  /** The file of a transfer that was not taken in whole. @throws {HalfkeyError} `source_changed` when it is another */
  again(transfer: string, file: File): Promise<void> {
    return this.#worker.send('upload/again', { transfer, file });
  }

  /** Something has changed outside: what waits for the network looks again. */
  async wake(): Promise<void> {
    await this.#worker.send('upload/wake', {});
  }

  cancel(transfer: string): Promise<void> {
    return this.#worker.send('transfer/cancel', { transfer });
  }

  pause(transfer: string): Promise<void> {
    return this.#worker.send('transfer/pause', { transfer });
  }

  resume(transfer: string): Promise<void> {
    return this.#worker.send('transfer/resume', { transfer });
  }

  async pauseAll(): Promise<void> {
    const moving = this.#all.filter((report) => !hasEnded(report) && !RESTING.includes(report.phase));
    await Promise.all(moving.map(({ transfer }) => this.pause(transfer)));
  }

  async resumeAll(): Promise<void> {
    const paused = this.#all.filter(({ phase }) => phase === 'paused');
    await Promise.all(paused.map(({ transfer }) => this.resume(transfer)));
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
    this.#pace = this.#meter.sample(this.#all, Date.now());
  }

  #end(report: TransferReport): void {
    this.#settle(report.transfer);
    const words = transferEnded(report);
    if (words !== undefined) this.#announcer.say(words, { gathers: true });
  }

  #settle(transfer: string): void {
    this.#followers.get(transfer)?.end();
    this.#followers.delete(transfer);
  }
}
