import { flushSync } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { page } from 'vitest/browser';
import Kit from '../../../src/lib/ui/account/Kit.svelte';
import type { KitPart } from '../../../src/lib/protocol/credentials.ts';
import { mounts } from './mounted.svelte.ts';

let left: (readonly KitPart[])[];
let printed: number;

beforeEach(() => {
  [left, printed] = [[], 0];
  vi.stubGlobal('print', () => void (printed += 1));
  mounts(Kit, {
    words: Array.from({ length: 24 }, () => 'strawberry'),
    backupCodes: ['ABCD-EFGH-IJKL-MNOP'],
    headPhrase: '12 ABCD EFGH IJKL MNOP',
    onsave: () => undefined,
    oncontinue: (kept: readonly KitPart[]) => left.push(kept),
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

async function press(name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click();
  flushSync();
}
const says = (text: string) => expect.element(page.getByText(text)).toBeVisible();
const BOTH = 'You haven’t saved or printed the recovery words or the backup codes yet.';
const CODES = 'You haven’t saved or printed the backup codes yet.';

test('a sheet counts as printed when somebody says that it is, and the focus stays at it', async () => {
  await press('Print the words');
  await says('Did it print?');
  expect(printed).toBe(1);
  await press('No');
  await says(BOTH);
  await expect.element(page.getByRole('button', { name: 'Print the words' })).toHaveFocus();
  await press('Continue');

  await press('Print the words');
  await says('Did it print?');
  await says(BOTH);
  await press('Yes, it’s printed');
  await says(CODES);
  await expect.element(page.getByRole('button', { name: 'Print the words' })).toHaveFocus();
  await expect.element(page.getByText('Did it print?')).not.toBeInTheDocument();
  await press('Continue');
  expect(left).toEqual([[], ['words']]);
});

test('what was handed to the browser is to be looked for there', async () => {
  await press('Save the words');
  await says(CODES);
  await press('Save the codes');
  await says('Check that what you saved is in your downloads.');
  await press('Continue');
  expect(left).toEqual([['words', 'backup-codes']]);
});
