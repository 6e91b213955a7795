import { expect, test } from '@playwright/test';
import { textFile } from '../support/files.ts';
import { inLongForm } from '../support/long-form.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { devicesToLookAt, LookedAt } from './looks.ts';
import { Person } from './person.ts';
import { quickDist } from './quick-app.ts';

const WAIT_MS = 72 * 60 * 60_000;
const ALL_WORDS = 24;

let stack: Stack;
test.beforeEach(async () => {
  stack = await startStack({ dist: quickDist() });
});
test.afterEach(async () => {
  await stack.stop();
});

/** The passphrase, as somebody shows it who has no authenticator. */
async function arriveWithout(person: Person): Promise<void> {
  await person.page.goto(`${stack.origin}/sign-in`);
  await person.typePassphrase();
  await expect(person.page.getByRole('button', { name: 'I lost my authenticator' })).toBeVisible();
}

async function ask({ page, recoveryWords }: Person, words = recoveryWords): Promise<void> {
  await page.getByRole('button', { name: 'I lost my authenticator' }).click();
  await page.getByLabel('Recovery words').fill(words);
  await page.getByRole('button', { name: 'Ask for a new authenticator' }).click();
}

for (const device of devicesToLookAt('phone'))
  inLongForm(test)(
    `a lost authenticator is replaced after a wait that every device shows, and may stop, on a ${device}`,
    async ({ browser }) => {
      const tour = await LookedAt.begin(browser, stack.origin, device);
      const ada = new Person(tour.page, stack, `ada-${device}`);
      await ada.signUp();
      await ada.upload(textFile('Letter.txt', 'pears are ripe'));
      await expect(ada.row('Letter.txt')).toBeVisible();
      const stranger = await LookedAt.begin(browser, stack.origin, device);
      const elsewhere = ada.at(stranger.page);

      await arriveWithout(elsewhere);
      await stranger.look('sign-in-code');
      await ask(elsewhere, ada.recoveryWords.split(' ').slice(1, ALL_WORDS).join(' '));
      await expect(elsewhere.page.getByRole('alert')).toContainText('aren’t 24 recovery words');
      await stranger.look('factor-reset-words');
      await elsewhere.page.getByLabel('Recovery words').fill(ada.recoveryWords);
      await elsewhere.page.getByRole('button', { name: 'Ask for a new authenticator' }).click();
      await expect(elsewhere.page.getByText('You can pair it later')).toBeVisible();
      await stranger.look('factor-reset-asked');

      await ada.page.reload();
      await expect(ada.page.getByText('A new authenticator was requested')).toBeVisible();
      await tour.look('factor-reset-told');
      await ada.page.getByRole('button', { name: 'Stop it' }).click();
      await expect(ada.page.getByText('The request was stopped')).toBeVisible();
      await tour.look('factor-reset-stopped');

      await arriveWithout(elsewhere);
      await ask(elsewhere);
      await expect(elsewhere.page.getByText('You can pair it later')).toBeVisible();
      stack.clock.advance(WAIT_MS - 60_000);
      await arriveWithout(elsewhere);
      await ask(elsewhere);
      await expect(elsewhere.page.getByText('You can pair it later')).toBeVisible();
      stack.clock.advance(60_000);
      await arriveWithout(elsewhere);
      await ask(elsewhere);
      await expect(elsewhere.page.getByText('Pair your new authenticator')).toBeVisible();
      const authenticator = await elsewhere.pairs();
      await elsewhere.typeCode(await authenticator.wrongCode());
      await expect(elsewhere.page.getByRole('alert')).toBeVisible();
      await stranger.look('factor-reset-pairing');
      await elsewhere.typeCode();
      await expect(elsewhere.row('Letter.txt')).toBeVisible();
      await expect(elsewhere.page.getByText('You may not have saved your backup codes')).toBeVisible();
      await elsewhere.lockNow();
      await elsewhere.unlock();
      const letter = await elsewhere.download('Letter.txt');
      expect(await letter.failure()).toBeNull();

      await ada.page.reload();
      await expect(ada.page.getByRole('link', { name: 'Sign in' })).toBeVisible();
    },
  );
