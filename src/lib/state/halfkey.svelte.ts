import { createContext } from 'svelte';
import { WorkerHost } from '../worker/host.ts';
import type { Factor, Phase } from '../protocol/session.ts';
import type { DeletedFile } from '../protocol/drive.ts';
import type { DeviceDeed, KitPart, LeftUploads, OtherDevice } from '../protocol/credentials.ts';
import type { Report } from '../protocol/commands.ts';
import type { TransferReport } from '../protocol/transfer.ts';
import { Announcer } from './announcer.svelte.ts';
import { Arranging } from './arranging.ts';
import { IncomingFiles } from './incoming-files.svelte.ts';
import { CodePrompt } from './code-prompt.svelte.ts';
import type { CryptoWorker } from '../platform/crypto-worker.ts';
import { DriveActions } from './drive-actions.svelte.ts';
import { Downloads } from './downloads.ts';
import { DroppedChanges } from './dropped-changes.svelte.ts';
import { Files } from './files.svelte.ts';
import { Installation } from './installation.svelte.ts';
import { NameConflicts } from './name-conflicts.svelte.ts';
import { Notice } from './notice.svelte.ts';
import { askToKeepOnce } from '../platform/persistence.ts';
import { sendUploadsLater } from '../platform/service-worker.ts';
import { FactorResetWatch } from './factor-reset.svelte.ts';
import { Credentials } from './credentials.svelte.ts';
import { Session } from './session.svelte.ts';
import { Settings } from './settings.svelte.ts';
import { Transfers } from './transfers.svelte.ts';
import { Updates } from './updates.svelte.ts';
import { Uploading } from './uploading.ts';
import { SPOKEN } from './texts/en.ts';
import { Toast } from './toast.svelte.ts';

/** All state of one page, around its one crypto worker. */
export class Halfkey {
  readonly announcer = new Announcer();
  readonly notice = new Notice();
  readonly toast = new Toast(this.announcer);
  readonly incomingFiles = new IncomingFiles();
  readonly installation = new Installation();
  readonly updates = new Updates();
  readonly session: Session;
  readonly files: Files;
  readonly transfers: Transfers;
  readonly conflicts = new NameConflicts();
  readonly uploading: Uploading;
  readonly prompt: CodePrompt;
  readonly downloads: Downloads;
  readonly settings: Settings;
  readonly credentials: Credentials;
  readonly factorReset: FactorResetWatch;
  readonly droppedChanges: DroppedChanges;
  readonly arranging: Arranging;
  readonly driveActions: DriveActions;
  readonly #worker: CryptoWorker;
  #hasAskedToKeep = false;

  constructor() {
    const worker = new WorkerHost((report) => {
      this.#apply(report);
    });
    this.#worker = worker;
    this.session = new Session(worker);
    this.files = new Files(worker, this.announcer);
    this.transfers = new Transfers(worker, this.announcer, (report) => {
      this.#heedTransfer(report);
    });
    const { transfers, conflicts } = this;
    this.uploading = new Uploading({ worker, transfers, conflicts });
    this.prompt = new CodePrompt(worker);
    this.downloads = new Downloads(worker, this.prompt, this.transfers);
    this.settings = new Settings(worker);
    this.credentials = new Credentials(worker);
    this.factorReset = new FactorResetWatch(worker);
    this.droppedChanges = new DroppedChanges(worker);
    this.arranging = new Arranging({
      worker,
      notice: this.notice,
      toast: this.toast,
      announcer: this.announcer,
    });
    this.driveActions = new DriveActions(this);
  }

  /**
   * What waits for a network looks again whenever there is reason to. Other browsers than Chromium know no better sign.
   */
  wakeUploads(): void {
    if (this.session.signedIn) this.transfers.wake().catch(() => undefined); // It looks again by itself too.
  }

  /** Files that were deleted, and whose content is on the server still. */
  async deletedFiles(): Promise<readonly DeletedFile[]> {
    return (await this.#worker.send('deleted/read', {})).files;
  }

  #heedTransfer({ direction, phase, isSafe }: TransferReport): void {
    if (direction !== 'up') return;
    if (phase === 'done') this.notice.isServed();
    if (phase === 'waiting-for-network') void sendUploadsLater();
    // Now there is something to lose. Whether the browser promises anything shows in the settings.
    if ((isSafe || phase === 'done') && !this.#hasAskedToKeep) {
      this.#hasAskedToKeep = true;
      void askToKeepOnce().catch(() => undefined);
    }
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
        if (report.online) this.notice.isReached();
        return;
      case 'code-spent':
        this.announcer.say(SPOKEN.codeSpent);
        this.driveActions.codeSpent();
        return;
      case 'alarm':
        this.session.raise(report.failure);
        return;
      case 'changes-dropped':
        this.droppedChanges.apply(report.changes);
        return;
      case 'view-stale':
        this.session.hearOfNobodySince(report.lastHeardMs);
        return;
      case 'changes-void':
        this.session.hearOfVoid(report.changes);
        return;
      case 'factor-reset':
        this.factorReset.apply(report.pending);
        return;
      default:
        report satisfies never;
    }
  }

  #enter(phase: Phase): void {
    const before = this.session.phase.phase;
    this.session.apply(phase);
    if (phase.phase === 'open') this.notice.isOpen();
    if (phase.phase === before) return;
    // By will, by time, or because nobody is there: what needed a code to be seen is in sight no longer.
    if (phase.phase !== 'open') this.driveActions.cover();
    if (phase.phase === 'open') this.announcer.say(SPOKEN.open);
    if (phase.phase === 'locked' && before === 'open') this.announcer.say(SPOKEN.locked);
    if (phase.phase === 'closed') this.driveActions.close();
    if (phase.phase !== 'signed-out') return;
    this.driveActions.close();
    this.settings.clear();
    this.credentials.clear();
    this.factorReset.clear();
    this.prompt.dismiss();
    this.conflicts.callOff();
    this.files.clear();
    this.transfers.clear();
    this.notice.dismiss();
    this.toast.dismiss();
    if (before !== 'starting') this.announcer.say(SPOKEN.signedOut);
  }
}

const [getHalfkey, setHalfkey] = createContext<Halfkey>();
export { getHalfkey, setHalfkey };
export type { DeviceDeed, Factor, KitPart, LeftUploads, OtherDevice };
