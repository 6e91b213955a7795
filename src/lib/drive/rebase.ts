import type { Operation } from '../journal/entries/operations.ts';
import { areTags } from '../journal/entries/operation-codec.ts';
import { ROOT } from '../journal/entries/operations.ts';
import { copyOf } from '../journal/state/copy.ts';
import { applyAhead } from '../journal/state/fold.ts';
import type { FoldedVault } from '../journal/state/folded-vault.ts';
import type { Change, DropReason, Edit } from './change.ts';
import { hasVersion, isFolderWithin, isOpenFolder } from './standing.ts';

/** What changes come to in a state that others may have changed meanwhile. */
export interface Rebased {
  /** The state with all of them in it; the very state when there are none. */
  readonly state: FoldedVault;
  /** What is to be written; what the state says already is left out. */
  readonly operations: readonly Operation[];
  /** Edits that are not wanted any more. */
  readonly dropped: ReadonlyMap<Edit, DropReason>;
  /** The entries that are other than in the journal. */
  readonly touched: ReadonlySet<string>;
}

/** Who makes the changes. */
export interface Editor {
  /** Id of this device. */
  readonly device: string;
  /** Whether an entry has its name from this device: one person at two tabs is nobody's rival. */
  readonly isOwn: (entry: string) => boolean;
}

/** Edits build upon each other, and the latest counts. Moving and trashing count whatever others did meanwhile. */
export function rebase(state: FoldedVault, changes: readonly Change[], editor: Editor): Rebased {
  const edits = changes.flatMap((change) => change.edits);
  if (edits.length === 0) return { state, operations: [], dropped: new Map(), touched: new Set() };
  const ahead = new Rebasing(copyOf(state), editor);
  for (const edit of edits) ahead.take(edit);
  return ahead;
}

class Rebasing implements Rebased {
  readonly state: FoldedVault;
  readonly operations: Operation[] = [];
  readonly dropped = new Map<Edit, DropReason>();
  readonly touched = new Set<string>();
  readonly #editor: Editor;
  readonly #renamed = new Set<string>();

  constructor(state: FoldedVault, editor: Editor) {
    this.state = state;
    this.#editor = editor;
  }

  take(edit: Edit): void {
    const wanted = this.#wanted(edit);
    if (wanted === undefined) return;
    if (typeof wanted === 'string') this.dropped.set(edit, wanted);
    else if (applyAhead(this.state, this.#editor.device, wanted)) {
      this.operations.push(wanted);
      this.touched.add(edit.entry);
    } else this.dropped.set(edit, 'head_changed'); // All names like its own are taken there.
  }

  /** @returns undefined when it is so already */
  #wanted(edit: Edit): Operation | DropReason | undefined {
    const { state } = this;
    const { entry, name } = edit;
    const there = state.entry(entry);
    if (edit.kind === 'folder-add') {
      // What was meant to be in it must find it: without its parent it is at the top.
      const parent = isOpenFolder(state, edit.parent) ? edit.parent : ROOT;
      return there ? undefined : { kind: 'folder-add', folder: entry, parent, name };
    }
    if (!there) return edit.kind === 'trash' ? undefined : 'not_found';
    switch (edit.kind) {
      case 'rename': {
        if (there.name === name) return undefined;
        const isFree = there.name === edit.was || this.#renamed.has(entry) || this.#editor.isOwn(entry);
        if (!isFree) return 'head_changed';
        this.#renamed.add(entry);
        return { kind: 'rename', entry, name };
      }
      case 'version-restore': {
        const { blob } = edit;
        if (state.newestVersion(entry)?.blob === blob) return undefined;
        const isThere = hasVersion(state, entry, blob);
        return isThere ? { kind: 'version-restore', file: entry, blob } : 'not_found';
      }
      case 'move':
        if (there.folder === edit.folder) return undefined;
        if (!isOpenFolder(state, edit.folder)) return 'folder_gone';
        if (isFolderWithin(state, edit.folder, entry)) return 'folder_within';
        return { kind: 'move', entry, folder: edit.folder };
      case 'trash':
        return there.trashedAtMs === undefined ? { kind: 'trash', entry, atMs: edit.atMs } : undefined;
      case 'restore':
        return there.trashedAtMs === undefined ? undefined : { kind: 'restore', entry };
      case 'tag': {
        const tags = there.tags.filter((tag) => !edit.remove.includes(tag));
        for (const tag of edit.add) if (!tags.includes(tag)) tags.push(tag);
        const isSame = tags.length === there.tags.length && tags.every((tag) => there.tags.includes(tag));
        if (isSame) return undefined;
        // Another device may have given it as many as an entry can have, and nothing behind this edit may wait for ever.
        return areTags(tags) ? { kind: 'tag', entry, tags } : 'head_changed';
      }
    }
  }
}
