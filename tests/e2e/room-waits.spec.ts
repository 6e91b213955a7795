import { expect, test, type Browser, type BrowserContext, type Locator } from '@playwright/test';
import { textFile } from '../support/files.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { inLongForm } from '../support/long-form.ts';
import { chooseOfApp, Person } from './person.ts';
import { quickDist } from './quick-app.ts';

// What waits on this device, for a line or for the others, and what is said of it.

const DAY_MS = 24 * 60 * 60_000;

let stack: Stack;
/** What changes something at the broker or the store, besides the session itself. */
let sent: string[] = [];
test.beforeAll(async () => {
  stack = await startStack({ dist: quickDist(), gated: true });
  for (const gate of stack.gates) {
    gate.guard = ({ method, path }, moment) => {
      if (moment === 'before' && (method === 'PUT' || /\/(uploads|blobs|inbox|log)\b/.test(path)))
        sent.push(`${method} ${path}`);
      return 'pass';
    };
  }
});
test.beforeEach(() => {
  sent = [];
});
test.afterAll(async () => {
  await stack.stop();
});

function newContext(browser: Browser): Promise<BrowserContext> {
  return browser.newContext({ baseURL: stack.origin, acceptDownloads: true });
}

/** The same person at a second device. */
async function second(person: Person, browser: Browser): Promise<Person> {
  const other = person.at(await (await newContext(browser)).newPage());
  await other.signIn();
  return other;
}

function transfer({ page }: Person, name: string): Locator {
  return page.getByRole('region', { name: 'Transfers' }).getByRole('listitem').filter({ hasText: name });
}

async function rename(person: Person, name: string, newName: string): Promise<void> {
  await person.act(name, 'Rename…');
  await person.page.getByLabel('New name').fill(newName);
  await person.page.keyboard.press('Enter');
  await expect(person.row(newName)).toBeVisible();
}

/** As Chromium on a phone says it of its line. */
async function lineIs({ page }: Person, type: 'cellular' | 'wifi'): Promise<void> {
  const worker = page.workers().find((each) => each.url().includes('crypto.worker'));
  if (!worker) throw new Error('expected a crypto worker');
  await worker.evaluate((kind) => {
    const { connection } = navigator as unknown as { connection: EventTarget };
    Object.defineProperty(connection, 'type', { value: kind, configurable: true });
    connection.dispatchEvent(new Event('change'));
  }, type);
}

test('only on Wi-Fi, uploads wait on a mobile line, say so, and go by themselves afterwards', async ({
  browser,
}) => {
  const ada = await Person.signedUp(browser, stack, 'ada');
  const { page } = ada;
  await chooseOfApp(page, 'Settings');
  await page.getByRole('switch', { name: 'Only on Wi-Fi' }).click();
  await expect(page.getByRole('switch', { name: 'Only on Wi-Fi' })).toBeChecked();
  await page.keyboard.press('Escape');
  await lineIs(ada, 'cellular');
  sent = [];
  await ada.upload(textFile('from the train.txt', 'on a mobile line'));
  await expect(transfer(ada, 'from the train.txt')).toContainText(
    'Encrypted on this device. Will upload when you are on Wi-Fi.',
  );
  expect(sent).toEqual([]);
  await expect(ada.row('from the train.txt')).toHaveCount(0);
  await lineIs(ada, 'wifi');
  await expect(ada.row('from the train.txt')).toBeVisible();

  await lineIs(ada, 'cellular');
  sent = [];
  await ada.upload(textFile('at once.txt', 'never mind the cost'));
  await expect(transfer(ada, 'at once.txt')).toContainText('when you are on Wi-Fi');
  expect(sent).toEqual([]);
  await chooseOfApp(page, 'Settings');
  await page.getByRole('switch', { name: 'Only on Wi-Fi' }).click();
  await page.keyboard.press('Escape');
  await expect(ada.row('at once.txt')).toBeVisible();
});

inLongForm(test)(
  'a page is left without a question when all that waits rests on the device',
  async ({ browser }) => {
    const mary = await Person.signedUp(browser, stack, 'mary');
    const { page } = mary;
    await page.context().setOffline(true);
    await mary.upload(textFile('letter.txt', 'in the tunnel'));
    await expect(transfer(mary, 'letter.txt')).toContainText('Encrypted on this device.');
    let questions = 0;
    page.on('dialog', (dialog) => {
      questions += 1;
      void dialog.accept();
    });
    const closed = page.waitForEvent('close');
    await page.close({ runBeforeUnload: true });
    await closed;
    expect(questions).toBe(0);
  },
);

test('signing out asks about files that wait, and about names that are only here', async ({ browser }) => {
  const grace = await Person.signedUp(browser, stack, 'grace');
  const { page } = grace;
  await grace.upload(textFile('draft.txt', 'a draft'));
  await expect(grace.row('draft.txt')).toBeVisible();
  await page.context().setOffline(true);
  await rename(grace, 'draft.txt', 'final.txt');
  const dialog = page.getByRole('dialog');
  await chooseOfApp(page, 'Sign out');
  await expect(dialog).toContainText('1 file has a new name that the server doesn’t have yet.');
  await expect(dialog).not.toContainText('on the server yet');
  await page.getByRole('button', { name: 'Stay signed in' }).click();

  await grace.upload(textFile('letter.txt', 'in the tunnel'));
  await expect(transfer(grace, 'letter.txt')).toContainText('Encrypted on this device.');
  await chooseOfApp(page, 'Sign out');
  await expect(dialog).toContainText('1 file (13 B) is not on the server yet.');
  await expect(dialog).toContainText('1 file has a new name');
  await page.getByRole('button', { name: 'Stay signed in' }).click();
  await chooseOfApp(page, 'Settings');
  await expect(dialog).toContainText('to be uploaded, and 1 new name is waiting to be sent');
  await page.keyboard.press('Escape');

  await page.context().setOffline(false);
  await expect(grace.row('letter.txt')).toBeVisible({ timeout: 60_000 });
  await expect(grace.row('final.txt')).not.toContainText('Changed here, and not on the server yet', {
    timeout: 60_000,
  });
  await grace.signOut();
});

inLongForm(test)(
  'a new name that lost against another device is given up in so many words',
  async ({ browser }) => {
    const laptop = await Person.signedUp(browser, stack, 'emmy');
    await laptop.upload(
      textFile('draft.txt', 'a draft'),
      textFile('old.txt', 'an old one'),
      textFile('older.txt', 'a still older one'),
    );
    await expect(laptop.row('older.txt')).toBeVisible();
    await expect(laptop.row('old.txt')).toBeVisible();
    await expect(laptop.row('draft.txt')).toBeVisible();
    const phone = await second(laptop, browser);
    await expect(phone.row('old.txt')).toBeVisible();

    await laptop.page.context().setOffline(true);
    await rename(laptop, 'draft.txt', 'final.txt');
    await phone.deleteForGood('draft.txt');
    await laptop.page.context().setOffline(false);
    const alert = laptop.page.getByRole('alert');
    await expect(alert).toContainText('No file was renamed to “final.txt”', { timeout: 60_000 });
    await expect(alert).toContainText('It was deleted, perhaps on another device.');
    await expect(laptop.row('final.txt')).toHaveCount(0);
    await expect(laptop.row('draft.txt')).toHaveCount(0);

    await laptop.page.reload();
    await expect(alert).toContainText('No file was renamed to “final.txt”');
    const dismiss = laptop.page.getByRole('button', { name: 'Dismiss this message' });
    await dismiss.click();
    await expect(alert).toHaveCount(0);
    await laptop.page.reload();
    await expect(laptop.row('old.txt')).toBeVisible();
    await expect(alert).toHaveCount(0);

    await laptop.page.context().setOffline(true);
    await rename(laptop, 'old.txt', 'first here.txt');
    await rename(laptop, 'older.txt', 'second here.txt');
    await rename(phone, 'old.txt', 'first there.txt');
    await rename(phone, 'older.txt', 'second there.txt');
    for (const name of ['first there.txt', 'second there.txt'])
      await expect(phone.row(name)).not.toContainText('Changed here, and not on the server yet', {
        timeout: 60_000,
      });
    await laptop.page.context().setOffline(false);
    await expect(alert).toContainText('No file was renamed to “first here.txt” or “second here.txt”', {
      timeout: 60_000,
    });
    await expect(alert).toContainText('other devices deleted these files or renamed them first');
    await expect(laptop.row('first there.txt')).toBeVisible();
    await expect(laptop.row('second there.txt')).toBeVisible();
  },
);

inLongForm(test)('a device that heard of no other for a month says since when', async ({ browser }) => {
  const nora = await Person.signedUp(browser, stack, 'nora');
  await nora.upload(textFile('diary.txt', 'dear diary'));
  await expect(nora.row('diary.txt')).toBeVisible();
  const phone = await second(nora, browser);
  await expect(phone.row('diary.txt')).toBeVisible();
  await phone.page.close();

  const context = await browser.newContext({ baseURL: stack.origin, serviceWorkers: 'block' });
  const late = nora.at(await context.newPage());
  await late.page.route('**/crypto.worker-*.js', async (route) => {
    const answer = await route.fetch();
    const clock = `{ const now = Date.now; Date.now = () => now() + ${String(31 * DAY_MS)}; }\n`;
    await route.fulfill({ response: answer, body: clock + (await answer.text()) });
  });
  await late.signIn();
  const banner = late.page.getByText('Your other devices haven’t been seen since');
  await expect(banner).toBeVisible();
  await expect(late.page.getByText('Compare the file lists on both')).toBeVisible();
  await late.page.getByRole('button', { name: 'Dismiss' }).click();
  await expect(banner).toHaveCount(0);
});
