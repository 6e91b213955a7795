import { TOP, type Place } from '$lib/protocol/drive.ts';
import type { PlaceLink } from '$lib/ui/drive/places.ts';
import { PLACES } from '$lib/ui/texts/en/frame.ts';

/** What the address says is looked at. */
interface Shown {
  /** Undefined on the way to a file. */
  readonly key: PlaceLink['key'] | undefined;
  /** What is listed there; undefined where nothing is. */
  readonly place: Place | undefined;
  /** The heading of the place; undefined in a folder, which has its own name. */
  readonly title: string | undefined;
}

const GROUP = '/(drive)';

/** Whether this is the address of a place of the drive. */
export function isPlace(routeId: string | null): boolean {
  return routeId === GROUP || (routeId?.startsWith(`${GROUP}/`) ?? false);
}

export function shownPlace(routeId: string | null, params: Readonly<Partial<Record<string, string>>>): Shown {
  switch (routeId?.slice(GROUP.length)) {
    case '':
      return { key: 'drive', place: { kind: 'folder', folder: TOP }, title: undefined };
    case '/folder/[id]':
      return { key: 'drive', place: { kind: 'folder', folder: params['id'] ?? TOP }, title: undefined };
    case '/favourites':
      return { key: 'favourites', place: { kind: 'favourites' }, title: PLACES.favourites };
    case '/trash':
      return { key: 'trash', place: { kind: 'trash' }, title: PLACES.trash };
    case '/storage':
      return { key: 'storage', place: undefined, title: PLACES.storage };
    case '/me':
      return { key: 'me', place: undefined, title: PLACES.me };
    case undefined:
    default:
      return { key: undefined, place: undefined, title: undefined };
  }
}

/** What the browser's tab is called: without names, because the browser remembers it after somebody has signed out. */
export function tabTitle(routeId: string | null): string {
  return shownPlace(routeId, {}).title ?? PLACES.drive;
}
