/** What can be done with files and folders. */
export const ENTRY_MENU = {
  open: 'Open',
  download: 'Download',
  saveAs: 'Save as…',
  downloadEncrypted: 'Download encrypted',
  rename: 'Rename…',
  move: 'Move to…',
  favour: 'Add to favourites',
  favourNoMore: 'Remove from favourites',
  tags: 'Tags…',
  keep: 'Keep on this device',
  keepNoMore: 'Don’t keep on this device',
  versions: 'Versions',
  details: 'Details',
  trash: 'Move to trash',
  restore: 'Restore',
  purge: 'Delete for good',
} as const;
