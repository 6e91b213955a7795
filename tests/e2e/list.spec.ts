import { devices, expect, test } from '@playwright/test';
import { textFile } from '../support/files.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { devicesToLookAt, LookedAt } from './looks.ts';
import { quickDist } from './quick-app.ts';
import { Person } from './person.ts';

// The list under a finger, and what it tells of a file.

const { defaultBrowserType: _any, ...PHONE } = devices['Pixel 7'];

let stack: Stack;
test.beforeAll(async () => {
  stack = await startStack({ dist: quickDist() });
});
test.afterAll(async () => {
  await stack.stop();
});

test('a finger that stays selects, and what can be done stands where the tabs were', async ({ browser }) => {
  const ada = await Person.signedUp(browser, stack, 'ada');
  await ada.upload(textFile('a.txt', 'a'), textFile('b.txt', 'b'));
  await ada.newFolder('Norway');
  const phone = await ada.elsewhere(browser, PHONE);
  await phone.signIn();
  const { page } = phone;
  await expect(phone.row('b.txt')).toBeVisible();
  const box = await phone.row('a.txt').boundingBox();
  if (!box) throw new Error('expected the row to be in sight');
  expect(box.height).toBeGreaterThanOrEqual(56);

  const client = await page.context().newCDPSession(page);
  const touch = (type: 'touchStart' | 'touchEnd', touchPoints: { x: number; y: number }[]) =>
    client.send('Input.dispatchTouchEvent', { type, touchPoints });
  await touch('touchStart', [{ x: box.x + box.width / 2, y: box.y + box.height / 2 }]);
  await expect(page.getByText('1 selected')).toBeVisible();
  await touch('touchEnd', []);
  await phone.row('Norway').tap();
  await expect(page.getByText('2 selected')).toBeVisible();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.getByRole('button', { name: 'All', exact: true }).tap();
  await expect(page.getByText('3 selected')).toBeVisible();
  await page.getByRole('button', { name: 'Move to trash' }).tap();
  await expect(phone.files.getByRole('row')).toHaveCount(0);
  await expect(page.getByText('Tap + to add files.')).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).tap();
  await expect(phone.row('a.txt')).toBeVisible();
  await phone.row('Norway').tap();
  await expect(page.getByRole('heading', { level: 1, name: 'Norway' })).toBeVisible();
});

test('details are shown by key and by menu, follow what is selected, and close by Escape', async ({
  browser,
}) => {
  const grace = await Person.signedUp(browser, stack, 'grace');
  const { page } = grace;
  const { keyboard } = page;
  await grace.upload(textFile('a.txt', 'a'), textFile('b.txt', 'bb'));
  await expect(grace.row('b.txt')).toBeVisible();
  await grace.row('a.txt').focus();
  await keyboard.press('Alt+Enter');
  const pane = page.getByRole('complementary', { name: 'Details of “a.txt”' });
  await expect(pane).toContainText('1 byte');
  await expect(pane.getByRole('heading', { name: 'a.txt' })).toBeFocused();
  await grace.row('b.txt').getByRole('gridcell').nth(3).click();
  await expect(page.getByRole('complementary', { name: 'Details of “b.txt”' })).toContainText('2 bytes');
  await grace.act('a.txt', 'Versions');
  await expect(pane.getByRole('tab', { name: 'Versions', selected: true })).toBeVisible();
  await expect(pane.getByRole('listitem')).toContainText('Current');
  await pane.getByRole('tab', { name: 'Versions' }).focus();
  await keyboard.press('Escape');
  await expect(page.getByRole('complementary')).toHaveCount(0);
});

for (const device of devicesToLookAt('phone'))
  test(`nothing is wrong with the list and what belongs to it on a ${device}`, async ({ browser }) => {
    const tour = await LookedAt.begin(browser, stack.origin, device);
    const { page } = tour;
    const iris = new Person(page, stack, `iris-${device}`);
    await iris.signUp();
    await iris.upload(textFile('a.txt', 'a'), textFile('b.txt', 'b'));
    await iris.newFolder('Norway');
    await expect(iris.row('b.txt')).toBeVisible();
    const close = async () => {
      await page.keyboard.press('Escape');
      await expect(page.getByRole('dialog')).toHaveCount(0);
    };
    await iris.act('a.txt', 'Add to favourites');
    await iris.act('a.txt', 'Tags…');
    await page.getByLabel('Add a tag').fill('cabin');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('button', { name: 'Remove cabin' })).toBeVisible();
    await tour.look('tags');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await expect(page.getByRole('dialog')).toHaveCount(0);

    await iris.act('a.txt', 'Move to…');
    await page.getByRole('dialog').getByRole('treeitem', { name: 'Norway' }).click();
    await tour.look('move');
    await close();
    await iris.act('a.txt', 'Versions');
    await expect(page.getByRole('complementary')).toContainText('Current');
    await tour.look('versions');
    await page.getByRole('tab', { name: 'Details' }).click();
    await tour.look('details');
    await page.getByRole('complementary').getByRole('button', { name: 'Close' }).click();

    await iris.row('a.txt').focus();
    await page.keyboard.press('Control+a');
    await expect(page.getByText('3 selected')).toBeVisible();
    await tour.look('selected');
    await page.getByRole('button', { name: 'Move to trash' }).click();
    await expect(iris.row('a.txt')).toHaveCount(0);
    await expect(page.getByRole('button', { name: 'Undo' })).toHaveCount(0);
    await tour.look('empty');
    await iris.go('Trash');
    await expect(iris.row('Norway')).toBeVisible();
    await tour.look('trash');
    await iris.act('Norway', 'Delete for good');
    await expect(page.getByRole('dialog')).toBeVisible();
    await tour.look('purge');
  });
