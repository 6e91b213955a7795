import { createRawSnippet, flushSync } from 'svelte';
import { vi } from 'vitest';
import type { EntryRow, FileRow, FolderRow, ViewQuery } from '../../../src/lib/protocol/drive.ts';
import FilesGrid from '../../../src/lib/ui/drive/FilesGrid.svelte';
import { NOTHING_SELECTED, type Selection } from '../../../src/lib/ui/drive/selection.ts';
import { changing, mounts } from './mounted.svelte.ts';

const LISTED = { folder: '', isFavourite: false, tags: [], isPending: false } as const;

/** Its id is made of its name, so that a test can tell. */
export function idOf(name: string): string {
  return name
    .replaceAll(/[^\w-]/g, '-')
    .padEnd(22, '_')
    .slice(0, 22);
}

export function file(name: string, more: Partial<FileRow> = {}): FileRow {
  return {
    ...LISTED,
    kind: 'file',
    entry: idOf(name),
    name,
    sizeBytes: 3_100_000,
    mediaType: 'text/plain',
    addedAtMs: Date.UTC(2026, 10, 14),
    kept: 'no',
    isGone: false,
    ...more,
  };
}

export function folder(name: string, more: Partial<FolderRow> = {}): FolderRow {
  return { ...LISTED, kind: 'folder', entry: idOf(name), name, ...more };
}

export const AT_THE_TOP: ViewQuery = {
  place: { kind: 'folder', folder: '' },
  search: '',
  sortBy: 'name',
  descending: false,
};

/** A list on the page, as a page would keep it, with what it says and what a person does to it. */
export function aList(given: readonly EntryRow[], query: ViewQuery = AT_THE_TOP) {
  let rows = $state.raw(given);
  const said = {
    onselect: vi.fn<(selection: Selection) => void>((selection) => {
      props.selection = selection;
    }),
    onrange: vi.fn(),
    onsort: vi.fn(),
    onopen: vi.fn(),
    onmenu: vi.fn(),
    ondownload: vi.fn(),
    onrename: vi.fn(),
    ondetails: vi.fn(),
    ondelete: vi.fn(),
    onmove: vi.fn(),
    ondropfiles: vi.fn(),
  };
  const props = changing({
    total: given.length,
    query,
    isKnown: true,
    row: (index: number) => rows[index],
    keyOf: (index: number) => rows[index]?.entry ?? String(index),
    indexOf: (entry: string) => {
      const index = rows.findIndex((row) => row.entry === entry);
      return Promise.resolve(index < 0 ? undefined : index);
    },
    entriesBetween: (from: number, to: number) =>
      Promise.resolve(rows.slice(from, to).map(({ entry }) => entry)),
    find: (prefix: string, from: number) => {
      const order = [...rows.keys()].map((at) => (at + from) % rows.length);
      return Promise.resolve(order.find((at) => rows[at]?.name.toLowerCase().startsWith(prefix)));
    },
    selection: NOTHING_SELECTED,
    menuFor: undefined as string | undefined,
    empty: createRawSnippet(() => ({ render: () => '<p>Nothing</p>' })),
    ...said,
  });
  const target = mounts(FilesGrid, props);
  // As high as a window: without, virtua has nothing to fill.
  const list = target.querySelector<HTMLElement>('.list')!;
  list.style.height = '600px';
  const line = (name: string) => {
    const index = rows.findIndex((row) => row.name === name);
    return target.querySelector<HTMLElement>(`.body [aria-rowindex="${String(index + 2)}"]`)!;
  };
  return {
    said,
    props,
    target,
    line,
    grid: target.querySelector<HTMLElement>('[role=grid]')!,
    /** What the line of a name calls itself selected. */
    selected: () =>
      [...target.querySelectorAll('.body [aria-selected=true] .name :is(a, .name)')].map(
        ({ textContent }) => textContent,
      ),
    /** What is listed is something else from now on. */
    becomes: (next: readonly EntryRow[]) => {
      rows = next;
      props.total = next.length;
      flushSync();
    },
  };
}
