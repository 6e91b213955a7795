import type { IconName } from '../icons.ts';
import { PLACES } from '../texts/en/frame.ts';

/** One of the places of the drive that are always there. */
export interface PlaceLink {
  readonly key: 'drive' | 'favourites' | 'trash' | 'storage' | 'me';
  readonly href: string;
  readonly label: string;
  readonly icon: IconName;
}

export const HOME = '/';
export const folderHref = (folder: string): string => (folder === '' ? HOME : `/folder/${folder}`);
export const fileHref = (entry: string): string => `/file/${entry}`;
export const STORAGE_HREF = '/storage';
export const TRASH_HREF = '/trash';

/** In the order in which they stand. *Shared* belongs after the drive, once there is sharing. */
export const PLACE_LINKS: readonly PlaceLink[] = [
  { key: 'drive', href: HOME, label: PLACES.drive, icon: 'drive' },
  { key: 'favourites', href: '/favourites', label: PLACES.favourites, icon: 'star' },
  { key: 'trash', href: TRASH_HREF, label: PLACES.trash, icon: 'trash' },
];

/** On a phone, what else belongs to somebody stands in a place of its own. */
export const ME_LINK: PlaceLink = { key: 'me', href: '/me', label: PLACES.me, icon: 'me' };
