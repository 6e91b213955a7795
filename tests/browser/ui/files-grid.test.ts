import { flushSync } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cdp, page, userEvent } from 'vitest/browser';
import DropTarget from '../../../src/lib/ui/drive/DropTarget.svelte';
import { AT_THE_TOP, aList, file, folder, idOf } from './a-list.svelte.ts';
import { mounts } from './mounted.svelte.ts';

const ROWS = [folder('Norway'), folder('Tax'), file('beach.jpg'), file('cabin.txt'), file('notes.txt')];
const NAMES = ROWS.map(({ name }) => name);

/** Where links led to. Nobody leaves this page by one. */
const visited: string[] = [];
function visit(event: MouseEvent): void {
  const link = (event.target as Element).closest('a');
  if (!link || event.defaultPrevented) return;
  event.preventDefault();
  visited.push(new URL(link.href).pathname);
}

beforeEach(async () => {
  visited.length = 0;
  await page.viewport(1280, 800);
  await userEvent.unhover(document.body); // The mouse is where the test before has left it.
  document.addEventListener('click', visit);
});

afterEach(() => {
  document.removeEventListener('click', visit);
});

/** Lines come when they have been measured. */
async function shown(list: ReturnType<typeof aList>, name = 'beach.jpg') {
  await vi.waitFor(() => {
    expect(list.line(name).checkVisibility({ visibilityProperty: true })).toBe(true);
  });
  return list;
}

const tap = (element: Element) => {
  const pointer = { pointerType: 'touch', isPrimary: true, bubbles: true, cancelable: true };
  element.dispatchEvent(new PointerEvent('pointerdown', pointer));
  element.dispatchEvent(new PointerEvent('pointerup', pointer));
  element.dispatchEvent(new PointerEvent('click', { ...pointer, detail: 1 }));
};

test('a click selects a line, with Ctrl one more, with Shift all between, and a click on a name opens', async () => {
  const list = await shown(aList(ROWS));
  const beside = (name: string) => list.line(name).querySelector('.added')!;
  await userEvent.click(beside('Tax'));
  expect(list.selected()).toEqual(['Tax']);
  await userEvent.click(beside('cabin.txt'), { modifiers: ['Control'] });
  expect(list.selected()).toEqual(['Tax', 'cabin.txt']);
  await userEvent.click(beside('notes.txt'), { modifiers: ['Shift'] });
  await vi.waitFor(() => {
    expect(list.selected()).toEqual(['cabin.txt', 'notes.txt']);
  });
  await userEvent.click(beside('Norway'), { modifiers: ['Shift'] });
  await vi.waitFor(() => {
    expect(list.selected()).toEqual(['Norway', 'Tax', 'beach.jpg', 'cabin.txt']);
  });
  await userEvent.click(beside('Tax'), { modifiers: ['Control'] });
  expect(list.selected()).toEqual(['Norway', 'beach.jpg', 'cabin.txt']);
  expect(list.said.onopen).not.toHaveBeenCalled();
  await userEvent.click(list.line('beach.jpg').querySelector('a')!);
  expect(list.said.onopen).toHaveBeenCalledExactlyOnceWith(ROWS[2]);
  await userEvent.click(list.line('Norway').querySelector('a')!);
  expect(visited).toEqual([`/folder/${idOf('Norway')}`]);
  expect(list.selected()).toHaveLength(3);
});

test('what a modifier means on a name is the browser’s', async () => {
  const list = await shown(aList(ROWS));
  await userEvent.click(list.line('beach.jpg').querySelector('a')!, { modifiers: ['Control'] });
  expect(list.said.onopen).not.toHaveBeenCalled();
  expect(visited).toEqual([`/file/${idOf('beach.jpg')}`]);
  expect(list.selected()).toEqual([]);
});

test('a double click anywhere opens, once', async () => {
  const list = await shown(aList(ROWS));
  await userEvent.dblClick(list.line('beach.jpg').querySelector('.size')!);
  await userEvent.dblClick(list.line('cabin.txt').querySelector('a')!);
  expect(list.said.onopen.mock.calls).toEqual([[ROWS[2]], [ROWS[3]]]);
  await userEvent.dblClick(list.line('Tax').querySelector('.size')!);
  expect(visited).toEqual([`/folder/${idOf('Tax')}`]);
});

test('the boxes stand in for Ctrl, and the one above them for all', async () => {
  const list = await shown(aList(ROWS));
  const box = (name: string) => list.line(name).querySelector<HTMLInputElement>('input')!;
  expect(box('Tax').checkVisibility({ visibilityProperty: true })).toBe(false);
  await userEvent.hover(list.line('Tax'));
  await userEvent.click(box('Tax'));
  expect(list.selected()).toEqual(['Tax']);
  expect(box('Tax').checked).toBe(true);
  expect(box('notes.txt').checkVisibility({ visibilityProperty: true })).toBe(true);
  await userEvent.click(box('notes.txt'), { modifiers: ['Shift'] });
  await vi.waitFor(() => {
    expect(list.selected()).toEqual(NAMES.slice(1));
  });
  const all = list.target.querySelector<HTMLInputElement>('.head input')!;
  expect(all.indeterminate).toBe(true);
  await userEvent.click(all);
  await vi.waitFor(() => {
    expect(list.selected()).toEqual(NAMES);
  });
  expect([all.checked, all.indeterminate]).toEqual([true, false]);
  await userEvent.click(all);
  expect(list.selected()).toEqual([]);
});

test('all of it goes by keys', async () => {
  const list = await shown(aList(ROWS));
  const { keyboard } = userEvent;
  list.line('Norway').focus();
  await userEvent.keyboard('{Shift>}{ArrowDown}{ArrowDown}{/Shift}');
  await vi.waitFor(() => {
    expect(list.selected()).toEqual(['Norway', 'Tax', 'beach.jpg']);
  });
  expect(document.activeElement).toBe(list.line('beach.jpg'));
  await keyboard('{Shift>}{ArrowUp}{/Shift}');
  await vi.waitFor(() => {
    expect(list.selected()).toEqual(['Norway', 'Tax']);
  });
  await keyboard('{ArrowDown}{ArrowDown}{Control>} {/Control}');
  expect(list.selected()).toEqual(['Norway', 'Tax', 'cabin.txt']);
  await keyboard('{Delete}');
  expect(list.said.ondelete).toHaveBeenLastCalledWith(['Norway', 'Tax', 'cabin.txt'].map(idOf));
  await keyboard('{Control>}a{/Control}');
  await vi.waitFor(() => {
    expect(list.selected()).toEqual(NAMES);
  });
  await keyboard('{Escape}');
  expect(list.selected()).toEqual([]);
  await keyboard(' ');
  await keyboard('{Enter}');
  expect(list.said.onopen.mock.calls).toEqual([[ROWS[3]], [ROWS[3]]]);
  await keyboard('{Alt>}{Enter}{/Alt}');
  expect(list.said.ondetails).toHaveBeenCalledExactlyOnceWith(ROWS[3]);
  await keyboard('{F2}{Delete}');
  expect(list.said.onrename).toHaveBeenCalledExactlyOnceWith(ROWS[3]);
  expect(list.said.ondelete).toHaveBeenLastCalledWith([idOf('cabin.txt')]);
  await keyboard('{Home} {Enter}');
  expect(visited).toEqual([`/folder/${idOf('Norway')}`]);
  expect(list.said.onopen).toHaveBeenCalledTimes(2);
});

test('two ranges that are answered in the other order end as the later one', async () => {
  const list = await shown(aList(ROWS));
  const answers: (() => void)[] = [];
  const { entriesBetween } = list.props;
  list.props.entriesBetween = async (from, to) => {
    await new Promise<void>((resolve) => answers.push(resolve));
    return entriesBetween(from, to);
  };
  list.line('Norway').focus();
  await userEvent.keyboard('{Shift>}{ArrowDown}{ArrowDown}{ArrowDown}{/Shift}');
  await vi.waitFor(() => {
    expect(answers.length).toBe(3);
  });
  for (const answer of answers.reverse()) answer();
  await vi.waitFor(() => {
    expect(list.selected()).toEqual(['Norway', 'Tax', 'beach.jpg', 'cabin.txt']);
  });
});

test('letters lead to a name, and are no shortcuts of the page there', async () => {
  const list = await shown(aList(ROWS));
  const heard = vi.fn();
  const hear = (event: KeyboardEvent) => {
    if (!event.defaultPrevented) heard(event.key);
  };
  addEventListener('keydown', hear);
  list.line('Norway').focus();
  await userEvent.keyboard('n');
  await vi.waitFor(() => {
    expect(document.activeElement).toBe(list.line('notes.txt'));
  });
  await userEvent.keyboard('n');
  await vi.waitFor(() => {
    expect(document.activeElement).toBe(list.line('Norway'));
  });
  expect(heard).not.toHaveBeenCalled();
  await userEvent.keyboard('/');
  expect(heard).toHaveBeenCalledWith('/');
  removeEventListener('keydown', hear);
});

test('a tap opens, a long press selects, and then a tap selects too', async () => {
  const list = await shown(aList(ROWS));
  tap(list.line('beach.jpg').querySelector('.size')!);
  expect(list.said.onopen).toHaveBeenCalledExactlyOnceWith(ROWS[2]);
  tap(list.line('Norway').querySelector('.size')!);
  expect(visited).toEqual([`/folder/${idOf('Norway')}`]);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const held = list.line('Tax').querySelector('.added')!;
  const touch = { pointerType: 'touch', isPrimary: true, bubbles: true, cancelable: true };
  held.dispatchEvent(new PointerEvent('pointerdown', touch));
  vi.advanceTimersByTime(1_000);
  vi.useRealTimers();
  held.dispatchEvent(new PointerEvent('pointerup', touch));
  held.dispatchEvent(new PointerEvent('click', { ...touch, detail: 1 })); // As the finger is lifted.
  await vi.waitFor(() => {
    expect(list.selected()).toEqual(['Tax']);
  });
  tap(list.line('notes.txt').querySelector('a')!);
  tap(list.line('beach.jpg').querySelector('.size')!);
  await vi.waitFor(() => {
    expect(list.selected()).toEqual(['Tax', 'beach.jpg', 'notes.txt']);
  });
  expect(list.said.onopen).toHaveBeenCalledTimes(1);
  expect(list.line('Tax').draggable).toBe(false);
});

test('a finger that moves on scrolls, and selects nothing', async () => {
  const list = await shown(aList(ROWS));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const touch = { pointerType: 'touch', isPrimary: true, bubbles: true, clientX: 50 };
  const held = list.line('Tax');
  held.dispatchEvent(new PointerEvent('pointerdown', { ...touch, clientY: 50 }));
  held.dispatchEvent(new PointerEvent('pointermove', { ...touch, clientY: 90 }));
  vi.advanceTimersByTime(1_000);
  vi.useRealTimers();
  expect(list.said.onselect).not.toHaveBeenCalled();
  // Browsers that open a menu at a long press may be quicker.
  held.dispatchEvent(new PointerEvent('pointerdown', { ...touch, clientY: 50 }));
  const menu = new MouseEvent('contextmenu', { bubbles: true, cancelable: true });
  held.dispatchEvent(menu);
  expect(menu.defaultPrevented).toBe(true);
  expect(list.said.onmenu).not.toHaveBeenCalled();
  expect(list.said.onselect).toHaveBeenCalledTimes(1);
});

test('a line that is dragged takes what is selected with it, and never goes into itself', async () => {
  const list = await shown(aList(ROWS));
  await userEvent.click(list.line('Norway').querySelector('.added')!);
  await userEvent.click(list.line('notes.txt').querySelector('.added')!, { modifiers: ['Control'] });
  await userEvent.dragAndDrop(list.line('notes.txt').querySelector('.kind')!, list.line('Tax'));
  expect(list.said.onmove).toHaveBeenCalledExactlyOnceWith(
    ['Norway', 'notes.txt'].map(idOf),
    idOf('Tax'),
    'Tax',
  );
  await userEvent.dragAndDrop(list.line('notes.txt').querySelector('.kind')!, list.line('Norway'));
  await userEvent.dragAndDrop(list.line('notes.txt').querySelector('.kind')!, list.line('cabin.txt'));
  expect(list.said.onmove).toHaveBeenCalledTimes(1);
  // By its name too; what was not selected goes alone.
  await userEvent.dragAndDrop(list.line('beach.jpg').querySelector('a')!, list.line('Tax'));
  expect(list.said.onmove).toHaveBeenLastCalledWith([idOf('beach.jpg')], idOf('Tax'), 'Tax');
  expect(list.selected()).toEqual(['beach.jpg']);
  expect(list.target.querySelector('.target')).toBeNull();
});

test('files from outside go into the folder that they are dropped on; elsewhere they are the page’s', async () => {
  const list = await shown(aList(ROWS));
  const onbring = vi.fn();
  mounts(DropTarget, { words: 'Drop', onbring });
  const drop = (name: string) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(['x'], 'x.txt'));
    const events = ['dragover', 'drop'].map(
      (type) => new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }),
    );
    for (const event of events) list.line(name).dispatchEvent(event);
  };
  drop('Tax');
  expect(list.said.ondropfiles).toHaveBeenCalledExactlyOnceWith(expect.any(DataTransfer), idOf('Tax'));
  expect(onbring).not.toHaveBeenCalled();
  drop('notes.txt');
  expect(list.said.ondropfiles).toHaveBeenCalledTimes(1);
  expect(onbring).toHaveBeenCalledTimes(1);
});

test('a drag from another page that only looks like one of ours moves nothing', async () => {
  const list = await shown(aList(ROWS));
  for (const text of ['', 'x', '{}', '["short"]', `[${JSON.stringify(idOf('Tax'))}, 1]`]) {
    const dataTransfer = new DataTransfer();
    dataTransfer.setData('application/x-halfkey-entries', text);
    list.line('Tax').dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
  }
  expect(list.said.onmove).not.toHaveBeenCalled();
});

test('what is selected stays so when it is sorted anew, and is no more when it is gone', async () => {
  const list = await shown(aList(ROWS));
  await userEvent.click(list.line('beach.jpg').querySelector('.added')!);
  await userEvent.click(list.line('notes.txt').querySelector('.added')!, { modifiers: ['Control'] });
  list.becomes([...ROWS].reverse());
  await vi.waitFor(() => {
    expect(list.selected()).toEqual(['notes.txt', 'beach.jpg']);
  });
  list.becomes(ROWS.filter(({ name }) => name !== 'beach.jpg'));
  await vi.waitFor(() => {
    expect([...list.props.selection.entries]).toEqual([idOf('notes.txt')]);
  });
});

test('the focus follows its file, and goes to the next one that is left when it is gone', async () => {
  const list = await shown(aList(ROWS));
  list.line('beach.jpg').focus();
  list.becomes([...ROWS.slice(0, 2), file('aaa.txt'), ...ROWS.slice(2)]);
  await vi.waitFor(() => {
    expect(document.activeElement).toBe(list.line('beach.jpg'));
  });
  // With all that is above it.
  list.becomes(ROWS.slice(3));
  await vi.waitFor(() => {
    expect(document.activeElement).toBe(list.line('cabin.txt'));
  });
  expect(list.line('cabin.txt').tabIndex).toBe(0);
});

test('a menu opens by its button, by the other mouse button and by key', async () => {
  const list = await shown(aList(ROWS));
  await userEvent.click(list.line('Tax').querySelector('.menu')!);
  await userEvent.click(list.line('beach.jpg'), { button: 'right' });
  expect(list.said.onmenu.mock.calls.map(([row]) => row as unknown)).toEqual([ROWS[1], ROWS[2]]);
  expect(list.selected()).toEqual([]);
  list.line('Tax').focus();
  await userEvent.keyboard('{ArrowRight}');
  expect(document.activeElement).toBe(list.line('Tax').querySelector('.menu'));
  await userEvent.keyboard('{ArrowLeft}');
  expect(document.activeElement).toBe(list.line('Tax'));
});

test('a file is downloaded by one click on its line, which no screen reader meets on every line', async () => {
  const list = await shown(aList(ROWS));
  const button = () => page.getByRole('button', { name: 'Download beach.jpg' });
  expect(button().elements()).toHaveLength(0);
  await userEvent.hover(list.line('beach.jpg'));
  await userEvent.click(button());
  expect(list.said.ondownload).toHaveBeenCalledExactlyOnceWith(ROWS[2]);
});

test('a name is whole to the ear, and keeps its ending where there is no room', async () => {
  const name = `${'A long contract with the carpenter '.repeat(6)}(signed).pdf`;
  const list = await shown(aList([file(name)]), name);
  expect(page.getByRole('link', { name, exact: true }).elements()).toHaveLength(1);
  const end = list.line(name).querySelector('.end')!;
  expect(end.textContent).toBe('igned).pdf');
  const { right } = end.getBoundingClientRect();
  expect(right).toBeLessThan(list.line(name).querySelector('.added')!.getBoundingClientRect().left);
  const text = document.createRange();
  text.selectNodeContents(end);
  // A fraction less, and it would be shortened itself.
  expect(text.getBoundingClientRect().width).toBeLessThanOrEqual(end.getBoundingClientRect().width);
  expect(list.line(name).querySelector('.start')!.scrollWidth).toBeGreaterThan(
    list.line(name).querySelector('.start')!.clientWidth,
  );
});

test('in the trash nothing leads anywhere, nor is dragged', async () => {
  const list = await shown(
    aList(
      ROWS.map((row) => ({ ...row, path: ['Home', 'Old'], trashedAtMs: Date.now() })),
      { ...AT_THE_TOP, place: { kind: 'trash' } },
    ),
  );
  expect(list.target.querySelector('.body a')).toBeNull();
  expect(list.line('Tax').draggable).toBe(false);
  expect(list.line('Tax').textContent).toContain('Home › Old, trashed today');
  list.line('Tax').focus();
  await userEvent.keyboard('{Delete}');
  expect(list.said.ondelete).toHaveBeenCalledWith([idOf('Tax')]);
});

test('of 100,000 files no more lines are in the page than there is room for', async () => {
  const many = Array.from({ length: 100_000 }, (_, index) => file(`file ${String(index)}.txt`));
  const list = await shown(aList(many), 'file 0.txt');
  const lines = () => list.target.querySelectorAll('.body [role=row]').length;
  expect(lines()).toBeGreaterThan(10);
  expect(lines()).toBeLessThan(60);
  list.line('file 0.txt').focus();
  await userEvent.keyboard('{Shift>}{End}{/Shift}');
  await vi.waitFor(() => {
    expect(document.activeElement).toBe(list.line('file 99999.txt'));
    expect(list.props.selection.entries.size).toBe(100_000);
  });
  expect(lines()).toBeLessThan(60);
  expect(list.said.onrange.mock.lastCall?.[1]).toBe(100_000);
});

test('nothing has heads of columns where there is nothing', () => {
  const list = aList([]);
  expect(list.target.querySelector('[role=columnheader]')).toBeNull();
  expect(list.target.textContent).toContain('Nothing');
});

/** Nothing of a line stands out of it, and something of its name is left. */
function fits(line: HTMLElement): void {
  const box = line.getBoundingClientRect();
  const parts = [...line.querySelectorAll('.name, .size, .added, .path, .menu, .kind, time')];
  for (const part of parts.filter((each) => each.checkVisibility())) {
    const { left, right, top, bottom } = part.getBoundingClientRect();
    expect(left, part.className).toBeGreaterThanOrEqual(box.left);
    expect(right, part.className).toBeLessThanOrEqual(box.right + 0.5);
    expect(top, part.className).toBeGreaterThanOrEqual(box.top - 0.5);
    expect(bottom, part.className).toBeLessThanOrEqual(box.bottom + 0.5);
  }
  expect(line.querySelector('.name .name')!.getBoundingClientRect().width).toBeGreaterThan(40);
}

test.each([
  [390, 844, '', 0],
  [390, 844, '32px', 0],
  [320, 640, '', 2],
  [1280, 800, '32px', 2],
])('a line is all there at %i × %i, root %s', async (width, height, root, count) => {
  await page.viewport(width, height);
  document.documentElement.style.fontSize = root;
  const names = ['Contract with the carpenter (signed).pdf', 'short.txt'];
  const list = await shown(
    aList(
      names.map((name) => file(name, { isFavourite: true, isPending: true, kept: 'kept', path: ['Home'] })),
    ),
    'short.txt',
  );
  list.props.selection = { entries: new Set(names.slice(0, count).map(idOf)) };
  await vi.waitFor(() => {
    expect(list.selected()).toHaveLength(count);
  });
  for (const query of [AT_THE_TOP, { ...AT_THE_TOP, search: 'o' }]) {
    list.props.query = query;
    flushSync();
    for (const name of names) fits(list.line(name));
  }
  expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(width);
  document.documentElement.style.fontSize = '';
});
test('what a line has to say is in its middle on a phone, with a picture before it', async () => {
  await page.viewport(390, 844);
  const list = await shown(aList(ROWS), 'Norway');
  const middle = (element: Element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return (top + bottom) / 2;
  };
  for (const name of ['Norway', 'beach.jpg'])
    expect(Math.abs(middle(list.line(name).querySelector('.kind')!) - middle(list.line(name)))).toBeLessThan(
      2,
    );
  expect(
    Math.abs(middle(list.line('Norway').querySelector('a')!) - middle(list.line('Norway'))),
  ).toBeLessThan(2);
});

test('where the system chooses the colours, what is selected is told from what is not', async () => {
  await cdp().send('Emulation.setEmulatedMedia', { features: [{ name: 'forced-colors', value: 'active' }] });
  const list = await shown(aList(ROWS));
  await userEvent.click(list.line('Tax').querySelector('.added')!);
  const [selected, other] = ['Tax', 'Norway'].map((name) => getComputedStyle(list.line(name)));
  expect(selected!.borderLeftWidth).toBe('4px');
  expect(selected!.borderLeftColor).not.toBe(other!.borderLeftColor);
  // Their boxes stand below each other.
  expect(other!.borderLeftWidth).toBe('4px');
  await cdp().send('Emulation.setEmulatedMedia', { features: [{ name: 'forced-colors', value: 'none' }] });
});
