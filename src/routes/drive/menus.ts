import type { Desk } from '$lib/state/desk.svelte.ts';
import type { FileRow } from '$lib/state/halfkey.svelte.ts';
import { canPickPlace } from '$lib/state/saving.ts';
import type { MenuItem } from '$lib/ui/menu.ts';

/** What can be done with a file. */
export function fileMenu(row: FileRow, desk: Desk): MenuItem[] {
  const isKept = row.kept !== 'no';
  const items: (MenuItem | false)[] = [
    {
      label: 'Open',
      icon: 'open',
      onselect: () => {
        desk.preview(row);
      },
    },
    {
      label: 'Download',
      icon: 'download',
      onselect: () => {
        desk.download(row, 'plain');
      },
    },
    canPickPlace() && {
      label: 'Save as…',
      icon: 'place',
      onselect: () => {
        desk.saveAs(row);
      },
    },
    {
      label: 'Download encrypted',
      icon: 'sealed',
      onselect: () => {
        desk.download(row, 'sealed');
      },
    },
    {
      label: 'Rename…',
      icon: 'rename',
      onselect: () => {
        desk.show({ kind: 'rename', row });
      },
    },
    {
      label: isKept ? 'Don’t keep on this device' : 'Keep on this device',
      icon: 'keep',
      onselect: () => {
        desk.keep(row, !isKept);
      },
    },
    {
      label: 'Delete for good',
      icon: 'trash',
      danger: true,
      onselect: () => {
        desk.show({ kind: 'delete', row });
      },
    },
  ];
  return items.filter((item) => item !== false);
}

/** What can be done with the app. */
export function appMenu(desk: Desk, isInstalled: boolean): MenuItem[] {
  const items: (MenuItem | false)[] = [
    {
      label: 'Settings',
      icon: 'settings',
      onselect: () => {
        desk.show({ kind: 'settings' });
      },
    },
    {
      label: 'Who can read this now?',
      icon: 'who',
      onselect: () => {
        desk.show({ kind: 'who' });
      },
    },
    !isInstalled && {
      label: 'Install Halfkey',
      icon: 'install',
      onselect: () => {
        desk.show({ kind: 'install' });
      },
    },
    {
      label: 'Keys',
      icon: 'help',
      onselect: () => {
        desk.show({ kind: 'help' });
      },
    },
    {
      label: 'Sign out',
      icon: 'leave',
      onselect: () => {
        desk.askToSignOut();
      },
    },
  ];
  return items.filter((item) => item !== false);
}
