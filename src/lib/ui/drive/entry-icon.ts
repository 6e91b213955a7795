import type { EntryRow } from '../../protocol/drive.ts';
import type { IconName } from '../icons.ts';

/** The picture beside a name: what kind of thing it is, as far as its media type tells. */
export function entryIcon(row: EntryRow): IconName {
  if (row.kind === 'folder') return 'folder';
  const { mediaType } = row;
  if (mediaType.startsWith('image/')) return 'image';
  if (mediaType.startsWith('video/') || mediaType.startsWith('audio/')) return 'media';
  if (mediaType.startsWith('text/') || mediaType === 'application/pdf') return 'text';
  return 'file';
}
