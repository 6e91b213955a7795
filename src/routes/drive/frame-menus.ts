import { shownName } from '$lib/shown-name.ts';
import type { Crumb, ViewQuery } from '$lib/protocol/drive.ts';
import type { MenuItem } from '$lib/ui/menu.ts';
import { HEAD, NEW, SORT_COLUMNS, SORT_ORDERS } from '$lib/ui/texts/en/frame.ts';

interface NewDeeds {
  readonly uploadFiles: () => void;
  readonly uploadFolder: () => void;
  readonly addFolder: () => void;
  readonly takePhoto: () => void;
}

/** What can come into the drive. */
export function newMenu({ uploadFiles, uploadFolder, addFolder, takePhoto }: NewDeeds): MenuItem[] {
  const items: (MenuItem | false)[] = [
    { label: NEW.uploadFiles, icon: 'upload', onselect: uploadFiles },
    { label: NEW.uploadFolder, icon: 'folder-up', onselect: uploadFolder },
    { label: NEW.newFolder, icon: 'folder-add', onselect: addFolder },
    // Where there is no camera to be held in the hand, it would be the same as the first.
    matchMedia('(pointer: coarse)').matches && {
      label: NEW.takePhoto,
      icon: 'camera',
      onselect: takePhoto,
    },
  ];
  return items.filter((item) => item !== false);
}

type Column = ViewQuery['sortBy'];
const COLUMNS: readonly Column[] = ['name', 'added', 'size', 'kind'];

/** By what the list is sorted, and which way round. */
export function sortMenu(
  { sortBy, descending }: ViewQuery,
  onsort: (column: Column, descending?: boolean) => void,
): MenuItem[] {
  const columns = COLUMNS.map((column) => ({
    label: SORT_COLUMNS[column],
    group: HEAD.sortBy,
    isChosen: column === sortBy,
    onselect: () => {
      // The one that is chosen stays as it is.
      if (column !== sortBy) onsort(column);
    },
  }));
  const orders = [false, true].map((isDescending) => ({
    label: SORT_ORDERS[sortBy][isDescending ? 'descending' : 'ascending'],
    group: HEAD.order,
    isChosen: isDescending === descending,
    onselect: () => {
      onsort(sortBy, isDescending);
    },
  }));
  return [...columns, ...orders];
}

/** The folders of the way for which there is no room. */
export function betweenMenu(between: readonly Crumb[], onopen: (folder: string) => void): MenuItem[] {
  return between.map(({ folder, name }) => ({
    label: shownName(name),
    icon: 'folder',
    onselect: () => {
      onopen(folder);
    },
  }));
}
