/** The page of the drive itself. */
export const DRIVE = {
  more: 'More',
  dropHere: 'Drop to encrypt and upload',
  files: 'Files',
  name: 'Name',
  size: 'Size',
  added: 'Added',
  actions: 'Actions',
  deletedForGood: 'Deleted for good',
  kept: 'Kept on this device',
  keeping: 'Downloading to this device',
} as const;

/** Names the menu of one file. `name`: as it is shown. */
export function actionsFor(name: string): string {
  return `Actions for ${name}`;
}

/** What can be done with the app. */
export const APP_MENU = {
  settings: 'Settings',
  who: 'Who can read this now?',
  install: 'Install Halfkey',
  shortcuts: 'Keyboard shortcuts',
  signOut: 'Sign out',
} as const;
