import type { BlobId } from '$contract/ids.ts';
import type { StoredUpload, StreamedUpload } from '../../store/database.ts';
import type { Broker } from '../../remote/broker.ts';
import type { PartFiles } from '../../store/part-files.ts';
import type { UploadRecords } from '../../store/upload-records.ts';
import type { OpenVault } from '../../vault/open-vault.ts';
import type { Bytes } from '../../bytes.ts';
import type { FoldersFirst } from '../adoption/folders-first.ts';
import type { Label } from './label.ts';
import type { TransferTracker } from '../transfer-tracker.ts';
import type { SendingDeps } from './part-supply.ts';
import type { UploadNews } from './upload-news.ts';
import type { PartSupply } from './part-supply.ts';

/** What uploads touch outside of themselves. */
export interface UploadDeps {
  /** @throws {HalfkeyError} `session_missing` when nobody is signed in */
  readonly vault: () => OpenVault;
  readonly broker: Broker;
  readonly records: UploadRecords;
  readonly files: PartFiles;
  readonly sending: SendingDeps;
  readonly locks: Pick<LockManager, 'request'>;
  readonly news: UploadNews;
  /** Bytes that this device can still take; undefined when that is not known. */
  readonly freeBytes: () => Promise<number | undefined>;
  readonly nowMs: () => number;
  readonly folders: Pick<FoldersFirst, 'ensure'>;
  /** The content key in a streamed upload's draft. @throws {HalfkeyError} `locked` and its like; `device_state_lost` */
  readonly openDraft: (upload: StreamedUpload) => Promise<Bytes>;
}

/** One file on its way up, as this tab knows it. */
export interface UploadItem {
  /** Another after it was captured anew; the label, and with it the transfer, stays. */
  blob: BlobId;
  readonly label: Label;
  readonly entry: TransferTracker;
  controller: AbortController;
  /** As it is stored, as far as this tab has heard; undefined before anything does. */
  stored: StoredUpload | undefined;
  /** As long as it may have to be read. */
  source: File | undefined;
  /** 32 bytes: until it is sealed, and then as long as a grant is live. */
  contentKey: Bytes | undefined;
  /** Nobody sends it before somebody has said so. */
  isPaused: boolean;
  /** While it is being captured here: where its parts come from. */
  supply: PartSupply | undefined;
  /**
   * What is to be done when S3 has all parts, before it puts them together: the record has to say first that all is
   * sealed.
   */
  whenSent: ((parts: readonly Bytes[]) => Promise<void>) | undefined;
  /** While it is sent before it is sealed, under the lock of its capture. */
  departure: Promise<unknown> | undefined;
}

/** Ends the content key. */
export function wipeKey(item: UploadItem): void {
  item.contentKey?.fill(0);
  item.contentKey = undefined;
}

/** Why what was sending an upload ends: it is to rest, and goes on from where it was. */
export const PAUSED = new DOMException('paused', 'AbortError');
