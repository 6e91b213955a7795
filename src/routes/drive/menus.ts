import type { DriveActions } from '$lib/state/drive-actions.svelte.ts';
import type { EntryRow, FileRow } from '$lib/protocol/drive.ts';
import { APP_MENU } from '$lib/ui/texts/en/drive.ts';
import { ENTRY_MENU } from '$lib/ui/texts/en/entry-menu.ts';
import type { MenuItem } from '$lib/ui/menu.ts';

/** What something is done to. */
export interface Chosen {
  readonly entries: readonly string[];
  /** Of the only one. */
  readonly name?: string;
}

/** What people can do with files and folders. */
export interface EntryDeeds {
  open(row: EntryRow): void;
  /** A file as it is; a folder, or several, as one zip. */
  download(chosen: Chosen, row?: EntryRow): void;
  /** Absent where the browser asks for no place itself. */
  saveAs?(row: FileRow): void;
  downloadEncrypted(row: FileRow): void;
  rename(row: EntryRow): void;
  move(chosen: Chosen): void;
  favour(chosen: Chosen, isFavourite: boolean): void;
  tag(chosen: Chosen): void;
  keep(row: FileRow, keep: boolean): void;
  showDetails(row: EntryRow, tab: 'details' | 'versions'): void;
  trash(chosen: Chosen): void;
  restore(chosen: Chosen): void;
  purge(chosen: Chosen): void;
}

type Lines = readonly (MenuItem | false | undefined)[];

/** What can be done with one file or folder. */
export function rowMenu(row: EntryRow, isInTrash: boolean, deeds: EntryDeeds): MenuItem[] {
  const chosen = { entries: [row.entry], name: row.name };
  if (isInTrash) return inTrash(chosen, deeds);
  const own = row.kind === 'file' ? ofFile(row, deeds) : [];
  return listed([
    {
      label: ENTRY_MENU.open,
      icon: 'open',
      onselect: () => {
        deeds.open(row);
      },
    },
    {
      label: ENTRY_MENU.download,
      icon: 'download',
      onselect: () => {
        deeds.download(chosen, row);
      },
    },
    ...own,
    {
      label: ENTRY_MENU.rename,
      icon: 'rename',
      onselect: () => {
        deeds.rename(row);
      },
    },
    ...arranging(chosen, row.isFavourite, deeds),
    ...(row.kind === 'file' ? onDevice(row, deeds) : []),
    {
      label: ENTRY_MENU.details,
      icon: 'details',
      onselect: () => {
        deeds.showDetails(row, 'details');
      },
    },
    toTrash(chosen, deeds),
  ]);
}

/** What can be done with all that is selected. @param areFavourites whether each of them is one */
export function selectionMenu(
  chosen: Chosen,
  areFavourites: boolean,
  isInTrash: boolean,
  deeds: EntryDeeds,
): MenuItem[] {
  if (isInTrash) return inTrash(chosen, deeds);
  return listed([
    {
      label: ENTRY_MENU.download,
      icon: 'download',
      onselect: () => {
        deeds.download(chosen);
      },
    },
    ...arranging(chosen, areFavourites, deeds),
    toTrash(chosen, deeds),
  ]);
}

function ofFile(row: FileRow, deeds: EntryDeeds): Lines {
  return [
    deeds.saveAs && {
      label: ENTRY_MENU.saveAs,
      icon: 'place',
      onselect: () => {
        deeds.saveAs?.(row);
      },
    },
    {
      label: ENTRY_MENU.downloadEncrypted,
      icon: 'sealed',
      onselect: () => {
        deeds.downloadEncrypted(row);
      },
    },
  ];
}

function arranging(chosen: Chosen, isFavourite: boolean, deeds: EntryDeeds): Lines {
  return [
    {
      label: ENTRY_MENU.move,
      icon: 'move',
      onselect: () => {
        deeds.move(chosen);
      },
    },
    {
      label: isFavourite ? ENTRY_MENU.favourNoMore : ENTRY_MENU.favour,
      icon: 'star',
      onselect: () => {
        deeds.favour(chosen, !isFavourite);
      },
    },
    {
      label: ENTRY_MENU.tags,
      icon: 'tag',
      onselect: () => {
        deeds.tag(chosen);
      },
    },
  ];
}

function onDevice(row: FileRow, deeds: EntryDeeds): Lines {
  const isKept = row.kept !== 'no';
  return [
    {
      label: isKept ? ENTRY_MENU.keepNoMore : ENTRY_MENU.keep,
      icon: 'keep',
      onselect: () => {
        deeds.keep(row, !isKept);
      },
    },
    {
      label: ENTRY_MENU.versions,
      icon: 'versions',
      onselect: () => {
        deeds.showDetails(row, 'versions');
      },
    },
  ];
}

function toTrash(chosen: Chosen, deeds: EntryDeeds): MenuItem {
  return {
    label: ENTRY_MENU.trash,
    icon: 'trash',
    onselect: () => {
      deeds.trash(chosen);
    },
  };
}

function inTrash(chosen: Chosen, deeds: EntryDeeds): MenuItem[] {
  return [
    {
      label: ENTRY_MENU.restore,
      icon: 'restore',
      onselect: () => {
        deeds.restore(chosen);
      },
    },
    {
      label: ENTRY_MENU.purge,
      icon: 'trash',
      danger: true,
      onselect: () => {
        deeds.purge(chosen);
      },
    },
  ];
}

function listed(lines: Lines): MenuItem[] {
  return lines.filter((line) => line !== false && line !== undefined);
}

/** What can be done with the app. */
export function appMenu(driveActions: DriveActions, isInstalled: boolean): MenuItem[] {
  const items: (MenuItem | false)[] = [
    {
      label: APP_MENU.settings,
      icon: 'settings',
      onselect: () => {
        driveActions.show({ kind: 'settings' });
      },
    },
    {
      label: APP_MENU.who,
      icon: 'who',
      onselect: () => {
        driveActions.show({ kind: 'who' });
      },
    },
    !isInstalled && {
      label: APP_MENU.install,
      icon: 'install',
      onselect: () => {
        driveActions.show({ kind: 'install' });
      },
    },
    {
      label: APP_MENU.shortcuts,
      icon: 'help',
      onselect: () => {
        driveActions.show({ kind: 'help' });
      },
    },
    {
      label: APP_MENU.signOut,
      icon: 'leave',
      onselect: () => {
        driveActions.askToSignOut();
      },
    },
  ];
  return items.filter((item) => item !== false);
}
