import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { Person } from './person.ts';
import { textFile } from '../support/files.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { inLongForm } from '../support/long-form.ts';

let stack: Stack;
test.beforeAll(async () => {
  stack = await startStack();
});
test.afterAll(async () => {
  await stack.stop();
});

test('a new user signs up, adds, sees, filters, opens, downloads and deletes files, and locks', async ({
  browser,
}) => {
  const ada = await Person.signedUp(browser, stack, 'ada');
  expect(ada.recoveryWords.split(' ')).toHaveLength(24);
  expect(new Set(ada.backupCodes).size).toBe(10);
  await expect(ada.lock).toContainText('Open');

  await ada.upload(
    textFile('letter.txt', 'dear you'),
    textFile('photo list.txt', 'one, two'),
    textFile('empty', ''),
  );
  for (const name of ['letter.txt', 'photo list.txt', 'empty']) await expect(ada.row(name)).toBeVisible();
  await expect(ada.row('letter.txt')).toContainText('8');

  await ada.page.getByRole('searchbox', { name: 'Search your drive' }).fill('PHOTO');
  await expect(ada.row('photo list.txt')).toBeVisible();
  await expect(ada.row('letter.txt')).toHaveCount(0);
  await ada.page.getByRole('searchbox', { name: 'Search your drive' }).fill('');

  const opened = await ada.download('letter.txt');
  expect(opened.suggestedFilename()).toBe('letter.txt');
  expect(readFileSync(await opened.path(), 'utf8')).toBe('dear you');
  expect(readFileSync(await (await ada.download('empty')).path())).toHaveLength(0);

  await ada.lockNow();
  const unlocked = await ada.download('photo list.txt', 'Download', true);
  expect(readFileSync(await unlocked.path(), 'utf8')).toBe('one, two');
  await expect(ada.lock).toContainText('Open');

  const sealed = readFileSync(await (await ada.download('letter.txt', 'Download encrypted')).path());
  expect(sealed.subarray(0, 10).toString('hex')).toBe('00000008000000000020');
  expect(sealed.includes('dear you')).toBe(false);

  await ada.act('letter.txt', 'Open');
  await expect(ada.page.getByText('dear you')).toBeVisible();
  await ada.page.keyboard.press('l');
  await expect(ada.page.getByText('dear you')).toHaveCount(0);
  await ada.typeCode();
  await expect(ada.page.getByText('dear you')).toBeVisible();
  await ada.lockNow();
  await expect(ada.page.getByText('dear you')).toHaveCount(0);
  await ada.page.keyboard.press('Escape');

  await ada.deleteForGood('photo list.txt');
  await ada.page.reload();
  await expect(ada.row('letter.txt')).toBeVisible();
  await expect(ada.row('photo list.txt')).toHaveCount(0);
  await expect(ada.lock).toContainText('Locked');
});

test('two devices of one person see the same files, and each sees what the other changes', async ({
  browser,
}) => {
  const laptop = await Person.signedUp(browser, stack, 'grace');
  await laptop.upload(textFile('from the laptop.txt', 'laptop'));
  await expect(laptop.row('from the laptop.txt')).toBeVisible();

  const phone = await laptop.elsewhere(browser);
  await phone.signIn();
  await expect(phone.row('from the laptop.txt')).toBeVisible();
  await phone.upload(textFile('from the phone.txt', 'phone'));
  await expect(laptop.row('from the phone.txt')).toBeVisible();
  const there = await laptop.download('from the phone.txt');
  expect(readFileSync(await there.path(), 'utf8')).toBe('phone');

  await laptop.deleteForGood('from the laptop.txt');
  await expect(phone.row('from the laptop.txt')).toHaveCount(0);
});

test('the kit and a code, with a new passphrase, let somebody back in from an empty profile', async ({
  browser,
}) => {
  const before = await Person.signedUp(browser, stack, 'mary');
  await before.upload(textFile('old file.txt', 'still here'));
  await expect(before.row('old file.txt')).toBeVisible();

  const after = await before.elsewhere(browser);
  await after.page.goto('/sign-in');
  await after.page.getByText('I lost my passphrase').click();
  await after.page.getByLabel('Recovery words').fill(before.recoveryWords);
  await after.page.getByLabel('New passphrase').fill('seven orchards behind the slow blue river');
  await after.typeCode();
  await expect(after.row('old file.txt')).toBeVisible();
  expect(readFileSync(await (await after.download('old file.txt')).path(), 'utf8')).toBe('still here');

  const third = await Person.arrive(browser, stack, 'mary');
  await third.page.goto('/sign-in');
  await third.typePassphrase();
  await expect(third.page.getByRole('alert').first()).toBeVisible();
  await expect(third.page.getByLabel('Authenticator code')).toHaveCount(0);
  third.passphrase = 'seven orchards behind the slow blue river';
  third.authenticator = before.authenticator;
  await third.signIn();
  await expect(third.row('old file.txt')).toBeVisible();
});

inLongForm(test)('a backup code stands in for a code, once', async ({ browser }) => {
  const person = await Person.signedUp(browser, stack, 'emmy');
  const [backupCode = ''] = person.backupCodes;
  const other = await person.elsewhere(browser);
  const typeIt = async () => {
    await other.page.goto('/sign-in');
    await other.typePassphrase();
    await other.page.getByText('Use a backup code').click();
    await other.page.getByLabel('Backup code').fill(backupCode);
    await other.page.keyboard.press('Enter');
  };
  await typeIt();
  await expect(other.page.getByRole('searchbox', { name: 'Search your drive' })).toBeVisible();
  await other.signOut();
  await typeIt();
  await expect(other.page.getByRole('alert').first()).toBeVisible();
});

inLongForm(test)('names with odd characters come back as they were', async ({ browser }) => {
  const person = await Person.signedUp(browser, stack, 'odd');
  const names = [
    '<img src=x onerror=alert(1)>.txt',
    'Ärger “ü” 🗝️.txt',
    'a\'b"c&d;e%20.txt',
    '  spaced  .txt',
    '\u202Egpj.txt',
  ];
  await person.upload(...names.map((name) => textFile(name, name)));
  for (const name of names) {
    const digest = createHash('sha256').update(name).digest('hex');
    const download = await person.download(name);
    expect(
      createHash('sha256')
        .update(readFileSync(await download.path()))
        .digest('hex'),
    ).toBe(digest);
  }
});

test('what is pressed on one file never acts on another that takes its place', async ({ browser }) => {
  const person = await Person.signedUp(browser, stack, 'hasty');
  const { page } = person;
  await person.upload(textFile('middle.txt', 'was meant'));
  const actions = page.getByRole('button', { name: 'Actions for middle.txt' });
  const box = await actions.boundingBox();
  if (!box) throw new Error('expected the button to be in sight');
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await person.upload(textFile('before.txt', 'came between'));
  await expect(person.row('before.txt')).toBeVisible();
  await page.mouse.up();
  await expect(page.getByRole('menu')).toHaveCount(0);
  await actions.click();
  await expect(page.getByRole('menu', { name: /middle\.txt/ })).toBeVisible();
});
