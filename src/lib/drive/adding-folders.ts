import { randomId } from '../crypto/random.ts';
import { acceptableName } from '../journal/entries/names.ts';
import { ROOT } from '../journal/entries/operations.ts';
import type { FoldedVault } from '../journal/state/folded-vault.ts';
import { list } from '../journal/state/listing.ts';
import type { NewFolder } from '../protocol/drive.ts';
import type { Edit } from './change.ts';
import { requireFolder } from './edits.ts';

/**
 * A tree of folders in one of the vault's, as edits: one that is there under such a name is taken for it, and so are two
 * of the tree whose names come to the same.
 * @returns `folders`: the ids of all, in their order
 * @throws {HalfkeyError} `not_found` when there is no such parent
 */
export function addFolders(
  shown: FoldedVault,
  parent: string,
  wanted: readonly NewFolder[],
): { readonly folders: string[]; readonly edits: Edit[] } {
  requireFolder(shown, parent);
  const there = foldersByName(shown);
  const folders: string[] = [];
  const edits: Edit[] = [];
  for (const { name: brought, within } of wanted) {
    const into = within === undefined ? parent : folders[within];
    if (into === undefined) throw new TypeError('expected folders after those that they are in');
    const name = acceptableName(brought);
    const place = `${into}/${name}`;
    let folder = there.get(place);
    if (folder === undefined) {
      folder = randomId();
      there.set(place, folder);
      edits.push({ kind: 'folder-add', entry: folder, parent: into, name });
    }
    folders.push(folder);
  }
  return { folders, edits };
}

/** All folders outside of the trash, by their own folder and name: ids and names have no slash. */
function foldersByName(shown: FoldedVault): Map<string, string> {
  const { indices } = list(shown, { place: { kind: 'all' }, sortBy: 'name', descending: false });
  const there = new Map<string, string>();
  for (const index of indices) {
    const { id, folder, name, isFolder } = shown.entryAt(index);
    if (isFolder) there.set(`${folder === ROOT ? ROOT : folder}/${name}`, id);
  }
  return there;
}
