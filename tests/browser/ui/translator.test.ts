import { flushSync } from 'svelte';
import { expect, test } from 'vitest';
import type { TransferReport } from '../../../src/lib/protocol/transfer.ts';
import Enrolment from '../../../src/lib/ui/account/Enrolment.svelte';
import BackupCodesSheet from '../../../src/lib/ui/account/BackupCodesSheet.svelte';
import WordsSheet from '../../../src/lib/ui/account/WordsSheet.svelte';
import CodeField from '../../../src/lib/ui/controls/CodeField.svelte';
import Dialog from '../../../src/lib/ui/controls/Dialog.svelte';
import LockChip from '../../../src/lib/ui/controls/LockChip.svelte';
import FileLine from '../../../src/lib/ui/drive/FileLine.svelte';
import TransferRow from '../../../src/lib/ui/transfers/TransferRow.svelte';
import { file } from './a-list.svelte.ts';
import { changing, mounts, seen } from './mounted.svelte.ts';

const nothing = () => undefined;

/** What a browser's translator does to a page: the text nodes go, and others come in elements of its own. */
function translate(root: Element): void {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode()) texts.push(walker.currentNode as Text);
  for (const text of texts) {
    if (text.data.trim() === '' || text.parentElement?.closest('[translate=no]')) continue;
    const outer = document.createElementNS('http://www.w3.org/1999/xhtml', 'font');
    const inner = document.createElementNS('http://www.w3.org/1999/xhtml', 'font');
    inner.textContent = `«${text.data}»`;
    outer.append(inner);
    text.replaceWith(outer);
  }
}

test('the translator that stands in takes texts away, as a browser’s does', () => {
  const paragraph = document.createElement('p');
  const text = document.createTextNode('old');
  paragraph.append(text);
  translate(paragraph);
  text.data = 'new';
  expect(paragraph.textContent).toBe('«old»');
});

test('words, codes and secrets stay what they are', () => {
  const words = ['ocean', 'violin'];
  const backupCodes = ['AAAA-BBBB-CCCC-DDDD'];
  const sheet = { onsave: nothing, onprint: nothing };
  for (const [target, exact] of [
    [mounts(WordsSheet, { ...sheet, words, headPhrase: 'HEAD 12' }), [...words, 'HEAD 12']],
    [mounts(BackupCodesSheet, { ...sheet, backupCodes }), backupCodes],
    [mounts(Enrolment, { secret: 'ABCDEFGH', otpauthUri: 'otpauth://totp/x' }), ['ABCDEFGH']],
  ] as const) {
    translate(target);
    expect(target.textContent).toContain('«');
    const kept = [...target.querySelectorAll('[translate=no]')].map((each) => each.textContent).join(' ');
    for (const text of exact) expect(kept).toContain(text);
  }
});

test('the lock says what is so, however often the page was translated', () => {
  const props = changing({
    openUntilMs: Date.now() + 240_000,
    onlock: nothing,
    onunlock: nothing,
  });
  const target = mounts(LockChip, props);
  translate(target);
  expect(seen(target.querySelector('[role=status]'))).toMatch(/^Open [34]:\d\d$/);
  Object.assign(props, { openUntilMs: undefined });
  flushSync();
  translate(target);
  expect(seen(target.querySelector('[role=status]'))).toBe('Locked');
  props.openUntilMs = Date.now() + 240_000;
  flushSync();
  expect(seen(target.querySelector('[role=status]'))).toMatch(/^Open [34]:\d\d$/);
});

test('a row, a transfer, a title and a field say what is so after a change', () => {
  const line = changing({
    index: 0,
    row: file('old.txt'),
    isActive: true,
    isSelected: false,
    isSelecting: false,
    isMenuOpen: false,
    isTouch: false,
    isInTrash: false,
    hasPaths: false,
    isDropTarget: false,
    onfocus: nothing,
    onopen: nothing,
    onpick: nothing,
    ontoggle: nothing,
    onmenu: nothing,
    ondownload: nothing,
    ondragstart: nothing,
    ondrag: nothing,
  });
  const transfer = {
    transfer: 't',
    direction: 'up',
    name: 'a',
    phase: 'waiting',
    doneBytes: 0,
    totalBytes: 1,
    sizeBytes: 1,
    canRetry: false,
    isSafe: true,
  };
  const moving = changing({
    transfer: transfer as TransferReport,
    line: { isOffline: false, wifiOnly: false },
    onagain: nothing,
    oncancel: nothing,
    onpause: nothing,
    onresume: nothing,
    onretry: nothing,
    ondismiss: nothing,
  });
  const dialog = changing({ title: 'old', onclose: nothing, children: nothing as never });
  const field = changing({ busy: false, oncomplete: nothing });
  const targets = [
    mounts(FileLine, line),
    mounts(TransferRow, moving),
    mounts(CodeField, field),
    mounts(Dialog, dialog),
  ] as const;
  for (const target of targets) translate(target);
  line.row = { ...line.row, name: 'new.txt' };
  moving.transfer = { ...moving.transfer, phase: 'failed' };
  field.busy = true;
  dialog.title = 'new';
  flushSync();
  const [ofLine, ofMoving, ofField, ofDialog] = targets.map(seen);
  expect(ofLine).toContain('new.txt');
  expect(ofLine).not.toContain('old.txt');
  expect(ofMoving).toContain('Failed');
  expect(ofField).toContain('Checking…');
  expect(ofDialog).toContain('new');
});
