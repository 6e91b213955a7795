import { afterEach, expect, test } from 'vitest';
import { cdp, page } from 'vitest/browser';
import type { FileRow } from '../../../src/lib/protocol/drive.ts';
import Kit from '../../../src/lib/ui/account/Kit.svelte';
import CodeDialog from '../../../src/lib/ui/controls/CodeDialog.svelte';
import Menu from '../../../src/lib/ui/controls/Menu.svelte';
import PassphraseField from '../../../src/lib/ui/controls/PassphraseField.svelte';
import Switch from '../../../src/lib/ui/controls/Switch.svelte';
import FilesGrid from '../../../src/lib/ui/drive/FilesGrid.svelte';
import HelpDialog from '../../../src/lib/ui/drive/HelpDialog.svelte';
import PreviewDialog from '../../../src/lib/ui/drive/PreviewDialog.svelte';
import { NOTHING_SELECTED } from '../../../src/lib/ui/drive/selection.ts';
import MePage from '../../../src/lib/ui/drive/MePage.svelte';
import SearchFilters from '../../../src/lib/ui/drive/SearchFilters.svelte';
import StoragePage from '../../../src/lib/ui/drive/StoragePage.svelte';
import MoveDialog from '../../../src/lib/ui/drive/MoveDialog.svelte';
import NewFolderDialog from '../../../src/lib/ui/drive/NewFolderDialog.svelte';
import PurgeDialog from '../../../src/lib/ui/drive/PurgeDialog.svelte';
import TagsDialog from '../../../src/lib/ui/drive/TagsDialog.svelte';
import WhoDialog from '../../../src/lib/ui/drive/WhoDialog.svelte';
import { whoLines } from '../../../src/lib/ui/texts/en/who.ts';
import SettingsDialog from '../../../src/lib/ui/settings/SettingsDialog.svelte';
import TransferSection from '../../../src/lib/ui/settings/TransferSection.svelte';
import LockedOver from './LockedOver.svelte';
import { mounts } from './mounted.svelte.ts';
import WholeFrame from './WholeFrame.svelte';
import { USAGE } from './whole-frame.ts';

const nothing = () => undefined;
const lines = whoLines({ asksPassphrase: true, otherDevices: ['Firefox on Android'] });

const SCREENS = {
  'the kit': [
    Kit,
    {
      words: Array.from({ length: 24 }, () => 'strawberry'),
      backupCodes: Array.from({ length: 10 }, () => 'ABCD-EFGH-IJKL-MNOP'),
      headPhrase: '12 ABCD EFGH IJKL MNOP',
      onsave: nothing,
      oncontinue: nothing,
    },
  ],
  'the question for a code': [
    CodeDialog,
    {
      purpose: 'open “Contract with the carpenter.docx”',
      onsubmit: nothing,
      onaccepted: nothing,
      onclose: nothing,
    },
  ],
  deleting: [
    PurgeDialog,
    {
      entries: ['a', 'b'],
      older: { days: 30, entries: ['b'] },
      deleted: () =>
        Promise.resolve([
          { file: 'f', name: 'Sketches for the garden shed.pdf', device: 'Firefox on Linux' },
        ]),
      onpurge: nothing,
      onclose: nothing,
    },
  ],
  moving: [
    MoveDialog,
    {
      entries: ['a'],
      name: 'Contract with the carpenter.docx',
      from: '',
      readFolders: () =>
        Promise.resolve([{ folder: 'f', name: 'Sketches for the garden shed', hasFolders: true }]),
      onaddfolder: nothing,
      onmove: nothing,
      onclose: nothing,
    },
  ],
  'a new folder': [NewFolderDialog, { onadd: nothing, onclose: nothing }],
  tags: [
    TagsDialog,
    {
      count: 1,
      name: 'Contract with the carpenter.docx',
      tags: ['house', 'everything that has to do with the garden shed'],
      suggestions: ['tax'],
      onsave: nothing,
      onclose: nothing,
    },
  ],
  'the keys': [HelpDialog, { onclose: nothing }],
  'who can read this': [WhoDialog, { lines, onclose: nothing }],
  'the settings': [
    SettingsDialog,
    {
      transfer: { parallel: 4, wifiOnly: false },
      storage: {
        isPersistent: false,
        waiting: { count: 2, sizeBytes: 3 },
        kept: { count: 0, sizeBytes: 0 },
        pendingNames: 0,
      },
      asksPassphrase: false,
      canTellLine: true,
      isInstalled: false,
      onclose: nothing,
    },
  ],
  'the frame': [WholeFrame, {}],
  'what a search is kept to': [
    SearchFilters,
    {
      filter: { kind: 'document' },
      folderName: 'Sketches for the garden shed',
      isWithin: true,
      ...{ onfilter: nothing, onwithin: nothing, onclear: nothing },
    },
  ],
  'what is stored': [StoragePage, { usage: USAGE, kept: { count: 3, sizeBytes: 3_000_000 } }],
  me: [
    MePage,
    { storedBytes: 31_000_000, items: [{ label: 'Who can read this now?', icon: 'who', onselect: nothing }] },
  ],
} as const;

const WINDOWS = [
  { width: 390, height: 844, root: '32px' },
  { width: 844, height: 390, root: '' },
  { width: 320, height: 200, root: '' },
] as const;

afterEach(async () => {
  document.documentElement.style.fontSize = '';
  await cdp().send('Emulation.setEmulatedMedia', { features: [{ name: 'forced-colors', value: 'none' }] });
});

/** What stands out of the window to the side, or is cut there by what it stands in. */
function cutOff(root: Element): string[] {
  return [...root.querySelectorAll<HTMLElement>('button, input, h1, h2, h3, p, li, dt, dd, label, kbd, code')]
    .filter((each) => !each.closest('.unseen') && each.checkVisibility())
    .filter((each) => {
      const { left, right } = each.getBoundingClientRect();
      const isWider = each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).display !== 'inline';
      return left < -0.5 || right > innerWidth + 0.5 || (isWider && !each.matches('input, label, button'));
    })
    .map((each) => `${each.localName} “${each.textContent.trim().slice(0, 40)}”`);
}

for (const { width, height, root } of WINDOWS) {
  test.each(Object.entries(SCREENS))(
    `%s is all there at ${String(width)} × ${String(height)}${root && `, root ${root}`}`,
    async (_, [component, props]) => {
      await page.viewport(width, height);
      document.documentElement.style.fontSize = root;
      const target = mounts(LockedOver, {
        openUntilMs: Date.now() + 240_000,
        lock: nothing,
        component,
        props,
      });
      expect(cutOff(target)).toEqual([]);
      expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(width);
    },
  );
}

test.each([
  { listPx: 740, root: '32px' },
  { listPx: 480, root: '' },
])('beside transfers a list of $listPx px, root $root, leaves names their room', async ({ listPx, root }) => {
  await page.viewport(1280, 800);
  document.documentElement.style.fontSize = root;
  const row: FileRow = {
    ...{ kind: 'file', entry: 'f', folder: '', isFavourite: false, tags: [] },
    ...{ name: 'Contract with the carpenter.docx', mediaType: '', sizeBytes: 86_400 },
    ...{ addedAtMs: Date.now(), isGone: false, isPending: false },
    kept: 'no',
  };
  const target = mounts(FilesGrid, {
    total: 1,
    query: {
      ...{ place: { kind: 'folder' as const, folder: '' }, search: '' },
      ...{ sortBy: 'name' as const, descending: false },
    },
    ...{ selection: NOTHING_SELECTED, onselect: nothing, ondownload: nothing, onmove: nothing },
    ...{
      ondropfiles: nothing,
      entriesBetween: () => Promise.resolve([]),
      find: () => Promise.resolve(undefined),
    },
    isKnown: true,
    ...{ row: () => row, keyOf: () => 'f', indexOf: () => Promise.resolve(0), menuFor: undefined },
    ...{ onrange: nothing, onsort: nothing, onopen: nothing, onmenu: nothing, onrename: nothing },
    ...{ ondelete: nothing, ondetails: nothing, empty: nothing as never },
  });
  Object.assign(target.style, { display: 'grid', width: `${String(listPx)}px`, height: '400px' });
  const name = () => target.querySelector('.line .name')?.getBoundingClientRect().width ?? 0;
  await expect.poll(name).toBeGreaterThan(listPx * 0.6);
});

test('a long name leaves the button that closes its size', async () => {
  await page.viewport(390, 844);
  const target = mounts(LockedOver, {
    openUntilMs: Date.now() + 240_000,
    lock: nothing,
    component: PreviewDialog,
    props: {
      ...{ name: `${'averylongname'.repeat(18)}.txt`, preview: { kind: 'text', text: 'dear you' } },
      ...{ isCovered: false, onunlock: nothing, onunlocked: nothing, ondownload: nothing, onclose: nothing },
    },
  });
  const { width, height, right } = target.querySelector('[aria-label=Close]')!.getBoundingClientRect();
  expect([width, height]).toEqual([44, 44]);
  expect(right).toBeLessThanOrEqual(390);
});

test('a menu that is higher than the window scrolls within it', async () => {
  await page.viewport(320, 200);
  const items = Array.from({ length: 7 }, (_, index) => ({
    label: `Item ${String(index)}`,
    icon: 'open' as const,
    onselect: nothing,
  }));
  const target = mounts(Menu, {
    label: 'Actions',
    items,
    place: { right: 300, top: 100, bottom: 144, trigger: document.body },
    onclose: nothing,
  });
  const { top, bottom } = target.querySelector('[role=menu]')!.getBoundingClientRect();
  expect(top).toBeGreaterThanOrEqual(0);
  expect(bottom).toBeLessThanOrEqual(200);
});

test('where the system chooses the colours, on is told from off, and yours from the server’s', async () => {
  await cdp().send('Emulation.setEmulatedMedia', { features: [{ name: 'forced-colors', value: 'active' }] });
  expect(matchMedia('(forced-colors: active)').matches).toBe(true);
  const look = (element: Element, pseudo?: string) => {
    const { backgroundColor, borderLeftStyle } = getComputedStyle(element, pseudo);
    return `${backgroundColor} ${borderLeftStyle}`;
  };
  const [on, off] = [true, false].map((isOn) =>
    mounts(Switch, { label: 'Some', isOn, onchange: nothing }).querySelector('input')!,
  );
  expect(look(on!)).not.toBe(look(off!));
  for (const each of [on!, off!]) expect(look(each, '::before')).not.toBe(look(each));

  const choice = mounts(TransferSection, {
    settings: { parallel: 2, wifiOnly: false },
    canTellLine: false,
    onchange: nothing,
  });
  const labels = [...choice.querySelectorAll('label')];
  expect(look(labels[1]!)).not.toBe(look(labels[0]!));

  const strength = mounts(PassphraseField, {
    label: 'New passphrase',
    value: 'x',
    judge: () => Promise.resolve(2),
  });
  await expect.poll(() => strength.querySelectorAll('.strength span').length).toBe(4);
  const steps = [...strength.querySelectorAll('.strength span')];
  expect(look(steps[0]!)).not.toBe(look(steps[3]!));

  const who = mounts(WhoDialog, { lines, onclose: nothing });
  const [yours, servers] = ['yours', 'servers'].map((half) => look(who.querySelector(`.key.${half}`)!));
  expect(yours).not.toBe(servers);
  for (const half of ['yours', 'servers']) {
    expect(getComputedStyle(who.querySelector(`.key.${half}`)!).borderLeftWidth).toBe('4px');
    expect(look(who.querySelector(`dl > .${half}`)!)).toBe(half === 'yours' ? yours : servers);
  }
});
