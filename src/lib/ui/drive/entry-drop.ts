import type { Attachment } from 'svelte/attachments';
import { carried, unpackEntries } from './entry-drag.ts';

/** Set on what would take the entries that are held over it. */
const OVER = 'data-drop-over';
/** On what opens by itself when something is held over it. */
const OPENS_AFTER_MS = 700;

/** What becomes of entries that are dragged. */
interface EntryDrop {
  readonly ondrop: (entries: readonly string[]) => void;
  /** They have been held over it for a while. */
  readonly onhold?: () => void;
}

/** Takes entries of the drive that are dropped on it. Anything else that is dragged goes on to whom it concerns. */
export function takesEntries(drop: () => EntryDrop | undefined): Attachment<HTMLElement> {
  return (element) => {
    let depth = 0;
    let holding: ReturnType<typeof setTimeout> | undefined;

    const leave = (): void => {
      depth = 0;
      clearTimeout(holding);
      element.removeAttribute(OVER);
    };
    const enter = (event: DragEvent): void => {
      const taken = drop();
      if (!taken || carried(event.dataTransfer) !== 'entries') return;
      event.preventDefault();
      depth += 1;
      if (depth > 1) return;
      element.setAttribute(OVER, '');
      if (taken.onhold) holding = setTimeout(taken.onhold, OPENS_AFTER_MS);
    };
    const over = (event: DragEvent): void => {
      if (!drop() || carried(event.dataTransfer) !== 'entries' || !event.dataTransfer) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = 'move';
    };
    const out = (): void => {
      depth -= 1;
      if (depth <= 0) leave();
    };
    const take = (event: DragEvent): void => {
      const taken = drop();
      leave();
      if (!taken || carried(event.dataTransfer) !== 'entries') return;
      event.preventDefault();
      const entries = unpackEntries(event.dataTransfer);
      if (entries.length > 0) taken.ondrop(entries);
    };

    const listening = new AbortController();
    const { signal } = listening;
    element.addEventListener('dragenter', enter, { signal });
    element.addEventListener('dragover', over, { signal });
    element.addEventListener('dragleave', out, { signal });
    element.addEventListener('drop', take, { signal });
    return () => {
      clearTimeout(holding);
      listening.abort();
    };
  };
}
