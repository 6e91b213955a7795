import { goto } from '$app/navigation';
import { canPickPlace } from '$lib/platform/saving.ts';
import type { EntryRow } from '$lib/protocol/drive.ts';
import type { Halfkey } from '$lib/state/halfkey.svelte.ts';
import { folderHref } from '$lib/ui/drive/places.ts';
import type { EntryDeeds } from './menus.ts';

/** What people do with what is listed, wherever it is asked for: a menu, a key, the bar over a selection. */
export function entryDeeds(
  { arranging, driveActions }: Pick<Halfkey, 'arranging' | 'driveActions'>,
  showDetails: (row: EntryRow, tab: 'details' | 'versions') => void,
): EntryDeeds {
  return {
    open: (row) => {
      if (row.kind === 'folder') void goto(folderHref(row.entry));
      else driveActions.preview(row);
    },
    download: (chosen, row) => {
      if (row?.kind === 'file') driveActions.download(row, 'plain');
      else driveActions.downloadZip(chosen);
    },
    ...(canPickPlace() && {
      saveAs: (row) => {
        driveActions.saveAs(row);
      },
    }),
    downloadEncrypted: (row) => {
      driveActions.download(row, 'sealed');
    },
    rename: (row) => {
      driveActions.show({ kind: 'rename', row });
    },
    move: (rows) => {
      driveActions.show({ kind: 'move', rows });
    },
    favour: (chosen, isFavourite) => {
      arranging.favour(chosen, isFavourite);
    },
    tag: (rows) => {
      driveActions.tag(rows);
    },
    keep: (row, keep) => {
      driveActions.keep(row, keep);
    },
    showDetails,
    trash: (chosen) => {
      arranging.trash(chosen);
    },
    restore: (chosen) => {
      arranging.restore(chosen);
    },
    purge: (rows) => {
      driveActions.show({ kind: 'purge', rows });
    },
  };
}
