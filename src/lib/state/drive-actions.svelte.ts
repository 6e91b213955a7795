import type { DownloadForm, Loss, Preview } from '../protocol/transfer.ts';
import type { EntryRow, FileRow, FileVersion } from '../protocol/drive.ts';
import { broughtByPicker, type Brought } from '../platform/folder-reading.ts';
import type { Arranging, Chosen } from './arranging.ts';
import type { Downloads } from './downloads.ts';
import type { CodePrompt } from './code-prompt.svelte.ts';
import type { Files } from './files.svelte.ts';
import type { Notice } from './notice.svelte.ts';
import type { Session } from './session.svelte.ts';
import type { Settings } from './settings.svelte.ts';
import { beyondCodeWords, NOT_DONE, PURPOSE, unreadWords } from './texts/en.ts';
import type { Transfers } from './transfers.svelte.ts';
import type { Uploading } from './uploading.ts';

/** What covers the drive. One at a time; the question for a code may come on top of any. */
export type Sheet =
  /** `preview` is undefined while it is on the way; and while it is covered, because the drive was locked over it. */
  | {
      readonly kind: 'preview';
      readonly row: FileRow;
      /** An earlier one that is looked at, by its blob. */
      readonly version?: string;
      readonly preview: Preview | undefined;
      readonly isCovered: boolean;
    }
  | { readonly kind: 'rename'; readonly row: EntryRow }
  /** A folder in the one that is looked at. */
  | { readonly kind: 'new-folder' }
  | { readonly kind: 'move'; readonly rows: Chosen }
  | {
      readonly kind: 'tags';
      readonly rows: Chosen;
      /** Those that all of them have, and others of the drive. */
      readonly tags: readonly string[];
      readonly others: readonly string[];
    }
  | { readonly kind: 'purge-version'; readonly row: FileRow; readonly version: FileVersion }
  /** `older`: for emptying the trash, those of them that are there longer than so many days. */
  | {
      readonly kind: 'purge';
      readonly rows: Chosen;
      readonly older?: { readonly days: number; readonly entries: readonly string[] };
    }
  | { readonly kind: 'help' | 'settings' | 'install' | 'who' }
  /** `loss` is undefined when that is not known. */
  | { readonly kind: 'sign-out'; readonly loss: Loss | undefined };

const DAY_MS = 24 * 60 * 60_000;
/** What is in the trash longer than that, nobody is likely to miss. */
const OLD_DAYS = 30;

/** What the actions need. */
interface Tools {
  readonly session: Session;
  readonly files: Files;
  readonly transfers: Transfers;
  readonly uploading: Uploading;
  readonly prompt: CodePrompt;
  readonly downloads: Downloads;
  readonly settings: Settings;
  readonly arranging: Arranging;
  readonly notice: Notice;
}

/** What people do with the drive in front of them. Whatever fails is noticed, and nothing here throws. */
export class DriveActions {
  readonly #tools: Tools;
  #sheet = $state.raw<Sheet | undefined>();
  /** Opened and saved just now: anyone who presses twice means it once, and wants one release of the key. */
  readonly #underWay = new Set<string>();

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  get sheet(): Sheet | undefined {
    return this.#sheet;
  }

  show(sheet: Sheet): void {
    this.#sheet = sheet;
  }

  close(): void {
    this.#sheet = undefined;
  }

  /** Files that were picked, or a folder's, with their paths in it. */
  upload(files: readonly File[]): void {
    if (files.length > 0) this.bring(broughtByPicker(files));
  }

  /** @param into the folder that is looked at now, or another. Locked and offline too. */
  bring(reading: Brought | Promise<Brought>, into = this.#tools.files.folder): void {
    const { uploading, notice } = this.#tools;
    this.#watch(NOT_DONE.filesAdded, async () => {
      const brought = await reading;
      const uploaded = await uploading.bring(brought, into);
      if (brought.unread.length > 0) notice.show(unreadWords(brought.unread));
      if (!uploaded || uploaded.beyondCode === 0) return;
      notice.show({ ...beyondCodeWords(uploaded.files, uploaded.beyondCode), wantsCode: true });
    });
  }

  /**
   * A code has bought all that it can: what is left of the uploads wants another one, and who watches them is asked for
   * it.
   */
  codeSpent(): void {
    const { unsent, counts } = this.#tools.transfers;
    if (unsent.count + counts.waitingForCode === 0) return; // Whatever else was to be opened asks for itself.
    this.#watch(NOT_DONE.uploadsWait, () => this.#tools.prompt.ask(PURPOSE.finishUploading));
  }

  /** Asks for a code, and whether what was put there lately is to go too. */
  emptyTrash(): void {
    this.#watch(NOT_DONE.trashEmptied, async () => {
      const nowMs = Date.now();
      const [entries, older] = await Promise.all([
        this.#tools.arranging.inTrash(nowMs),
        this.#tools.arranging.inTrash(nowMs - OLD_DAYS * DAY_MS),
      ]);
      this.show({ kind: 'purge', rows: { entries }, older: { days: OLD_DAYS, entries: older } });
    });
  }

  tag(rows: Chosen): void {
    this.#watch(NOT_DONE.tagged, async () => {
      const { tags, others } = await this.#tools.files.readTags(rows.entries);
      this.show({ kind: 'tags', rows, tags, others });
    });
  }

  lock(): void {
    this.#watch(NOT_DONE.locked, () => this.#tools.session.lock());
  }

  unlock(): void {
    this.#watch(NOT_DONE.unlocked, () => this.#tools.prompt.ask(PURPOSE.openDrive));
  }

  /** Signs out where nothing is lost by it; else asks first. */
  askToSignOut(): void {
    const { settings, transfers } = this.#tools;
    void settings
      .readStorage()
      .catch(() => undefined)
      .then(() => {
        const { unsent } = transfers;
        const loss = settings.storage && { unsent, pendingNames: settings.storage.pendingNames };
        if (loss?.unsent.count === 0 && loss.pendingNames === 0) this.signOut();
        else this.show({ kind: 'sign-out', loss });
      });
  }

  signOut(): void {
    this.close();
    this.#watch(NOT_DONE.signedOut, () => this.#tools.session.signOut());
  }

  /** @param version an earlier one, by its blob */
  preview(row: FileRow, version?: string): void {
    const of = { kind: 'preview' as const, row, ...(version !== undefined && { version }) };
    const sheet = this.#sheet?.kind === 'preview' && !this.#sheet.isCovered ? this.#sheet : undefined;
    if (sheet?.row.entry === row.entry && sheet.version === version) return;
    this.#once(`preview ${row.entry} ${version ?? ''}`, NOT_DONE.opened(row.name), async () => {
      const { session, downloads } = this.#tools;
      // While locked the question for a code comes first, and nothing after it.
      const early: Sheet | undefined =
        session.phase.phase === 'open' ? { ...of, preview: undefined, isCovered: false } : undefined;
      this.#sheet = early;
      // Closed, or covered, in the meantime: then nobody waits for it any more.
      const isAwaited = () => this.#sheet === early;
      try {
        const preview = await downloads.preview(row, isAwaited, version);
        // Of what is kept on this device nobody was asked for more than the key.
        if (row.kept !== 'kept') this.#tools.notice.isServed();
        if (!isAwaited()) return;
        const isCovered = session.phase.phase !== 'open';
        this.#sheet = { ...of, preview: isCovered ? undefined : preview, isCovered };
      } catch (error) {
        if (this.#sheet === early) this.#sheet = undefined;
        throw error;
      }
    });
  }

  /** The drive is not open any more: what was shown of a file is let go of, and a code is asked for in its place. */
  cover(): void {
    if (this.#sheet?.kind !== 'preview') return;
    this.#sheet = { ...this.#sheet, preview: undefined, isCovered: true };
  }

  /** The drive is open again: what was covered is fetched anew. */
  uncover(): void {
    if (this.#sheet?.kind === 'preview' && this.#sheet.isCovered)
      this.preview(this.#sheet.row, this.#sheet.version);
  }

  /** @param version an earlier one, by its blob */
  download(row: FileRow, form: DownloadForm, version?: string): void {
    this.#once(`download ${form} ${row.entry} ${version ?? ''}`, NOT_DONE.downloaded(row.name), () =>
      this.#tools.downloads.save(row, form, version),
    );
  }

  /** Files and folders as one zip. */
  downloadZip({ entries, name }: Chosen): void {
    const tried = name === undefined ? NOT_DONE.downloadedMany(entries.length) : NOT_DONE.downloaded(name);
    this.#once(`download zip ${entries.join()}`, tried, () => this.#tools.downloads.saveZip(entries, name));
  }

  saveAs(row: FileRow): void {
    this.#once(`save ${row.entry}`, NOT_DONE.saved(row.name), () => this.#tools.downloads.saveAs(row));
  }

  keep(row: FileRow, keep: boolean): void {
    const tried = keep ? NOT_DONE.kept(row.name) : NOT_DONE.dropped(row.name);
    this.#watch(tried, () => this.#tools.files.keep(row, keep));
  }

  /** @param intention what somebody wants: while that is under way, it is not begun again */
  #once(intention: string, tried: string, action: () => Promise<unknown>): void {
    if (this.#underWay.has(intention)) return;
    this.#underWay.add(intention);
    this.#watch(tried, () => action().finally(() => this.#underWay.delete(intention)));
  }

  #watch(tried: string, action: () => Promise<unknown>): void {
    void this.#tools.notice.watch(tried, action);
  }
}
