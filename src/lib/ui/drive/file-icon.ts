import type { IconName } from '../icons.ts';

/** The picture beside a name: what kind of thing it is, as far as its media type tells. */
export function fileIcon(mediaType: string): IconName {
  if (mediaType.startsWith('image/')) return 'image';
  if (mediaType.startsWith('video/') || mediaType.startsWith('audio/')) return 'media';
  if (mediaType.startsWith('text/') || mediaType === 'application/pdf') return 'text';
  return 'file';
}
