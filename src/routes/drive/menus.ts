import type { DriveActions } from '$lib/state/drive-actions.svelte.ts';
import type { FileRow } from '$lib/state/halfkey.svelte.ts';
import { canPickPlace } from '$lib/platform/saving.ts';
import type { MenuItem } from '$lib/ui/menu.ts';

/** What can be done with a file. */
export function fileMenu(row: FileRow, driveActions: DriveActions): MenuItem[] {
  const isKept = row.kept !== 'no';
  const items: (MenuItem | false)[] = [
    {
      label: 'Open',
      icon: 'open',
      onselect: () => {
        driveActions.preview(row);
      },
    },
    {
      label: 'Download',
      icon: 'download',
      onselect: () => {
        driveActions.download(row, 'plain');
      },
    },
    canPickPlace() && {
      label: 'Save as…',
      icon: 'place',
      onselect: () => {
        driveActions.saveAs(row);
      },
    },
    {
      label: 'Download encrypted',
      icon: 'sealed',
      onselect: () => {
        driveActions.download(row, 'sealed');
      },
    },
    {
      label: 'Rename…',
      icon: 'rename',
      onselect: () => {
        driveActions.show({ kind: 'rename', row });
      },
    },
    {
      label: isKept ? 'Don’t keep on this device' : 'Keep on this device',
      icon: 'keep',
      onselect: () => {
        driveActions.keep(row, !isKept);
      },
    },
    {
      label: 'Delete for good',
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
      label: 'Settings',
      icon: 'settings',
      onselect: () => {
        driveActions.show({ kind: 'settings' });
      },
    },
    {
      label: 'Who can read this now?',
      icon: 'who',
      onselect: () => {
        driveActions.show({ kind: 'who' });
      },
    },
    !isInstalled && {
      label: 'Install Halfkey',
      icon: 'install',
      onselect: () => {
        driveActions.show({ kind: 'install' });
      },
    },
    {
      label: 'Keyboard shortcuts',
      icon: 'help',
      onselect: () => {
        driveActions.show({ kind: 'help' });
      },
    },
    {
      label: 'Sign out',
      icon: 'leave',
      onselect: () => {
        driveActions.askToSignOut();
      },
    },
  ];
  return items.filter((item) => item !== false);
}
