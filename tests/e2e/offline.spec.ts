import { readFileSync } from 'node:fs';
import { expect, test, type BrowserContext } from '@playwright/test';
import { textFile } from '../support/files.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { inLongForm } from '../support/long-form.ts';
import { chooseOfApp, Person } from './person.ts';
import { quickDist } from './quick-app.ts';

let stack: Stack;
test.beforeAll(async () => {
  stack = await startStack({ dist: quickDist() });
});
test.afterAll(async () => {
  await stack.stop();
});

/** The first visit is over when the shell is stored on the device. */
async function shellIsHere({ page }: Person): Promise<void> {
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
}

/** The browser's own cache of files, which it throws away when it likes. What a service worker has put by stays. */
async function throwCacheAway({ page }: Person): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.clearBrowserCache');
}

/** As in a tunnel: neither broker nor store answers, and the browser knows. */
async function withoutNetwork(context: BrowserContext, run: () => Promise<void>): Promise<void> {
  await context.setOffline(true);
  await stack.broker.halt();
  await run();
  await stack.broker.resume();
  await context.setOffline(false);
}

test('the app starts without a network, at every address', async ({ browser }) => {
  const guest = await Person.arrive(browser, stack, 'nobody');
  const { page } = guest;
  await page.goto('/');
  await shellIsHere(guest);
  await withoutNetwork(page.context(), async () => {
    for (const [path, label] of [
      ['/sign-in', 'User name'],
      ['/sign-up', 'User name'],
      ['/recover', 'Recovery words'],
    ] as const) {
      await page.goto(path);
      await expect(page.getByLabel(label)).toBeVisible();
    }
    await page.goto('/');
    await expect(page.getByRole('link', { name: 'Create account' })).toBeVisible();
  });
});

inLongForm(test)(
  'a drive opens without a network although the browser has thrown its cache away',
  async ({ browser }) => {
    const ida = await Person.signedUp(browser, stack, 'ida');
    await ida.upload(textFile('timetable.txt', 'every ten minutes'));
    await expect(ida.row('timetable.txt')).toBeVisible();
    await shellIsHere(ida);
    await throwCacheAway(ida);
    await withoutNetwork(ida.page.context(), async () => {
      await ida.page.reload();
      await expect(ida.row('timetable.txt')).toBeVisible();
    });
  },
);

test('files that are added while locked and without a network wait, survive the tab, and arrive once after one code', async ({
  browser,
}) => {
  const laptop = await Person.signedUp(browser, stack, 'ada');
  await laptop.upload(textFile('before.txt', 'was there before'));
  await expect(laptop.row('before.txt')).toBeVisible();
  await laptop.lockNow();
  await shellIsHere(laptop);
  const context = laptop.page.context();
  const transfers = laptop.page.getByRole('region', { name: 'Transfers' });

  await context.setOffline(true);
  await laptop.upload(
    textFile('in the tunnel.txt', 'written in a tunnel'),
    textFile('second.txt', 'and another'),
  );
  await expect(laptop.page.getByRole('dialog')).toHaveCount(0);
  await expect(transfers.getByText('Encrypted on this device. Will upload when you are online.')).toHaveCount(
    2,
  );
  await expect(transfers).not.toContainText(/saved/i);

  await laptop.page.close({ runBeforeUnload: false });
  const reopened = laptop.at(await context.newPage());
  await reopened.page.goto(`${stack.origin}/`);
  const waiting = reopened.page.getByRole('region', { name: 'Transfers' });
  await expect(waiting).toContainText('in the tunnel.txt');
  await expect(waiting.getByText('Encrypted on this device. Will upload when you are online.')).toHaveCount(
    2,
  );
  await expect(reopened.row('before.txt')).toBeVisible();

  await context.setOffline(false);
  await expect(waiting.getByText('Uploaded. Appears in your drive after the next code.')).toHaveCount(2, {
    timeout: 60_000,
  });
  await expect(reopened.row('in the tunnel.txt')).toHaveCount(0);
  await reopened.page.getByRole('button', { name: 'Unlock' }).click();
  await reopened.typeCode();
  await expect(reopened.row('in the tunnel.txt')).toHaveCount(1);
  await expect(reopened.row('second.txt')).toHaveCount(1);
  const download = await reopened.download('in the tunnel.txt');
  expect(readFileSync(await download.path(), 'utf8')).toBe('written in a tunnel');
});

test('what waits goes up with no tab open, once the browser says that there is a network', async ({
  browser,
}) => {
  const lise = await Person.signedUp(browser, stack, 'lise');
  await lise.lockNow();
  await shellIsHere(lise);
  const context = lise.page.context();
  const inboxWrites = () =>
    stack
      .logs()
      .split('\n')
      .filter((line) => line.includes('"method":"POST"') && line.includes('/inbox"')).length;
  const before = inboxWrites();
  await context.setOffline(true);
  await lise.upload(textFile('for later.txt', 'sent by nobody'));
  const transfers = lise.page.getByRole('region', { name: 'Transfers' });
  await expect(
    transfers.getByText('Encrypted on this device. Will upload when you are online.'),
  ).toBeVisible();
  const empty = await context.newPage();
  await lise.page.close({ runBeforeUnload: false });

  const cdp = await context.newCDPSession(empty);
  const registered = new Promise<string>((resolve) => {
    cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const ours = registrations.find(({ scopeURL }) => scopeURL === `${stack.origin}/`);
      if (ours) resolve(ours.registrationId);
    });
  });
  await cdp.send('ServiceWorker.enable');
  const registrationId = await registered;
  await context.setOffline(false);
  await cdp.send('ServiceWorker.dispatchSyncEvent', {
    origin: stack.origin,
    registrationId,
    tag: 'halfkey-uploads',
    lastChance: true,
  });
  // No page of the app is there: nobody but the service worker can have written it.
  await expect.poll(inboxWrites, { timeout: 60_000 }).toBe(before + 1);

  const again = lise.at(empty);
  await again.page.goto(`${stack.origin}/`);
  await again.page.getByRole('button', { name: 'Unlock' }).click();
  await again.typeCode();
  await expect(again.row('for later.txt')).toHaveCount(1);
});

test('a file that is renamed without a network says so, and has its name everywhere afterwards', async ({
  browser,
}) => {
  const laptop = await Person.signedUp(browser, stack, 'grace');
  await laptop.upload(textFile('draft.txt', 'a draft'));
  await expect(laptop.row('draft.txt')).toBeVisible();
  const { page } = laptop;

  await page.context().setOffline(true);
  await laptop.row('draft.txt').focus();
  await page.keyboard.press('F2');
  await expect(page.getByLabel('New name')).toBeFocused();
  await page.getByLabel('New name').fill('draft/2.txt');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toContainText('can’t contain “/”');
  await page.getByLabel('New name').fill('final.txt');
  await page.keyboard.press('Enter');
  await expect(laptop.row('final.txt')).toContainText('Changed here, and not on the server yet');
  await expect(laptop.row('draft.txt')).toHaveCount(0);

  await page.context().setOffline(false);
  await expect(laptop.row('final.txt')).not.toContainText('Changed here, and not on the server yet', {
    timeout: 60_000,
  });
  const phone = await laptop.elsewhere(browser);
  await phone.signIn();
  await expect(phone.row('final.txt')).toBeVisible();
  await expect(phone.row('draft.txt')).toHaveCount(0);
});

inLongForm(test)('settings are kept, and tell what rests here', async ({ browser }) => {
  const mary = await Person.signedUp(browser, stack, 'mary');
  const { page } = mary;
  await mary.upload(textFile('kept.txt', 'kept here'), textFile('other.txt', 'not kept'));
  await expect(mary.row('other.txt')).toBeVisible();
  await mary.act('kept.txt', 'Keep on this device');
  await expect(mary.row('kept.txt')).toContainText('Kept on this device');

  const openSettings = async () => {
    await chooseOfApp(page, 'Settings');
    await expect(page.getByRole('radio', { checked: true })).toHaveCount(1);
  };
  await openSettings();
  const settings = page.getByRole('dialog', { name: 'Settings' });
  await expect(settings).toContainText('1 file kept on this device');
  await expect(settings).toContainText('Everything on this device is also on the server');
  await settings.getByRole('radio', { name: '2' }).check({ force: true });
  await page.keyboard.press('Escape');
  await page.reload();
  await expect(mary.row('kept.txt')).toContainText('Kept on this device');
  await openSettings();
  await expect(settings.getByRole('radio', { name: '2' })).toBeChecked();
  await page.keyboard.press('Escape');

  await mary.act('kept.txt', 'Don’t keep on this device');
  await expect(mary.row('kept.txt')).not.toContainText('Kept on this device');
});

inLongForm(test)('who can read is answered from what is true now', async ({ browser }) => {
  const emmy = await Person.signedUp(browser, stack, 'emmy');
  const { page } = emmy;
  const ask = async () => {
    await chooseOfApp(page, 'Who can read this now?');
    await expect(page.getByRole('term')).toHaveCount(5);
    return page.getByRole('dialog', { name: 'Who can read this now?' });
  };
  await expect(await ask()).toContainText('No other device has ever signed in');
  await page.keyboard.press('Escape');
  await emmy.lockNow();
  const other = await emmy.elsewhere(browser);
  await other.signIn();
  await expect(async () => {
    await page.keyboard.press('Escape');
    const answer = await ask();
    await expect(answer).toContainText('on Linux. Any that is still signed in', { timeout: 2_000 });
    await expect(answer).toContainText('Names only');
  }).toPass({ timeout: 60_000 });
});

inLongForm(test)(
  'a device that asks for the passphrase at each start shows nothing before it',
  async ({ browser }) => {
    const nora = await Person.signedUp(browser, stack, 'nora');
    const { page } = nora;
    await nora.upload(textFile('diary.txt', 'dear diary'));
    await expect(nora.row('diary.txt')).toBeVisible();
    await chooseOfApp(page, 'Settings');
    await page.getByRole('switch', { name: 'Ask for the passphrase at every start' }).click();
    const dialog = page.getByRole('dialog', { name: 'Ask for the passphrase' });
    await dialog.getByLabel('Passphrase', { exact: true }).fill('not this one at all');
    await page.keyboard.press('Enter');
    await expect(dialog.getByRole('alert')).toContainText('Wrong passphrase', { timeout: 30_000 });
    await dialog.getByLabel('Passphrase', { exact: true }).fill(nora.passphrase);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('switch', { name: 'Ask for the passphrase at every start' })).toBeChecked({
      timeout: 30_000,
    });

    await page.reload();
    await expect(page.getByRole('heading', { name: 'Closed' })).toBeVisible();
    await expect(page.locator('body')).not.toContainText('diary.txt');
    await page.goto('/sign-in');
    await expect(page.getByRole('heading', { name: 'Closed' })).toBeVisible();
    await shellIsHere(nora);
    await throwCacheAway(nora);
    await page.context().setOffline(true);
    await page.reload();
    await page.getByLabel('Passphrase', { exact: true }).fill('not this one at all');
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await expect(page.getByRole('alert')).toContainText('Wrong passphrase', { timeout: 30_000 });
    await page.getByLabel('Passphrase', { exact: true }).fill(nora.passphrase);
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await expect(nora.row('diary.txt')).toBeVisible({ timeout: 30_000 });
    await page.context().setOffline(false);
  },
);
