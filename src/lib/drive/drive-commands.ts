import type { HandlersOf } from '../protocol/commands.ts';
import { TOP, type DriveCommands, type EntryPlace } from '../protocol/drive.ts';
import type { OpenVault } from '../vault/open-vault.ts';
import { addFolders } from './adding-folders.ts';
import { detailsOf } from './details.ts';
import * as edits from './edits.ts';
import { compareHeadPhrase } from './head-check.ts';
import { foldersIn, takenNames, trashedBefore } from './looking.ts';
import { otherDevices } from './other-devices.ts';
import { deletedFiles, purgeEntries, purgeVersions } from './purge.ts';
import { tagsOf } from './tags.ts';
import { usageOf } from './usage.ts';
import type { Drive, View } from './view.ts';

/** The drive of anyone who is signed in here. Each function throws `session_missing` when nobody is. */
export interface SignedInDrive {
  readonly vault: () => OpenVault;
  readonly drive: () => Drive;
  /** Id of this device. */
  readonly device: () => string;
  /** Sends what waits, as soon as the broker answers. */
  readonly sync: () => void;
  readonly nowMs: () => number;
}

/** Answers what looks at the drive and changes it. */
export function driveCommands(
  view: View,
  { vault, drive, device, sync, nowMs }: SignedInDrive,
): HandlersOf<DriveCommands> {
  const shown = () => drive().changes.shown;
  const edit = async (build: Parameters<Drive['changes']['edit']>[0]): Promise<void> => {
    await drive().changes.edit(build);
    sync();
  };
  /** @returns the ids of what is changed */
  const editEach = async (build: Parameters<typeof edit>[0]): Promise<string[]> => {
    let changed: string[] = [];
    await edit((state) => {
      const wanted = build(state);
      changed = wanted.map(({ entry }) => entry);
      return wanted;
    });
    return changed;
  };
  return {
    'view/set': (query) => {
      view.set(query);
    },
    'view/rows': ({ from, count }) => view.rows(from, count),
    'view/index': ({ entry }) => ({ index: view.indexOf(entry) }),
    'view/entries': ({ from, to }) => ({ entries: view.entries(from, to) }),
    'view/find': ({ prefix, from }) => ({ index: view.find(prefix, from) }),
    'folders/read': ({ folder }) => ({ folders: foldersIn(shown(), folder) }),
    async 'folder/add'({ parent, name }) {
      let folder = '';
      await edit((state) => {
        const added = edits.addFolder(state, parent, name);
        folder = added.folder;
        return added.edits;
      });
      return { folder };
    },
    async 'folders/add'({ parent, folders }) {
      let ids: string[] = [];
      await edit((state) => {
        const added = addFolders(state, parent, folders);
        ids = added.folders;
        return added.edits;
      });
      return { folders: ids };
    },
    'entry/rename': ({ entry, name }) => edit((state) => edits.rename(state, entry, name)),
    async 'entries/move'({ places }) {
      let moved: EntryPlace[] = [];
      await edit((state) => {
        const wanted = edits.place(state, places);
        moved = wanted.map(({ entry }) => ({ entry, folder: state.entry(entry)?.folder ?? TOP }));
        return wanted;
      });
      return { moved };
    },
    async 'entries/trash'({ entries }) {
      return { trashed: await editEach((state) => edits.trash(state, entries, nowMs())) };
    },
    async 'entries/restore'({ entries }) {
      return { restored: await editEach((state) => edits.restore(state, entries)) };
    },
    'entries/tag': ({ entries, add, remove }) => edit((state) => edits.tag(state, entries, { add, remove })),
    'entries/favour': ({ entries, isFavourite }) =>
      edit((state) => edits.favour(state, entries, isFavourite)),
    'version/restore': ({ file, blob }) => edit((state) => edits.restoreVersion(state, file, blob)),
    'versions/purge': ({ file, blobs, factor }) => purgeVersions(vault(), { file, blobs }, factor),
    'entry/details': ({ entry }) => detailsOf(shown(), entry, view.context),
    'tags/read': ({ entries }) => tagsOf(shown(), entries),
    'trash/read': ({ beforeMs }) => ({ entries: trashedBefore(shown(), beforeMs) }),
    'names/taken': ({ folder, names }) => ({ taken: takenNames(shown(), folder, names) }),
    'usage/read': () => usageOf(shown(), view.context),
    'changes/heard': ({ keys }) => drive().changes.heard(keys),
    'who/read': () => ({
      otherDevices: otherDevices(drive().journal.state, device()).map(({ name }) => name),
    }),
    'head/compare': async ({ phrase }) => ({ verdict: await compareHeadPhrase(vault(), phrase) }),
    'deleted/read': () => ({ files: deletedFiles(drive().journal.state, device()) }),
    async 'entries/purge'({ entries, also, factor }) {
      await drive().changes.flush(); // What was put into the trash just now is to be there.
      return purgeEntries(vault(), { entries, also }, factor);
    },
  };
}
