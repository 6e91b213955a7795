import { expect, test } from '@playwright/test';
import { textFile } from '../support/files.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { Person } from './person.ts';

// The places of the drive are pages with addresses that stay, in a frame that stays.

let stack: Stack;
test.beforeAll(async () => {
  stack = await startStack();
});
test.afterAll(async () => {
  await stack.stop();
});

test('a folder has an address, and Back leads out of it', async ({ browser }) => {
  const ada = await Person.signedUp(browser, stack, 'ada-places');
  const { page } = ada;
  const heading = (name: string) => page.getByRole('heading', { level: 1, name });
  await ada.newFolder('Norway');
  await ada.openFolder('Norway');
  await expect(heading('Norway')).toBeFocused();
  await expect(page).toHaveURL(/\/folder\/[\w-]{22}$/);
  // The browser keeps titles after somebody has signed out.
  await expect(page).toHaveTitle('Drive – Halfkey');
  const address = page.url();
  await ada.upload(textFile('letter.txt', 'dear you'));
  await expect(ada.row('letter.txt')).toBeVisible();

  await page.goBack();
  await expect(heading('Drive')).toBeVisible();
  await expect(ada.row('Norway')).toBeVisible();
  await expect(ada.row('letter.txt')).toHaveCount(0);
  await page.goForward();
  await expect(ada.row('letter.txt')).toBeVisible();

  await page.goto(address);
  await expect(heading('Norway')).toBeVisible();
  await expect(ada.row('letter.txt')).toBeVisible();
  const tree = page.getByRole('tree', { name: 'Folders' });
  await expect(tree.getByRole('treeitem', { name: 'Norway' })).toHaveAttribute('aria-current', 'page');
  await page.getByRole('navigation', { name: 'Folder' }).getByRole('link', { name: 'Drive' }).click();
  await expect(heading('Drive')).toBeFocused();
});

test('the places share one frame: nothing is loaded anew between them', async ({ browser }) => {
  const ada = await Person.signedUp(browser, stack, 'ada-frame');
  const { page } = ada;
  await page.evaluate(() => {
    Object.assign(window, { isSamePage: true });
  });
  const side = await page.getByRole('navigation', { name: 'Drive' }).elementHandle();
  for (const place of ['Favourites', 'Trash', 'Storage', 'Drive'] as const) {
    await ada.go(place);
    await expect(page).toHaveTitle(`${place} – Halfkey`);
  }
  expect(await page.evaluate(() => 'isSamePage' in window)).toBe(true);
  expect(await side.evaluate((element) => element.isConnected)).toBe(true);
});

test('what is stored links to its largest files, and a link to a file leads to it', async ({ browser }) => {
  const ada = await Person.signedUp(browser, stack, 'ada-links');
  const { page } = ada;
  await ada.newFolder('Tax');
  await ada.openFolder('Tax');
  await ada.upload(textFile('return.txt', 'all of it'));
  await expect(ada.row('return.txt')).toBeVisible();
  await ada.go('Storage');
  const link = page.getByRole('link', { name: 'return.txt' });
  await expect(link).toHaveAttribute('href', /^\/file\/[\w-]{22}$/);
  await link.click();
  await expect(page.getByRole('heading', { level: 1, name: 'Tax' })).toBeVisible();
  await expect(ada.row('return.txt')).toBeFocused();
  await expect(ada.row('return.txt')).toHaveAttribute('aria-selected', 'true');
  await expect(page.getByRole('complementary').getByText('return.txt')).toBeVisible();
  await expect(page).toHaveURL(/\/folder\//);
});

test('what is not there any more says so', async ({ browser }) => {
  const ada = await Person.signedUp(browser, stack, 'ada-missing');
  const { page } = ada;
  await page.goto(`${stack.origin}/folder/${'A'.repeat(22)}`);
  await expect(page.getByRole('heading', { name: 'This folder isn’t here any more' })).toBeVisible();
  await page.getByRole('link', { name: 'Go to your drive' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Drive' })).toBeVisible();
  await page.goto(`${stack.origin}/file/${'A'.repeat(22)}`);
  await expect(page.getByRole('heading', { name: 'This file isn’t here any more' })).toBeVisible();
  for (const path of ['/folder/x', '/file/x', `/folder/${'%00'.repeat(3)}`]) {
    await page.goto(`${stack.origin}${path}`);
    await expect(page.getByRole('heading', { level: 1 })).toContainText('isn’t here any more');
  }
});

test('a search from anywhere lists what it finds, kept to a folder if somebody wants', async ({
  browser,
}) => {
  const ada = await Person.signedUp(browser, stack, 'ada-search');
  const { page } = ada;
  await ada.upload(textFile('bill of May.txt', 'x'));
  await expect(ada.row('bill of May.txt')).toBeVisible();
  await ada.newFolder('Tax');
  await ada.openFolder('Tax');
  await ada.upload(textFile('bill of June.txt', 'x'));
  await expect(ada.row('bill of June.txt')).toBeVisible();
  await ada.search.fill('bill');
  await expect(ada.row('bill of May.txt')).toBeVisible();
  const chip = page.getByRole('button', { name: 'Only in Tax' });
  await chip.click();
  await expect(ada.row('bill of May.txt')).toHaveCount(0);
  await expect(ada.row('bill of June.txt')).toBeVisible();
  await page.getByLabel('Kind').selectOption('Pictures');
  await expect(ada.row('bill of June.txt')).toHaveCount(0);
  await page.getByRole('button', { name: 'Clear search' }).first().click();
  await expect(ada.search).toHaveValue('');
  await expect(ada.row('bill of June.txt')).toBeVisible();

  await ada.go('Storage');
  await ada.search.pressSequentially('bill');
  await expect(ada.search).toHaveValue('bill');
  await expect(ada.row('bill of May.txt')).toBeVisible();
  await expect(ada.row('bill of June.txt')).toBeVisible();
});

test('Ctrl+Z takes back what was moved to the trash, as long as it is offered', async ({ browser }) => {
  const ada = await Person.signedUp(browser, stack, 'ada-undo');
  const { page } = ada;
  await ada.upload(textFile('a.txt', 'x'));
  await expect(ada.row('a.txt')).toBeVisible();
  await ada.trash('a.txt');
  await expect(page.getByRole('button', { name: 'Undo' })).toBeVisible();
  await page.keyboard.press('Control+z');
  await expect(ada.row('a.txt')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Undo' })).toHaveCount(0);
});

test('whoever follows a link and has to sign in gets there', async ({ browser }) => {
  const ada = await Person.signedUp(browser, stack, 'ada-guest');
  await ada.newFolder('Norway');
  await ada.openFolder('Norway');
  const address = ada.page.url();
  const other = await ada.elsewhere(browser);
  await other.page.goto(address);
  await expect(other.page).toHaveURL(`${stack.origin}/`);
  await other.page.getByRole('link', { name: 'Sign in' }).click();
  await other.typePassphrase();
  await other.typeCode();
  await expect(other.page).toHaveURL(address);
  await expect(other.page.getByRole('heading', { level: 1, name: 'Norway' })).toBeVisible();
  await other.signOut();
  await expect(other.page).toHaveURL(`${stack.origin}/`);
});
