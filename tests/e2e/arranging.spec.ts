import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { textFile } from '../support/files.ts';
import { readZip } from '../support/read-zip.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { quickDist } from './quick-app.ts';
import { Person } from './person.ts';

// Folders, the trash, favourites and tags, by mouse and by keys, with the network and without.

let stack: Stack;
test.beforeAll(async () => {
  stack = await startStack({ dist: quickDist() });
});
test.afterAll(async () => {
  await stack.stop();
});

test('several files are moved, trashed, brought back, and deleted for good with one code', async ({
  browser,
}) => {
  const ada = await Person.signedUp(browser, stack, 'ada');
  const { page } = ada;
  await ada.upload(textFile('a.txt', 'a'), textFile('b.txt', 'b'), textFile('c.txt', 'c'));
  for (const name of ['a.txt', 'b.txt', 'c.txt']) await expect(ada.row(name)).toBeVisible();
  await ada.newFolder('Norway');

  await ada.row('a.txt').getByText('Today').click();
  await ada
    .row('b.txt')
    .getByText('Today')
    .click({ modifiers: ['Shift'] });
  await expect(page.getByText('2 selected')).toBeVisible();
  await page.getByRole('button', { name: 'Move to…' }).click();
  await page.getByRole('dialog').getByRole('treeitem', { name: 'Norway' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Move 2 items to “Norway”' }).click();
  await expect(ada.row('a.txt')).toHaveCount(0);
  await expect(page.getByText('2 items moved to “Norway”', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(ada.row('a.txt')).toBeVisible();
  await expect(ada.row('b.txt')).toBeVisible();

  // Dragged, with the mouse.
  await ada.row('c.txt').dragTo(ada.row('Norway'));
  await expect(ada.row('c.txt')).toHaveCount(0);
  await ada.openFolder('Norway');
  await expect(ada.row('c.txt')).toBeVisible();

  // By keys alone: to the trash, where the next row has the focus, and back.
  await ada.go('Drive');
  await ada.row('a.txt').focus();
  await page.keyboard.press('Delete');
  await expect(ada.row('a.txt')).toHaveCount(0);
  await expect(ada.row('b.txt')).toBeFocused();
  await page.keyboard.press('Control+z');
  await expect(ada.row('a.txt')).toBeVisible();

  await ada.trash('Norway');
  await ada.trash('a.txt');
  await ada.go('Trash');
  await ada.act('Norway', 'Restore');
  await expect(ada.row('Norway')).toHaveCount(0);
  await page.getByRole('button', { name: 'Empty trash' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Authenticator code').fill(await ada.code());
  await dialog.getByRole('button', { name: 'Delete for good' }).click();
  await expect(ada.row('a.txt')).toHaveCount(0);
  await expect(page.getByText('The trash is empty')).toBeVisible();
  await ada.go('Drive');
  await ada.openFolder('Norway');
  await expect(ada.row('c.txt')).toBeVisible();
});

test('favourites and tags are found again, and what is arranged without a network reaches other devices', async ({
  browser,
}) => {
  const ada = await Person.signedUp(browser, stack, 'grace');
  const { page } = ada;
  await ada.upload(textFile('bill.txt', 'a'), textFile('photo.txt', 'b'));
  await expect(ada.row('photo.txt')).toBeVisible();
  await ada.act('bill.txt', 'Add to favourites');
  await ada.act('bill.txt', 'Tags…');
  await page.getByRole('dialog').getByLabel('Add a tag').fill('cabin');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await ada.go('Favourites');
  await expect(ada.row('bill.txt')).toBeVisible();
  await expect(ada.row('photo.txt')).toHaveCount(0);
  await ada.search.fill('cabin');
  await expect(ada.row('bill.txt')).toBeVisible();
  await expect(ada.row('photo.txt')).toHaveCount(0);
  await ada.go('Drive');

  const other = await ada.elsewhere(browser);
  await other.signIn();
  await expect(other.row('photo.txt')).toBeVisible();
  await page.context().setOffline(true);
  await ada.newFolder('Norway');
  await ada.openFolder('Norway');
  await ada.newFolder('Cabin');
  await ada.go('Drive');
  await ada.row('photo.txt').dragTo(ada.row('Norway'));
  await expect(ada.row('photo.txt')).toHaveCount(0);
  await ada.trash('bill.txt');
  await page.reload();
  await expect(ada.row('Norway')).toBeVisible();
  await expect(ada.row('bill.txt')).toHaveCount(0);
  // Meanwhile at the other device.
  await other.act('bill.txt', 'Rename…');
  await other.page.getByLabel('New name').fill('invoice.txt');
  await other.page.keyboard.press('Enter');
  await expect(other.row('invoice.txt')).toBeVisible();
  await page.context().setOffline(false);
  await expect(other.row('Norway')).toBeVisible();
  await expect(other.row('photo.txt')).toHaveCount(0);
  await expect(other.row('invoice.txt')).toHaveCount(0);
  await other.go('Trash');
  await expect(other.row('invoice.txt')).toBeVisible();
  await ada.go('Trash');
  await expect(ada.row('invoice.txt')).toBeVisible();
});

test('an earlier version opens and comes back, and a folder comes down as a zip', async ({ browser }) => {
  const lise = await Person.signedUp(browser, stack, 'lise');
  const { page } = lise;
  await lise.newFolder('Norway');
  await lise.openFolder('Norway');
  await lise.upload(textFile('note.txt', 'the first words'));
  await expect(lise.row('note.txt')).toBeVisible();
  await lise.upload(textFile('note.txt', 'others'));
  await page.getByRole('dialog').getByRole('button', { name: 'New version' }).click();
  await expect(lise.row('note.txt')).toContainText('6 B');

  await lise.act('note.txt', 'Versions');
  const details = page.getByRole('complementary', { name: 'Details of “note.txt”' });
  const versions = details.getByRole('listitem');
  await expect(versions).toHaveCount(2);
  await versions.last().getByRole('button', { name: 'Open' }).click();
  await expect(page.getByRole('dialog').getByText('the first words')).toBeVisible();
  await page.keyboard.press('Escape');
  await versions.last().getByRole('button', { name: 'Restore as newest' }).click();
  await expect(lise.row('note.txt')).toContainText('15 B');
  await expect(versions.first()).toContainText('Current');
  expect(readFileSync(await (await lise.download('note.txt')).path(), 'utf8')).toBe('the first words');

  await versions.last().getByRole('button', { name: 'Delete for good' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Authenticator code').fill(await lise.code());
  await dialog.getByRole('button', { name: 'Delete for good' }).click();
  await expect(versions.last()).toContainText('Deleted for good');

  await lise.go('Drive');
  const zip = page.waitForEvent('download');
  await lise.act('Norway', 'Download');
  expect((await zip).suggestedFilename()).toBe('Norway.zip');
  const entries = readZip(readFileSync(await (await zip).path()));
  const texts = [...entries].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)]);
  expect(texts).toContainEqual(['Norway/note.txt', 'the first words']);
});
