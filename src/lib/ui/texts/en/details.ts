import { formatSize } from '../../format.ts';
import { counted } from './counting.ts';
import { quotedName } from '../../../shown-name.ts';

/** What is known of a file or folder. */
export const DETAILS = {
  tabs: 'About it',
  details: 'Details',
  versions: 'Versions',
  loading: 'Looking…',
  where: 'Where',
  drive: 'Drive',
  kind: 'Kind',
  size: 'Size',
  sealedSize: 'Encrypted size',
  added: 'Added',
  modified: 'Changed',
  tags: 'Tags',
  content: 'Content',
  digest: 'SHA-256 of the encrypted file',
  copy: 'Copy',
  copied: 'Copied',
  notCopied: 'Not copied',
  folder: 'Folder',
  current: 'Current',
  gone: 'Deleted for good',
  open: 'Open',
  restore: 'Restore as newest',
  purge: 'Delete for good',
  onlyVersion:
    'This file has no earlier versions. Upload a file with the same name here, and this one stays as an earlier version.',
} as const;

export function detailsTitle(name: string): string {
  return `Details of ${quotedName(name)}`;
}

const KINDS = [
  ['image/', 'Image'],
  ['video/', 'Video'],
  ['audio/', 'Audio'],
  ['application/pdf', 'PDF document'],
  ['text/', 'Text'],
  ['application/zip', 'Archive'],
] as const;

/** What kind of file that is, with the media type that its source had. */
export function kindWords(mediaType: string): string {
  const kind = KINDS.find(([start]) => mediaType.startsWith(start))?.[1] ?? 'File';
  return mediaType === '' ? kind : `${kind} (${mediaType})`;
}

/** With all of its bytes, because they are compared. */
export function sizeWords(sizeBytes: number): string {
  const bytes = counted(sizeBytes, 'byte');
  return sizeBytes < 1000 ? bytes : `${formatSize(sizeBytes)} (${bytes})`;
}

/** All that is below a folder. */
export function belowWords({ files, sizeBytes }: { files: number; sizeBytes: number }): string {
  return `${counted(files, 'file')}, ${formatSize(sizeBytes)}`;
}

/** Names a button of one version. @param deed what it does. @param when that version was added */
export function versionDeedWords(deed: string, when: string): string {
  return `${deed}: version of ${when}`;
}
