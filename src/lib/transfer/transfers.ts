import type { DownloadForm, DownloadStream, Preview } from '../worker/protocol.ts';
import type { OpenVault } from '../worker/vault.ts';
import { Downloads } from './downloads.ts';
import type { Reporter } from './ledger.ts';
import { Uploads } from './uploads.ts';

/** What the worker's commands about transfers come down to. */
export interface Transfers {
  add(files: readonly File[]): void;
  cancel(transfer: string): void;
  retry(transfer: string): void;
  dismiss(transfer: string): void;
  stream(file: string, form: DownloadForm): Promise<DownloadStream>;
  write(
    file: string,
    form: DownloadForm,
    handle?: FileSystemFileHandle,
  ): Promise<{ transfer: string; opfs?: File }>;
  preview(file: string): Promise<Preview>;
  /** *Lock now* was pressed: nothing that is open stays open. A lock by idling or by the grant's end lets transfers end. */
  lockNow(): void;
  /** What waited for a code goes on. */
  grantBought(): void;
  /** Signed out. */
  clear(): void;
}

export interface TransferDeps extends Reporter {
  /** @throws {HalfkeyError} `session_missing` when nobody is signed in */
  vault(): OpenVault;
  nowMs(): number;
}

export function createTransfers(deps: TransferDeps): Transfers {
  const vault = () => deps.vault();
  const nowMs = () => deps.nowMs();
  const uploads = new Uploads(vault, deps, nowMs);
  const downloads = new Downloads(vault, deps, nowMs);
  return {
    add: (files) => {
      uploads.add(files);
    },
    cancel: (transfer) => {
      if (!uploads.cancel(transfer)) downloads.cancel(transfer);
    },
    retry: (transfer) => {
      uploads.retry(transfer);
    },
    dismiss: (transfer) => {
      uploads.dismiss(transfer);
      downloads.dismiss(transfer);
    },
    stream: (file, form) => downloads.stream(file, form),
    write: (file, form, handle) => downloads.write(file, form, handle),
    preview: (file) => downloads.preview(file),
    lockNow: () => {
      downloads.lockNow();
    },
    grantBought: () => {
      uploads.grantBought();
    },
    clear: () => {
      uploads.clear();
      downloads.clear();
    },
  };
}
