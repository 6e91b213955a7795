import type { DriveUsage, FileKind } from '../../../protocol/drive.ts';
import { formatSize } from '../../format.ts';
import { counted } from './counting.ts';

/** The page that says what the drive holds. */
export const USAGE = {
  title: 'Storage',
  counting: 'Counting…',
  byKind: 'By kind',
  more: 'Also stored',
  largest: 'Largest files',
  none: 'No files yet.',
  trash: 'In the trash',
  earlier: 'Earlier versions',
  kept: 'Kept on this device',
} as const;

export const KINDS: Readonly<Record<FileKind, string>> = {
  image: 'Pictures',
  video: 'Videos',
  audio: 'Music and sound',
  document: 'Documents',
  archive: 'Archives',
  other: 'Other files',
};

/** What there is in all, and how many files that is apart from the trash. */
export function allWords(usage: DriveUsage): string {
  const files = usage.kinds.reduce((sum, kind) => sum + kind.files, 0);
  return `${formatSize(storedBytes(usage))} in your drive. ${counted(files, 'file')} outside the trash.`;
}

/** What the drive holds in all. */
export function storedBytes({ kinds, trash, earlierVersions }: DriveUsage): number {
  const bytes = kinds.reduce((sum, kind) => sum + kind.sizeBytes, 0);
  return bytes + trash.sizeBytes + earlierVersions.sizeBytes;
}

export const filesWords = (count: number): string => counted(count, 'file');
export const versionsWords = (count: number): string => counted(count, 'version');
