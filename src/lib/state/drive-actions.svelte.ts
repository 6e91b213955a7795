import type { DownloadForm, Loss, Preview } from '../protocol/transfer.ts';
import type { FileRow } from '../protocol/drive.ts';
import type { Downloads } from './downloads.ts';
import type { CodePrompt } from './code-prompt.svelte.ts';
import type { Files } from './files.svelte.ts';
import type { Notice } from './notice.svelte.ts';
import type { Session } from './session.svelte.ts';
import type { Settings } from './settings.svelte.ts';
import { beyondCodeWords, NOT_DONE, PURPOSE } from './texts/en.ts';
import type { Transfers } from './transfers.svelte.ts';

/** What lies over the drive. One at a time; the question for a code may come on top of any. */
export type Sheet =
  /** `preview` is undefined while it is on the way; and while it is covered, because the drive was locked over it. */
  | {
      readonly kind: 'preview';
      readonly row: FileRow;
      readonly preview: Preview | undefined;
      readonly isCovered: boolean;
    }
  | { readonly kind: 'delete' | 'rename'; readonly row: FileRow }
  | { readonly kind: 'help' | 'settings' | 'install' | 'who' }
  /** `loss` is undefined when nobody knows. */
  | { readonly kind: 'sign-out'; readonly loss: Loss | undefined };

/** What the actions need. */
interface Tools {
  readonly session: Session;
  readonly files: Files;
  readonly transfers: Transfers;
  readonly prompt: CodePrompt;
  readonly downloads: Downloads;
  readonly settings: Settings;
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

  /** Locked and offline too. */
  upload(files: readonly File[]): void {
    if (files.length === 0) return;
    this.#watch(NOT_DONE.filesAdded, async () => {
      const beyondCode = await this.#tools.transfers.upload(files);
      if (beyondCode > 0) {
        this.#tools.notice.show({ ...beyondCodeWords(files.length, beyondCode), wantsCode: true });
      }
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

  preview(row: FileRow): void {
    const shown =
      this.#sheet?.kind === 'preview' && !this.#sheet.isCovered && this.#sheet.row.file === row.file;
    if (shown) return;
    this.#once(`preview ${row.file}`, NOT_DONE.opened(row.name), async () => {
      const { session, downloads } = this.#tools;
      // While locked the question for a code comes first, and nothing after it.
      const early: Sheet | undefined =
        session.phase.phase === 'open'
          ? { kind: 'preview', row, preview: undefined, isCovered: false }
          : undefined;
      this.#sheet = early;
      // Closed, or covered, in the meantime: then nobody waits for it any more.
      const isAwaited = () => this.#sheet === early;
      try {
        const preview = await downloads.preview(row, isAwaited);
        // Of what is kept on this device nobody was asked for more than the key.
        if (row.kept !== 'kept') this.#tools.notice.isServed();
        if (!isAwaited()) return;
        const isCovered = session.phase.phase !== 'open';
        this.#sheet = { kind: 'preview', row, preview: isCovered ? undefined : preview, isCovered };
      } catch (error) {
        if (this.#sheet === early) this.#sheet = undefined;
        throw error;
      }
    });
  }

  /** The drive is not open any more: what was shown of a file is let go of, and a code is asked for in its place. */
  cover(): void {
    if (this.#sheet?.kind !== 'preview') return;
    this.#sheet = { kind: 'preview', row: this.#sheet.row, preview: undefined, isCovered: true };
  }

  /** The drive is open again: what was covered is fetched anew. */
  uncover(): void {
    if (this.#sheet?.kind === 'preview' && this.#sheet.isCovered) this.preview(this.#sheet.row);
  }

  download(row: FileRow, form: DownloadForm): void {
    this.#once(`download ${form} ${row.file}`, NOT_DONE.downloaded(row.name), () =>
      this.#tools.downloads.save(row, form),
    );
  }

  saveAs(row: FileRow): void {
    this.#once(`save ${row.file}`, NOT_DONE.saved(row.name), () => this.#tools.downloads.saveAs(row));
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
