import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { textFile, writeEmptyFile } from '../support/files.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { devicesToLookAt, LookedAt } from './looks.ts';
import { chooseOfApp, Person } from './person.ts';
import { quickDist } from './quick-app.ts';

const PICTURE = fileURLToPath(new URL('../../static/icons/app-512.png', import.meta.url));

let stack: Stack;
let folder: string;
test.beforeAll(async () => {
  stack = await startStack({ dist: quickDist() });
  folder = mkdtempSync(join(tmpdir(), 'halfkey-tour-'));
});
test.afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

for (const device of devicesToLookAt('phone'))
  test(`nothing is wrong with any screen on a ${device}, by day and by night`, async ({ browser }) => {
    const tour = await LookedAt.begin(browser, stack.origin, device);
    const { page } = tour;
    const ada = new Person(page, stack, `ada-${device}`);

    await page.goto('/');
    await expect(page.getByRole('link', { name: 'Create account' })).toBeVisible();
    await tour.look('welcome');

    await page.getByRole('link', { name: 'Create account' }).click();
    await expect(page.getByLabel('User name')).toBeVisible();
    await tour.look('sign-up');
    await page.getByLabel('User name').fill(ada.userName);
    await page.getByLabel('Passphrase', { exact: true }).fill('password1');
    await page.getByRole('button', { name: 'Create account' }).click();
    await expect(page.getByRole('alert').first()).toBeVisible();
    await tour.look('sign-up-refused');
    await page.getByRole('button', { name: 'Use a generated passphrase' }).click();
    await expect(page.getByText('Write it down now')).toBeVisible();
    await tour.look('sign-up-generated');
    await page.getByLabel('Passphrase', { exact: true }).fill(ada.passphrase);
    await page.getByRole('button', { name: 'Create account' }).click();
    const authenticator = await ada.pairs();
    await tour.look('pairing');
    await ada.typeCode();
    await expect(page.getByTestId('head-phrase')).toHaveText(/^\d+ · ([a-z0-9]{4} ){4}[a-z0-9]{4}$/);
    await tour.look('kit');
    const pages = (await page.pdf()).toString('latin1').match(/\/Type \/Page\b/g) ?? [];
    expect(pages, 'the words on one sheet, the codes on another').toHaveLength(2);

    for (const sheet of ['words', 'codes']) {
      const saved = page.waitForEvent('download');
      await page.getByRole('button', { name: `Save the ${sheet}` }).click();
      await saved;
    }
    await page.getByRole('button', { name: 'Continue' }).click();
    await expect(page.getByText('Nothing in here yet')).toBeVisible();
    await tour.look('empty');
    await ada.upload(
      textFile('Grandmother’s letters.txt', 'My dear, the pears are ripe. '.repeat(900)),
      textFile('Recipes.txt', 'Pear cake: four pears, three eggs, two hundred grams of flour. '.repeat(300)),
      { name: 'Harbour at dusk.png', mimeType: 'image/png', buffer: readFileSync(PICTURE) },
      { name: 'Garden plan.pdf', mimeType: 'application/pdf', buffer: Buffer.alloc(1_840_000) },
      { name: 'House insurance 2026.pdf', mimeType: 'application/pdf', buffer: Buffer.alloc(412_000) },
      { name: 'Choir rehearsal.m4a', mimeType: 'audio/mp4', buffer: Buffer.alloc(6_300_000) },
      { name: 'Tax return 2025.pdf', mimeType: 'application/pdf', buffer: Buffer.alloc(268_000) },
      { name: 'Contract with the carpenter.docx', mimeType: '', buffer: Buffer.alloc(86_400) },
    );
    await expect(page.getByRole('heading', { name: '8 files uploaded' })).toBeVisible();
    await page.getByRole('button', { name: 'Clear' }).click();
    await tour.look('list');

    await ada.upload(writeEmptyFile(join(folder, 'Summer by the lake.mp4'), 640_000_000));
    const transfers = page.getByRole('region', { name: 'Transfers' });
    await expect(transfers.getByText(/left/)).toBeVisible();
    await tour.look('drive');
    await transfers.getByRole('button', { name: 'Cancel Summer by the lake.mp4' }).click();
    await expect(transfers.getByText('Cancelled')).toBeVisible();
    await page.getByRole('button', { name: 'Clear' }).click();

    await page.getByRole('searchbox', { name: 'Search your drive' }).fill('unicorn');
    await expect(page.getByText('Nothing found for')).toBeVisible();
    await tour.look('nothing-found');
    await page.getByRole('searchbox', { name: 'Search your drive' }).fill('');
    await page.getByRole('button', { name: 'Actions for Recipes.txt' }).click();
    await expect(page.getByRole('menu')).toBeVisible();
    await tour.look('menu');
    await page.keyboard.press('Escape');
    await chooseOfApp(page, 'Keyboard shortcuts');
    await expect(page.getByRole('dialog')).toBeVisible();
    await tour.look('keys');
    await page.keyboard.press('Escape');
    await ada.go('Drive');

    await ada.act('Recipes.txt', 'Open');
    await expect(page.getByRole('dialog').getByText('Pear cake')).toBeVisible();
    await tour.look('preview-text');
    await page.getByRole('dialog').getByRole('button', { name: 'Lock now' }).click();
    await expect(page.getByRole('dialog').getByText('Enter a code to see this file again')).toBeVisible();
    await tour.look('preview-covered');
    await ada.typeCode();
    await expect(page.getByRole('dialog').getByText('Pear cake')).toBeVisible();
    await page.keyboard.press('Escape');
    await ada.act('Harbour at dusk.png', 'Open');
    await expect(page.getByRole('dialog').getByRole('img')).toBeVisible();
    await tour.look('preview-image');
    await page.keyboard.press('Escape');
    await ada.act('Garden plan.pdf', 'Open');
    await expect(page.getByText('can’t be shown here')).toBeVisible();
    await tour.look('preview-none');
    await page.keyboard.press('Escape');

    await ada.trash('Tax return 2025.pdf');
    await tour.look('toast');
    await ada.go('Trash');
    await tour.look('trash');
    await ada.act('Tax return 2025.pdf', 'Delete for good');
    await expect(page.getByRole('dialog')).toBeVisible();
    await tour.look('delete');
    await page.keyboard.press('Escape');
    await ada.go('Drive');

    await ada.lockNow();
    await tour.look('locked');
    await ada.act('Recipes.txt', 'Open');
    await expect(page.getByLabel('Authenticator code')).toBeFocused();
    await tour.look('code');
    await ada.typeCode(await authenticator.wrongCode());
    await expect(page.getByRole('alert').first()).toBeAttached();
    await tour.look('code-refused');
    await page.getByText('Use a backup code').click();
    await tour.look('code-backup');
    await page.keyboard.press('Escape');

    await stack.broker.halt();
    await expect(page.getByText('The server isn’t answering')).toBeVisible();
    // Those who listen for news find nobody.
    tour.complaints.length = 0;
    await tour.look('server-away');
    await stack.broker.resume();
    await expect(page.getByText('The server isn’t answering')).toBeHidden();

    await page.context().clearCookies();
    await page.reload();
    await expect(page.getByText('You were signed out because')).toBeVisible();
    await tour.look('signed-out-elsewhere');
    await page.getByRole('link', { name: 'Sign in' }).click();
    await expect(page.getByLabel('User name')).toBeVisible();
    await tour.look('sign-in');
    const { passphrase } = ada;
    ada.passphrase = 'not the passphrase at all';
    await ada.typePassphrase();
    await expect(page.getByRole('alert').first()).toBeAttached();
    await tour.look('sign-in-refused');
    await page.getByText('I lost my passphrase').click();
    await expect(page.getByLabel('Recovery words')).toBeVisible();
    await tour.look('recover');
    await page.getByRole('link', { name: 'Sign in' }).click();
    ada.passphrase = passphrase;
    await ada.typePassphrase();
    await expect(page.getByLabel('Authenticator code')).toBeVisible();
    await tour.look('sign-in-code');
  });

test('the whole main job needs no pointer', async ({ browser }) => {
  const before = await Person.signedUp(browser, stack, 'grace');
  const grace = await before.elsewhere(browser);
  const { page } = grace;
  const { keyboard } = page;

  await page.goto('/no/such/page');
  await expect(page.getByRole('heading', { name: 'Nothing here' })).toBeFocused();
  await expect(page.getByRole('link', { name: 'Go to the start page' })).toBeVisible();
  await page.goto('/sign-up');
  await expect(page.getByLabel('User name')).toBeFocused();
  await keyboard.type('grace');
  await keyboard.press('Tab');
  await keyboard.type(grace.passphrase);
  await keyboard.press('Enter');
  await expect(page.getByLabel('User name')).toHaveAccessibleDescription(/This user name is taken/);
  await expect(page.getByLabel('User name')).toBeFocused();

  await page.goto('/');
  await expect(page.getByRole('link', { name: 'Sign in' })).toBeVisible();
  await keyboard.press('Tab');
  await keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Sign in' })).toBeFocused();
  await keyboard.press('Enter');
  await expect(page.getByLabel('User name')).toBeFocused();
  await keyboard.type('grace');
  await keyboard.press('Tab');
  await keyboard.type(grace.passphrase);
  await keyboard.press('Enter');
  await expect(page.getByLabel('Authenticator code')).toBeFocused();
  await keyboard.type(await grace.code());
  await expect(page.getByText('Nothing in here yet')).toBeVisible();
  await expect(page.getByRole('heading', { level: 1, name: 'Drive' })).toBeFocused();

  const picker = page.waitForEvent('filechooser');
  await keyboard.press('u');
  await (await picker).setFiles([textFile('letter.txt', 'dear you'), textFile('note.txt', 'a note')]);
  await expect(grace.row('letter.txt')).toBeVisible();
  await expect(grace.row('note.txt')).toBeVisible();

  await keyboard.press('/');
  await expect(page.getByRole('searchbox', { name: 'Search your drive' })).toBeFocused();
  await keyboard.type('lett');
  await expect(grace.row('note.txt')).toHaveCount(0);
  for (let stops = 0; stops < 20; stops++) {
    await keyboard.press('Tab');
    if (await grace.row('letter.txt').evaluate((row) => row === document.activeElement)) break;
  }
  await expect(grace.row('letter.txt')).toBeFocused();
  await keyboard.press('Enter');
  await expect(page.getByRole('dialog').getByText('dear you')).toBeVisible();
  await keyboard.press('Escape');
  await expect(grace.row('letter.txt')).toBeFocused();

  await keyboard.press('ArrowRight');
  await keyboard.press('Enter');
  await expect(page.getByRole('menuitem', { name: 'Open' })).toBeFocused();
  await keyboard.press('ArrowDown');
  await expect(page.getByRole('menuitem', { name: 'Download', exact: true })).toBeFocused();
  const download = page.waitForEvent('download');
  await keyboard.press('Enter');
  expect(readFileSync(await (await download).path(), 'utf8')).toBe('dear you');
  await expect(page.getByRole('button', { name: 'Actions for letter.txt' })).toBeFocused();

  await keyboard.press('ArrowLeft');
  await keyboard.press('Delete');
  await expect(grace.row('letter.txt')).toHaveCount(0);
  await expect(page.getByText('Nothing found for')).toBeVisible();
  await page.getByRole('navigation', { name: 'Drive' }).getByRole('link', { name: 'Trash' }).focus();
  await keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'Trash' })).toBeVisible();
  await grace.row('letter.txt').focus();
  await keyboard.press('Delete');
  await expect(page.getByRole('dialog').getByLabel('Authenticator code')).toBeFocused();
  await keyboard.type(await grace.code());
  await keyboard.press('Enter');
  await expect(grace.row('letter.txt')).toHaveCount(0);
  // On the page or on its heading, and not nowhere.
  const isOnPage = () => page.evaluate(() => document.activeElement?.closest('main') != null);
  await expect.poll(isOnPage).toBe(true);
  await keyboard.press('l');
  await expect(grace.lock).toContainText('Locked');
});
