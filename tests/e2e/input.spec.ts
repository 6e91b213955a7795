import { expect, test, type Page } from '@playwright/test';
import { textFile } from '../support/files.ts';
import { inLongForm } from '../support/long-form.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { DEVICES, LookedAt } from './looks.ts';
import { chooseOfApp, Person } from './person.ts';
import { quickDist } from './quick-app.ts';

// What is typed, pasted and pressed, where the focus is then, and what Back does.

let stack: Stack;
test.beforeAll(async () => {
  stack = await startStack({ dist: quickDist() });
});
test.afterAll(async () => {
  await stack.stop();
});

/** Types as an input method does: the text is rewritten with each key, and settled at the end. */
async function compose(page: Page, steps: readonly string[], settled?: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  for (const text of steps) {
    const end = text.length;
    await session.send('Input.imeSetComposition', { text, selectionStart: end, selectionEnd: end });
  }
  if (settled !== undefined) await session.send('Input.insertText', { text: settled });
  await session.detach();
}

/** A browser that focuses no button that is clicked, as Safari. */
async function likeSafari(page: Page): Promise<void> {
  await page.addInitScript(() => {
    document.addEventListener(
      'mousedown',
      (event) => {
        if (!(event.target instanceof Element) || !event.target.closest('button')) return;
        event.preventDefault();
        if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
      },
      { capture: true },
    );
  });
}

const fullWidth = (digits: string) =>
  Array.from(digits, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0)).join('');

test('a code is taken however it is typed, and what cannot be one is answered', async ({ browser }) => {
  const ada = await Person.signedUp(browser, stack, 'ada');
  const { page } = ada;
  const unlock = page.getByRole('button', { name: 'Unlock' });
  const field = page.getByLabel('Authenticator code');

  await ada.lockNow();
  await unlock.click();
  await field.focus();
  await compose(page, ['１', '１２', '１２３'], '１２３');
  await expect(field).toHaveValue('123');
  await page.keyboard.press('Enter');
  await expect(page.getByText('A code has six digits. This has 3.')).toBeVisible();
  await field.pressSequentially('x');
  await expect(page.getByText('A code has only digits, no letters.')).toBeVisible();
  await field.fill('');
  const code = fullWidth(await ada.code());
  await compose(
    page,
    [1, 2, 3, 4, 5, 6].map((length) => code.slice(0, length)),
  );
  await expect(ada.lock).toContainText('Open');

  await ada.lockNow();
  await unlock.click();
  await page.getByText('Use a backup code').click();
  const backup = page.getByLabel('Backup code');
  const [first = ''] = ada.backupCodes;
  await backup.fill(first.slice(0, -1));
  await page.getByRole('button', { name: 'Use this code' }).click();
  await expect(page.getByText('A backup code has 16 letters and digits. This has 15.')).toBeVisible();
  await expect(backup).toBeFocused();
  const misread = first.replaceAll('O', '0').replaceAll('I', '1').replaceAll('B', '8').replaceAll('-', '–');
  await backup.fill(misread.toLowerCase());
  await expect(ada.lock).toContainText('Open');
});

test('a name opens its file once, and keys and pastes go where they are meant', async ({ browser }) => {
  const grace = await Person.signedUp(browser, stack, 'grace');
  const { page } = grace;
  const { keyboard } = page;
  const filter = page.getByRole('searchbox', { name: 'Search your drive' });
  await grace.upload(textFile('a letter.txt', 'dear you'), textFile('b note.txt', 'a note'));
  await expect(grace.row('b note.txt')).toBeVisible();

  const box = await grace.row('a letter.txt').boundingBox();
  if (!box) throw new Error('expected the row to be in sight');
  // Beside the letters of the name, and in its cell.
  await page.mouse.dblclick(box.x + 400, box.y + box.height / 2);
  await expect(page.getByRole('dialog').getByText('dear you')).toBeVisible();
  await keyboard.press('Escape');
  await expect(grace.row('a letter.txt')).toBeFocused();
  await expect(page.getByRole('dialog')).toHaveCount(0);

  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(4, 3);
    canvas.getContext('2d')?.fillRect(0, 0, 4, 3);
    const image = await canvas.convertToBlob({ type: 'image/png' });
    const text = new Blob(['letter'], { type: 'text/plain' });
    // As spreadsheets do.
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': image, 'text/plain': text })]);
  });
  await filter.focus();
  await keyboard.press('Control+v');
  await expect(filter).toHaveValue('letter');
  await expect(page.getByText('1 result for “letter”.')).toBeAttached();
  await expect(page.getByText('image.png')).toHaveCount(0);
  await filter.fill('');
  await expect(grace.row('b note.txt')).toBeVisible();

  await grace.row('a letter.txt').focus();
  await keyboard.press('F2');
  await page.getByLabel('New name').fill('z letter.txt');
  await keyboard.press('Enter');
  await expect(grace.row('z letter.txt')).toBeFocused();
  await expect(grace.files.getByRole('row').last()).toContainText('z letter.txt');

  await keyboard.press('/');
  await expect(filter).toBeFocused();
  await chooseOfApp(page, 'Settings');
  const letters = page.getByRole('switch', { name: 'Single-letter shortcuts' });
  await letters.click();
  await expect(letters).not.toBeChecked();
  await page.reload();
  await expect(grace.row('b note.txt')).toBeVisible();
  await keyboard.press('/');
  await expect(filter).not.toBeFocused();
});

test('the focus comes back where it was, and Back closes what lies on top', async ({ browser }) => {
  const mary = await Person.arrive(browser, stack, 'mary');
  const { page } = mary;
  await likeSafari(page);
  await mary.signUp();
  await expect(page.getByRole('main')).toBeFocused();
  await mary.upload(textFile('letter.txt', 'dear you'));
  await expect(mary.row('letter.txt')).toBeVisible();

  const more = page.getByRole('button', { name: 'More', exact: true });
  await more.click();
  await page.getByRole('menuitem', { name: 'Keyboard shortcuts' }).click();
  await expect(page.getByRole('dialog').getByRole('heading')).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(more).toBeFocused();
  await page.getByRole('button', { name: 'Lock now' }).click();
  await page.getByRole('button', { name: 'Unlock' }).click();
  await mary.typeCode();
  await expect(page.getByRole('button', { name: 'Lock now' })).toBeFocused();

  const name = page.getByRole('link', { name: 'letter.txt', exact: true });
  await name.click();
  await expect(page.getByText('dear you')).toBeVisible();
  await page.goBack();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(name).toBeFocused();
  await page.getByRole('button', { name: 'Lock now' }).click();
  await name.click();
  await expect(page.getByLabel('Authenticator code')).toBeVisible();
  await mary.typeCode();
  await expect(page.getByText('dear you')).toBeVisible();
  await page.goBack();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(mary.row('letter.txt')).toBeVisible();
  await name.click();
  await page.getByRole('button', { name: 'Close' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);

  await more.click();
  await page.getByRole('menuitem', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Passphrase and codes' }).click();
  await page.getByRole('link', { name: 'Back to your drive' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Drive' })).toBeFocused();
  await expect(page.getByRole('dialog')).toHaveCount(0);

  // The browser keeps the page for Back, and meanwhile the session ends.
  const away = (type: string) =>
    page.evaluate((name) => dispatchEvent(new PageTransitionEvent(name, { persisted: true })), type);
  await away('pagehide');
  await expect(page.getByText('letter.txt')).toHaveCount(0, { timeout: 1 });
  await page.context().clearCookies();
  await away('pageshow').catch(() => undefined); // The page is loaded anew.
  await expect(page.getByRole('link', { name: 'Sign in' })).toBeVisible();
});

inLongForm(test)(
  'nothing is wrong with the way in on a phone, nor with an address that does not exist',
  async ({ browser }) => {
    const taken = await Person.signedUp(browser, stack, 'taken');
    await taken.page.context().close();
    const tour = await LookedAt.begin(browser, stack.origin, 'phone');
    const { page } = tour;
    const lise = new Person(page, stack, 'taken');
    await page.goto('/no/such/page');
    await expect(page.getByRole('heading', { name: 'Nothing here' })).toBeFocused();
    tour.complaints.length = 0; // That there is nothing, Kit writes down as well.
    await tour.look('nowhere');
    await page.getByRole('link', { name: 'Go to the start page' }).click();
    await page.getByRole('link', { name: 'Create account' }).click();

    await page.getByLabel('User name').fill('taken');
    await page.getByLabel('Passphrase', { exact: true }).fill(lise.passphrase);
    await page.getByRole('button', { name: 'Create account' }).click();
    const userName = page.getByLabel('User name');
    await expect(userName).toBeFocused();
    await expect(userName).toHaveAccessibleDescription(/This user name is taken/);
    await tour.look('name-taken');
    await userName.fill('lise');
    await page.getByRole('button', { name: 'Create account' }).click();

    await expect(page.getByRole('heading', { name: 'Pair your authenticator' })).toBeFocused();
    await expect(page.getByRole('link', { name: 'Open in your app' })).toBeVisible();
    await expect(page.getByText(/scan/i)).toBeHidden();
    await tour.look('pairing-on-a-phone');
    await lise.pairs();
    await lise.typeCode();
    await expect(page.getByRole('heading', { name: 'Your way back in' })).toBeFocused();
    await expect(
      page.getByText('You haven’t saved or printed the recovery words or the backup codes'),
    ).toBeVisible();
    await page.getByRole('button', { name: 'Save the words' }).click();
    await expect(page.getByText('You haven’t saved or printed the backup codes yet')).toBeVisible();
    await page.getByRole('button', { name: 'Continue' }).scrollIntoViewIfNeeded();
    await tour.look('kit-half-kept');
    await page.getByRole('button', { name: 'Continue' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Drive' })).toBeFocused();
    await expect(page.getByText('You may not have saved your backup codes')).toBeVisible();
    await expect(page.getByText('Tap + to add files.')).toBeVisible();
    await expect(page.getByText(/drop/i)).toBeHidden();
    await tour.look('kit-skipped');
    await page.getByRole('button', { name: 'Dismiss this message' }).click();

    await lise.lockNow();
    await page.context().setOffline(true);
    const long = `${'a very long name of a file, '.repeat(7)}.txt`;
    await lise.upload(textFile(long, 'dear you'));
    await expect(page.getByText('Your first file is waiting.')).toBeVisible();
    await expect(page.getByText('Nothing in here yet')).toHaveCount(0);
    tour.complaints.length = 0; // Those who listen for news find nobody.
    await tour.look('first-file-waits');
    tour.complaints.length = 0;
    await page.context().setOffline(false);
    await lise.unlock();
    await page.getByRole('button', { name: long, exact: true }).tap();
    await expect(page.getByText('dear you')).toBeVisible();
    const close = await page.getByRole('button', { name: 'Close' }).boundingBox();
    expect(close).toMatchObject({ width: 44, height: 44 });
    expect(close?.x).toBeLessThan(DEVICES.phone.viewport.width - 44);
    tour.complaints.length = 0;
    await tour.look('preview-of-a-long-name');
  },
);
