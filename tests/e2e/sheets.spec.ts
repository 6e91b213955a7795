import { expect, test, type Page } from '@playwright/test';
import { startStack, type Stack } from '../support/stack.ts';
import { devicesToLookAt, LookedAt } from './looks.ts';
import { chooseOfApp, Person } from './person.ts';
import { quickDist } from './quick-app.ts';

const PASSPHRASE = 'tall clover behind the quiet railway house';

let stack: Stack;
test.beforeAll(async () => {
  stack = await startStack({ dist: quickDist() });
});
test.afterAll(async () => {
  await stack.stop();
});

function fileOf(name: string, sizeBytes: number, mimeType = '') {
  return { name, mimeType, buffer: Buffer.alloc(sizeBytes) };
}

/** Small windows, a phone on its side, and text of twice the size. */
const SQUEEZED = [
  { width: 844, height: 390, root: '' },
  { width: 320, height: 200, root: '' },
  { width: 390, height: 844, root: '32px' },
  { width: 1280, height: 800, root: '32px' },
] as const;

/** In whatever window, nothing covers anything else or is cut off, and a row of the list can be seen. */
async function squeeze(page: Page): Promise<void> {
  const before = page.viewportSize();
  for (const { width, height, root } of SQUEEZED) {
    await page.setViewportSize({ width, height });
    const layout = await page.evaluate((root) => {
      document.documentElement.style.fontSize = root;
      const boxOf = (selector: string) => document.querySelector(selector)!.getBoundingClientRect();
      const list = boxOf('[role=grid]');
      return {
        contentWidth: document.documentElement.scrollWidth,
        isStacked: boxOf('header').bottom <= boxOf('main').top && boxOf('main h1').bottom <= list.top,
        rowsHeight: boxOf('[role=grid] .body').height,
        rowHeight: boxOf('[role=grid] .body [role=row]').height,
      };
    }, root);
    const where = `${String(width)} × ${String(height)} ${root}`;
    expect.soft(layout, where).toMatchObject({ contentWidth: width, isStacked: true });
    expect.soft(layout.rowsHeight, where).toBeGreaterThan(layout.rowHeight);
  }
  await page.evaluate(() => (document.documentElement.style.fontSize = ''));
  if (before) await page.setViewportSize(before);
}

for (const device of devicesToLookAt('laptop'))
  test(`nothing is wrong with what lies over the drive on a ${device}, nor with what waits`, async ({
    browser,
  }) => {
    const tour = await LookedAt.begin(browser, stack.origin, device);
    const { page } = tour;
    const ada = new Person(page, stack, `ada-${device}`, PASSPHRASE);
    const open = async (item: string) => {
      await chooseOfApp(page, item);
      await expect(page.getByRole('dialog').first()).toBeVisible();
    };

    await ada.signUp();
    await ada.upload(
      fileOf('Recipes.txt', 21_000, 'text/plain'),
      fileOf('Garden plan.pdf', 1_840_000, 'application/pdf'),
      fileOf('House insurance 2026.pdf', 412_000, 'application/pdf'),
      fileOf('Choir rehearsal.m4a', 1_300_000, 'audio/mp4'),
      fileOf('Contract with the carpenter, the painter and the man who mends roofs.docx', 86_400),
    );
    await expect(page.getByRole('heading', { name: '5 files uploaded' })).toBeVisible();
    await page.getByRole('button', { name: 'Clear' }).click();
    await ada.act('Garden plan.pdf', 'Keep on this device');
    await expect(ada.row('Garden plan.pdf')).toContainText('Kept on this device');
    const clear = page.getByRole('button', { name: 'Clear' });
    if (await clear.isVisible()) await clear.click();

    if (device === 'phone') await page.getByRole('link', { name: 'Me', exact: true }).click();
    else await page.getByRole('button', { name: 'More', exact: true }).click();
    await tour.look('app-menu');
    if (device === 'phone') await ada.go('Drive');
    else await page.keyboard.press('Escape');
    await ada.act('Recipes.txt', 'Rename…');
    await page.getByLabel('New name').fill('Recipes/2026.txt');
    await page.getByRole('button', { name: 'Rename', exact: true }).click();
    await tour.look('rename-refused');
    await page.keyboard.press('Escape');
    await open('Who can read this now?');
    await expect(page.getByRole('term')).toHaveCount(5);
    await tour.look('who');
    await page.keyboard.press('Escape');
    await open('Install Halfkey');
    await tour.look('install');
    await page.keyboard.press('Escape');
    await open('Settings');
    await expect(page.getByText('free for Halfkey on this device')).toBeVisible();
    await tour.look('settings');
    await page.keyboard.press('Escape');
    await ada.go('Drive');

    await ada.lockNow();
    await page.context().setOffline(true);
    await ada.upload(
      fileOf('Harbour at dusk.jpg', 2_400_000, 'image/jpeg'),
      fileOf('Grandmother’s letters.txt', 61_000),
    );
    const transfers = page.getByRole('region', { name: 'Transfers' });
    await expect(transfers.getByText('Encrypted on this device.')).toHaveCount(2);
    // On a phone it lies over the row.
    const fold = transfers.getByRole('button', { name: 'Show all transfers' });
    if (device === 'phone') await fold.click();
    await ada.act('Recipes.txt', 'Rename…');
    await page.getByLabel('New name').fill('Recipes of the family.txt');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog')).toHaveCount(0);
    if (device === 'phone') await fold.click();
    await expect(ada.row('Recipes of the family.txt')).toContainText(
      'Changed here, and not on the server yet',
    );
    await expect(page.getByText('You are offline')).toBeVisible({ timeout: 60_000 });
    // Those who listen for news find nobody.
    tour.complaints.length = 0;
    await tour.look('waiting');
    await squeeze(page);
    tour.complaints.length = 0;
    await open('Settings');
    await expect(page.getByText('waiting to be uploaded')).toBeVisible();
    await tour.look('settings-waiting');
    await page.keyboard.press('Escape');
    await open('Sign out');
    await expect(page.getByRole('dialog')).toContainText('2 files');
    await tour.look('sign-out-loses');
    await page.getByRole('button', { name: 'Stay signed in' }).click();
    tour.complaints.length = 0;

    await page.context().setOffline(false);
    await expect(transfers.getByText('Uploaded. Appears in your drive after the next code.')).toHaveCount(2, {
      timeout: 60_000,
    });
    tour.complaints.length = 0;
    await tour.look('waiting-for-code');
    await open('Settings');
    await page.getByRole('switch', { name: 'Ask for the passphrase at every start' }).click();
    const dialog = page.getByRole('dialog', { name: 'Ask for the passphrase' });
    await expect(dialog.getByLabel('Passphrase', { exact: true })).toBeFocused();
    await tour.look('ask-at-start');
    await dialog.getByLabel('Passphrase', { exact: true }).fill(PASSPHRASE);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('switch', { name: 'Ask for the passphrase at every start' })).toBeChecked({
      timeout: 30_000,
    });
    await page.reload();
    await expect(page.getByRole('heading', { name: 'Closed' })).toBeVisible();
    await tour.look('closed');
  });
