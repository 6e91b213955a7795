import { expect, test, type Locator, type Page } from '@playwright/test';
import { textFile } from '../support/files.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { inLongForm } from '../support/long-form.ts';
import { devicesToLookAt, LookedAt } from './looks.ts';
import { chooseOfApp, Person } from './person.ts';
import { quickDist } from './quick-app.ts';

const NEXT_PASSPHRASE = 'seven lanterns drift over the quiet harbour';

let stack: Stack;
test.beforeAll(async () => {
  stack = await startStack({ dist: quickDist() });
});
test.afterAll(async () => {
  await stack.stop();
});

/** Shows passphrase and code, and has the choice then. @param backupCode in place of a code */
async function prove(person: Person, backupCode?: string): Promise<void> {
  const { page } = person;
  await page.getByLabel('Passphrase', { exact: true }).fill(person.passphrase);
  if (backupCode === undefined) await person.typeCode();
  else {
    await page.getByRole('button', { name: 'Use a backup code' }).click();
    await page.getByLabel('Backup code').fill(backupCode);
  }
}

/** The same, at the page of credentials. */
async function proveForChoices(person: Person, backupCode?: string): Promise<void> {
  await prove(person, backupCode);
  await expect(person.page.getByRole('button', { name: 'New recovery words' })).toBeVisible();
}

async function recoveryWords(page: Page): Promise<string> {
  const text = await page.getByTestId('recovery-words').innerText();
  return (text.toLowerCase().match(/[a-z]+/g) ?? []).join(' ');
}

test('words, codes, authenticator and passphrase are made anew, and only the new ones work', async ({
  browser,
}) => {
  const ada = await Person.signedUp(browser, stack, 'ada-renews');
  const { page } = ada;
  const before = { words: ada.recoveryWords, passphrase: ada.passphrase, codes: ada.backupCodes };
  await ada.upload(textFile('Letter.txt', 'pears are ripe'));
  await expect(ada.row('Letter.txt')).toBeVisible();

  await chooseOfApp(page, 'Settings');
  await page.getByRole('button', { name: 'Passphrase and codes' }).click();
  await page.getByLabel('Passphrase', { exact: true }).fill('not the passphrase at all');
  await ada.typeCode();
  await expect(page.getByRole('alert')).toContainText('passphrase');
  await proveForChoices(ada, before.codes[0]);

  await page.getByRole('button', { name: 'New recovery words' }).click();
  ada.recoveryWords = await recoveryWords(page);
  expect(ada.recoveryWords.split(' ')).toHaveLength(24);
  await page.getByRole('button', { name: 'I’ve saved these. Use them from now on' }).click();
  await expect(page.getByText('Recovery words changed.').first()).toBeVisible();

  await page.getByRole('button', { name: 'New backup codes' }).click();
  ada.backupCodes = (await page.getByTestId('backup-codes').innerText()).match(/[A-Z2-7-]{19}/g) ?? [];
  expect(ada.backupCodes).toHaveLength(10);
  await page.getByRole('button', { name: 'I’ve saved these. Use them from now on' }).click();
  await expect(page.getByText('Backup codes changed.').first()).toBeVisible();

  await page.getByRole('button', { name: 'New authenticator' }).click();
  await ada.pairs();
  await ada.typeCode('000000');
  await expect(page.getByRole('alert')).toBeVisible();
  await ada.typeCode();
  await expect(page.getByText('Authenticator changed.').first()).toBeVisible();

  await page.getByRole('button', { name: 'Change the passphrase' }).click();
  await page.getByLabel('New passphrase').fill('password1');
  await page.getByRole('button', { name: 'Change the passphrase' }).click();
  await expect(page.getByRole('alert')).toContainText('too easy to guess');
  await page.getByLabel('New passphrase').fill(NEXT_PASSPHRASE);
  await page.getByRole('button', { name: 'Change the passphrase' }).click();
  await expect(page.getByText('Passphrase changed.').first()).toBeVisible();
  ada.passphrase = NEXT_PASSPHRASE;
  await page.getByRole('link', { name: 'Back to your drive' }).click();
  await expect(ada.row('Letter.txt')).toBeVisible();
  await ada.lockNow();

  const elsewhere = await ada.elsewhere(browser);
  elsewhere.passphrase = before.passphrase;
  await elsewhere.page.goto(`${stack.origin}/sign-in`);
  await elsewhere.typePassphrase();
  await expect(elsewhere.page.getByRole('alert')).toBeVisible();
  elsewhere.passphrase = NEXT_PASSPHRASE;
  await elsewhere.signIn();
  await expect(elsewhere.row('Letter.txt')).toBeVisible();

  const lost = await ada.elsewhere(browser);
  await lost.page.goto(`${stack.origin}/recover`);
  await lost.page.getByLabel('Recovery words').fill(before.words);
  await lost.page.getByLabel('New passphrase').fill('quite another set of words');
  await lost.page.getByText('Use a backup code').click();
  await lost.page.getByLabel('Backup code').fill(ada.backupCodes[0] ?? '');
  await expect(lost.page.getByRole('alert')).toContainText('don’t open an account');
  await lost.page.getByLabel('Recovery words').fill(ada.recoveryWords);
  await lost.page.getByLabel('Backup code').fill(before.codes[1] ?? '');
  await expect(lost.page.getByRole('alert')).toContainText('backup code is wrong');
  await lost.page.getByLabel('Backup code').fill(ada.backupCodes[0] ?? '');
  await expect(lost.row('Letter.txt')).toBeVisible();
});

for (const device of devicesToLookAt('phone'))
  inLongForm(test)(
    `words that a page died with are asked about, and made anew, on a ${device}`,
    async ({ browser }) => {
      const tour = await LookedAt.begin(browser, stack.origin, device);
      const { page } = tour;
      const grace = new Person(page, stack, `grace-${device}`);
      page.on('dialog', (dialog) => void dialog.accept()); // The page asks whether it may be left.
      await page.goto('/sign-up');
      await page.getByLabel('User name').fill(grace.userName);
      await page.getByLabel('Passphrase', { exact: true }).fill(grace.passphrase);
      await page.getByRole('button', { name: 'Create account' }).click();
      await grace.pairs();
      await grace.typeCode();
      await expect(page.getByTestId('recovery-words')).toBeVisible();
      await page.goto('/');
      await expect(page.getByText('You may not have saved')).toBeVisible();
      await tour.look('kit-unkept');

      await page.getByRole('link', { name: 'Make new ones' }).click();
      await page.getByLabel('Passphrase', { exact: true }).fill(grace.passphrase);
      await grace.typeCode('000000');
      await expect(page.getByRole('alert')).toBeVisible();
      await tour.look('credentials-refused');
      await proveForChoices(grace);
      await tour.look('credentials');
      await page.getByRole('button', { name: 'New authenticator' }).click();
      await expect(page.getByTestId('totp-secret')).toBeVisible();
      await tour.look('credentials-authenticator');
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByRole('button', { name: 'Change the passphrase' }).click();
      await page.getByRole('button', { name: 'Use a generated passphrase' }).click();
      await tour.look('credentials-passphrase');
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByRole('button', { name: 'New recovery words' }).click();
      await expect(page.getByTestId('recovery-words')).toBeVisible();
      await tour.look('credentials-words');
      const sheets = (await page.pdf()).toString('latin1').match(/\/Type \/Page\b/g) ?? [];
      expect(sheets).toHaveLength(1);
      // Not kept: the question stays.
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByRole('link', { name: 'Back to your drive' }).click();
      await expect(page.getByText('You may not have saved')).toBeVisible();

      await page.getByRole('link', { name: 'Make new ones' }).click();
      await proveForChoices(grace);
      await page.getByRole('button', { name: 'New backup codes' }).click();
      await expect(page.getByTestId('backup-codes')).toBeVisible();
      await tour.look('credentials-codes');
      await page.getByRole('button', { name: 'I’ve saved these. Use them from now on' }).click();
      await expect(page.getByText('Backup codes changed.').first()).toBeVisible();
      await page.getByRole('link', { name: 'Back to your drive' }).click();
      await expect(page.getByText('You may not have saved your recovery words')).toBeVisible();

      await page.getByRole('link', { name: 'Make new ones' }).click();
      await proveForChoices(grace);
      await page.getByRole('button', { name: 'New recovery words' }).click();
      await page.getByRole('button', { name: 'I’ve saved these. Use them from now on' }).click();
      await expect(page.getByText('Recovery words changed.').first()).toBeVisible();
      await tour.look('credentials-done');
      await page.getByRole('link', { name: 'Back to your drive' }).click();
      await expect(page.getByRole('searchbox', { name: 'Search your drive' })).toBeVisible();
      await expect(page.getByText('You may not have saved')).toHaveCount(0);
    },
  );

/** Opens the list of devices until another one is in it: as soon as its enrolment is here. */
async function untilListed(page: Page, open: string): Promise<Locator> {
  const named = page.getByRole('button', { name: / on / });
  await expect(async () => {
    await page.getByRole('button', { name: open }).click();
    await expect(named).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: 30_000 });
  return named;
}

for (const device of devicesToLookAt('laptop'))
  test(`a device that was lost is signed out, and what was done with it undone, on a ${device}`, async ({
    browser,
  }) => {
    const tour = await LookedAt.begin(browser, stack.origin, device);
    const { page } = tour;
    const mary = new Person(page, stack, `mary-${device}`);
    await mary.signUp();
    await mary.upload(textFile('Letter.txt', 'pears are ripe'));
    await expect(mary.row('Letter.txt')).toBeVisible();
    const lost = await mary.elsewhere(browser);
    await lost.signIn();
    await expect(lost.row('Letter.txt')).toBeVisible();
    await lost.act('Letter.txt', 'Rename…');
    await lost.page.getByLabel('New name').fill('Stolen.txt');
    await lost.page.getByRole('button', { name: 'Rename', exact: true }).click();
    await expect(mary.row('Stolen.txt')).toBeVisible();

    await chooseOfApp(page, 'Settings');
    await page.getByRole('button', { name: 'A device was lost or stolen' }).click();
    await expect(page.getByRole('heading', { name: 'A device was lost or stolen' })).toBeVisible();
    await tour.look('lost-proof');
    await prove(mary, mary.backupCodes[0]);
    await expect(page.getByRole('heading', { name: 'Which device is it?' })).toBeVisible();
    const named = await untilListed(page, 'Look again');
    await tour.look('lost-devices');
    await named.click();
    await tour.look('lost-since');
    await page.getByRole('button', { name: 'Show what it did' }).click();
    await expect(page.getByText('Renamed “Letter.txt” to “Stolen.txt”')).toBeVisible();
    await tour.look('lost-deeds');
    await page.getByRole('button', { name: 'Sign it out and undo all this' }).click();
    await expect(page.getByText('What it did since then has been undone.').first()).toBeVisible();
    await tour.look('lost-signed-out');

    await lost.page.reload();
    await expect(lost.page.getByRole('link', { name: 'Sign in' })).toBeVisible();
    await page.getByRole('link', { name: 'Back to your drive' }).click();
    await expect(mary.row('Letter.txt')).toBeVisible();
    await expect(mary.row('Stolen.txt')).toHaveCount(0);

    // With passphrase and code it comes back, as a new device, and sees the same.
    await lost.signIn();
    await expect(lost.row('Letter.txt')).toBeVisible();
  });

inLongForm(test)('a device that is no longer used is signed out from another', async ({ browser }) => {
  const { page } = await LookedAt.begin(browser, stack.origin, 'laptop');
  const mary = new Person(page, stack, 'mary-tidies');
  await mary.signUp();
  await page.goto('/credentials');
  await proveForChoices(mary, mary.backupCodes[0]);
  await page.getByRole('button', { name: 'Sign out a device' }).click();
  await expect(page.getByText('No other device has signed in')).toBeVisible();
  await page.getByRole('button', { name: 'Back' }).click();
  const old = await mary.elsewhere(browser);
  await old.signIn();
  await expect(async () => {
    await page.getByRole('button', { name: 'Sign out a device' }).click();
    const named = page.getByRole('button', { name: / on / });
    const isListed = await named.isVisible();
    if (isListed) await named.click();
    else await page.getByRole('button', { name: 'Back' }).click();
    expect(isListed).toBe(true);
  }).toPass({ timeout: 30_000 });
  await page.getByRole('button', { name: 'Sign it out' }).click();
  await expect(page.getByText('is signed out.').first()).toBeVisible();
  await old.page.reload();
  await expect(old.page.getByRole('link', { name: 'Sign in' })).toBeVisible();
});
