import { createContext } from 'svelte';
import type { DriveUsage } from '$lib/protocol/drive.ts';
import type { Selection } from '$lib/ui/drive/selection.ts';
import type { MenuItem, MenuPlace } from '$lib/ui/menu.ts';
import type * as frameMenus from './frame-menus.ts';
import type * as menus from './menus.ts';
import type { Chosen, EntryDeeds } from './menus.ts';

/** What menus are made of; loaded with the first that is opened. */
type Menus = typeof frameMenus & typeof menus;

/** A menu that is open. */
export interface OpenMenu {
  /** What it is of: an entry's id, or the part of the page that has opened it. */
  readonly of: string;
  readonly label: string;
  readonly place: MenuPlace;
  readonly items: (menus: Menus) => readonly MenuItem[];
}

/** What the pages of the drive have of the frame around them. */
interface DriveFrame {
  /** Undefined until it is counted. */
  readonly usage: DriveUsage | undefined;
  /** What is selected of what is listed. */
  readonly selection: Selection;
  select(selection: Selection): void;
  /** These, as something is done to them. */
  chosen(entries: readonly string[]): Chosen;
  readonly deeds: EntryDeeds;
  /** The file or folder that a link has led to. */
  readonly cameFor: string | undefined;
  /** What the open menu is of. */
  readonly menuOf: string | undefined;
  openMenu(menu: OpenMenu): void;
  /** Lets somebody choose files to be uploaded; for their own click or key alone. */
  chooseFiles(): void;
}

const [getFrame, setFrame] = createContext<DriveFrame>();
export { getFrame, setFrame };
