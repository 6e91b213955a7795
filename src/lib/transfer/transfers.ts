import { HalfkeyError } from '../errors.ts';
import type { Broker } from '../remote/broker.ts';
import type { Database } from '../store/database.ts';
import type {
  DownloadForm,
  DownloadStream,
  PickedFile,
  Preview,
  StorageReport,
  TransferSettings,
} from '../protocol/transfer.ts';
import type { OpenVault } from '../vault/open-vault.ts';
import { Adopter } from './adoption/adopting.ts';
import { Downloads, type Written, type Zipped } from './download/downloads.ts';
import { openDraftKey } from './adoption/drafts.ts';
import { FoldersFirst } from './adoption/folders-first.ts';
import { InboxAdoption } from './adoption/inbox-adoption.ts';
import { InboxKeys } from './adoption/inbox-keys.ts';
import type { Reporter } from './transfer-tracker.ts';
import { DeviceTransfers } from './device-transfers.ts';

/** What the worker's commands about transfers come down to. */
export interface Transfers {
  /** @returns how many of them the live grant does not reach for; 0 without one */
  add(files: readonly PickedFile[]): number;
  again(transfer: string, file: File): Promise<void>;
  cancel(transfer: string): Promise<void>;
  retry(transfer: string): void;
  /** One that has ended, or waits for what only a person can give, stays as it is. */
  pause(transfer: string): Promise<void>;
  resume(transfer: string): Promise<void>;
  dismiss(transfer: string): Promise<void>;
  stream(file: string, form: DownloadForm, version?: string): Promise<DownloadStream>;
  write(file: string, form: DownloadForm, handle?: FileSystemFileHandle, version?: string): Promise<Written>;
  zip(zipped: Zipped): Promise<DownloadStream>;
  writeZip(zipped: Zipped, handle?: FileSystemFileHandle): Promise<Written>;
  preview(file: string, version?: string): Promise<Preview>;
  /** Something has changed outside: what waits for the network tries now. */
  wake(): void;
  /**
   * *Lock now* was pressed: nothing that is open stays open. A lock by idling or by the grant's end lets transfers end.
   */
  lockNow(): void;
  /** No grant is live any more, for whatever reason. */
  locked(): void;
  /** A code was accepted, or the inbox may have something new: what waits for a grant goes on, if there is one. */
  adopt(): void;
  /**
   * Takes in what waits in the inbox, but for what a device put there that is doubted since then (ms since 1970).
   * @throws {HalfkeyError} `locked`
   */
  takeIn(doubted?: { readonly device: string; readonly sinceMs: number }): Promise<void>;
  /** Keeps a file's ciphertext on this device, or no longer. */
  keep(file: string, keep: boolean): Promise<void>;
  keptState(blob: string): 'no' | 'keeping' | 'kept';
  settings(): TransferSettings;
  set(settings: TransferSettings): Promise<void>;
  /** What this device has captured and S3 does not have yet, and what it keeps besides. */
  held(): Pick<StorageReport, 'waiting' | 'kept'>;
  /** Bytes of all files that are stored on this device, by our own records. */
  recordedBytes(): Promise<number>;
  /** A vault is at hand: what is stored here of it goes on. */
  open(database: Database): void;
  /** Signed out. */
  close(): void;
}

export interface TransferDeps extends Reporter {
  /** @throws {HalfkeyError} `session_missing` when nobody is signed in */
  vault(): OpenVault;
  readonly broker: Broker;
  nowMs(): number;
  /** Writes the changes that wait on this device into the journal. @throws {HalfkeyError} as `Journal.append` */
  flushChanges(): Promise<void>;
  /** KMS halves that the live grant may still make; undefined when none is live. */
  halvesLeft(): number | undefined;
  /** Records in the inbox that no trusted device vouches for. */
  refused(count: number): void;
  /** A failure that no command led to, and that trying again does not mend. */
  failed(error: unknown): void;
  /** What is kept on this device is another now. */
  keptChanged(): void;
}

/** While a grant is live the inbox is looked into so often, whatever else is heard. */
const INBOX_EVERY_MS = 60_000;

export function createTransfers(deps: TransferDeps): Transfers {
  const vault = () => deps.vault();
  const nowMs = () => deps.nowMs();
  const onFailed = (error: unknown) => {
    deps.failed(error);
  };
  let here: DeviceTransfers | undefined;
  let stopWatching: () => void = () => undefined;
  const folders = new FoldersFirst(vault, () => deps.flushChanges());
  const adopter = new Adopter(vault, (where) => here?.uploads.isMoreComing(where) ?? false, folders);
  const keys = new InboxKeys(vault);
  const adoption = new InboxAdoption({
    vault,
    adopter,
    keys,
    locks: navigator.locks,
    nowMs,
    ownRecord: async (blob) => here?.inboxRecord(blob),
    insteadOf: (blob) => here?.uploads.insteadOf(blob),
    waitingHere: async () => (await here?.waitingRecords()) ?? [],
    onRefused: (count) => {
      deps.refused(count);
    },
    onFailed,
  });
  const downloads = new Downloads(vault, deps, nowMs, (blob) => here?.keeping.partsOf(blob));
  const adopt = () => {
    here?.uploads.grantBought();
    void adoption.now();
  };
  const deviceTransfers = (): DeviceTransfers => {
    if (here) return here;
    vault(); // Says why no account is on this device.
    throw new HalfkeyError('session_missing', 'nobody is at home');
  };

  return {
    add: (files) => {
      const { uploads } = deviceTransfers();
      uploads.add(files);
      const left = deps.halvesLeft();
      return left === undefined ? 0 : Math.min(files.length, Math.max(0, uploads.unadopted - left));
    },
    again: (transfer, file) => deviceTransfers().uploads.again(transfer, file),
    cancel: async (transfer) => {
      if (!(await here?.uploads.cancel(transfer))) downloads.cancel(transfer);
    },
    retry: (transfer) => {
      here?.uploads.retry(transfer);
    },
    pause: async (transfer) => {
      if (!(await here?.uploads.pause(transfer))) downloads.pause(transfer);
    },
    resume: async (transfer) => {
      if (!(await here?.uploads.goOn(transfer))) downloads.goOn(transfer);
    },
    dismiss: async (transfer) => {
      downloads.dismiss(transfer);
      await here?.uploads.dismiss(transfer);
    },
    stream: (file, form, version) => downloads.stream(file, form, version),
    write: (file, form, handle, version) => downloads.write(file, form, handle, version),
    zip: (zipped) => downloads.zip(zipped),
    writeZip: (zipped, handle) => downloads.writeZip(zipped, handle),
    preview: (file, version) => downloads.preview(file, version),
    keep: (file, keep) =>
      keep ? deviceTransfers().keeping.keep(file) : deviceTransfers().keeping.drop(file),
    keptState: (blob) => here?.keeping.stateOf(blob) ?? 'no',
    settings: () => deviceTransfers().settings,
    set: (settings) => deviceTransfers().set(settings),
    held: () => {
      const { uploads, keeping } = deviceTransfers();
      return { waiting: uploads.waiting(), kept: keeping.total() };
    },
    recordedBytes: () => deviceTransfers().recordedBytes(),
    wake: () => {
      here?.wake();
      downloads.wake();
      adopt();
    },
    adopt,
    takeIn: (doubted) => adoption.allBut(doubted),
    lockNow: () => {
      downloads.lockNow();
    },
    locked: () => {
      here?.uploads.lock();
      adoption.close();
      downloads.locked();
    },
    open: (database) => {
      here?.close();
      stopWatching();
      const opened = new DeviceTransfers(database, {
        vault,
        broker: deps.broker,
        reporter: deps,
        adopter,
        folders,
        nowMs,
        openDraft: (upload) => openDraftKey(vault(), keys, upload),
        onWaiting: adopt,
        onKept: () => {
          deps.keptChanged();
        },
        onFailed,
      });
      here = opened;
      const stopListening = vault().journal.onChange(() => {
        opened.settle().catch(onFailed);
        adoption.journalChanged();
      });
      const timer = setInterval(adopt, INBOX_EVERY_MS);
      stopWatching = () => {
        stopListening();
        clearInterval(timer);
      };
      opened.resume().catch(onFailed);
    },
    close: () => {
      stopWatching();
      here?.close();
      here = undefined;
      adoption.close();
      downloads.clear();
    },
  };
}
