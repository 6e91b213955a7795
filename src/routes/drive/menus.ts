import type { DriveActions } from '$lib/state/drive-actions.svelte.ts';
import type { FileRow } from '$lib/state/halfkey.svelte.ts';
import { canPickPlace } from '$lib/platform/saving.ts';
import { APP_MENU, FILE_MENU } from '$lib/ui/texts/en/drive.ts';
import type { MenuItem } from '$lib/ui/menu.ts';

/** What can be done with a file. */
export function fileMenu(row: FileRow, driveActions: DriveActions): MenuItem[] {
  const isKept = row.kept !== 'no';
  const items: (MenuItem | false)[] = [
    {
      label: FILE_MENU.open,
      icon: 'open',
      onselect: () => {
        driveActions.preview(row);
      },
    },
    {
      label: FILE_MENU.download,
      icon: 'download',
      onselect: () => {
        driveActions.download(row, 'plain');
      },
    },
    canPickPlace() && {
      label: FILE_MENU.saveAs,
      icon: 'place',
      onselect: () => {
        driveActions.saveAs(row);
      },
    },
    {
      label: FILE_MENU.downloadEncrypted,
      icon: 'sealed',
      onselect: () => {
        driveActions.download(row, 'sealed');
      },
    },
    {
      label: FILE_MENU.rename,
      icon: 'rename',
      onselect: () => {
        driveActions.show({ kind: 'rename', row });
      },
    },
    {
      label: isKept ? FILE_MENU.keepNoMore : FILE_MENU.keep,
      icon: 'keep',
      onselect: () => {
        driveActions.keep(row, !isKept);
      },
    },
    {
      label: FILE_MENU.deleteForGood,
      icon: 'trash',
      danger: true,
      onselect: () => {
        driveActions.show({ kind: 'delete', row });
      },
    },
  ];
  return items.filter((item) => item !== false);
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
