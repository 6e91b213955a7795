import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test, type Route } from '@playwright/test';
import { Operator } from './operator.ts';
import { Person } from './person.ts';
import { quickDist } from './quick-app.ts';
import { textFile } from '../support/files.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { inLongForm } from '../support/long-form.ts';

let stack: Stack;
test.beforeAll(async () => {
  stack = await startStack({ dist: quickDist(), tapped: true });
});
test.afterAll(async () => {
  await stack.stop();
});

test('sign-up refuses a weak passphrase and a taken name, and says why', async ({ browser }) => {
  await Person.signedUp(browser, stack, 'taken');
  const { page } = await Person.arrive(browser, stack, 'taken');
  await page.goto('/sign-up');
  await page.getByLabel('User name').fill('Taken');
  await page.getByLabel('Passphrase', { exact: true }).fill('password1');
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByText(/weak|guess/i).first()).toBeVisible();
  await expect(page.getByTestId('totp-secret')).toHaveCount(0);
  await page.getByRole('button', { name: 'Use a generated passphrase' }).click();
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByText(/taken/i).first()).toBeVisible();
  await expect(page.getByLabel('User name')).toHaveValue('Taken');
});

inLongForm(test)(
  'an account that is created while its passphrase is being generated gets that one',
  async ({ browser }) => {
    const { page } = await Person.arrive(browser, stack, 'hasty', { serviceWorkers: 'block' });
    await page.goto('/sign-up');
    await page.getByLabel('User name').fill('hasty');
    const field = page.getByLabel('Passphrase', { exact: true });
    await field.fill('password1');
    await expect(page.getByText('Too easy to guess')).toBeVisible(); // By now the worker has what judges.
    const onTheWay: Route[] = [];
    let isHeld = true;
    await page.context().route('**/*.js', async (route) => {
      if (isHeld) onTheWay.push(route);
      else await route.continue();
    });
    await page.getByRole('button', { name: 'Use a generated passphrase' }).click();
    await expect.poll(() => onTheWay.length).toBeGreaterThan(0);
    await page.getByRole('button', { name: 'Create account' }).click();
    await expect(field).toHaveValue('password1');
    isHeld = false;
    for (const route of onTheWay) await route.continue();
    await expect(page.getByTestId('totp-secret')).toBeVisible();
  },
);

inLongForm(test)(
  'sign-in tells neither whether the user exists nor which of the two was wrong',
  async ({ browser }) => {
    const known = await Person.signedUp(browser, stack, 'known');
    const texts = [];
    for (const [userName, passphrase] of [
      ['known', 'not the passphrase at all'],
      ['nobody', known.passphrase],
    ] as const) {
      const person = await Person.arrive(browser, stack, userName);
      person.passphrase = passphrase;
      await person.page.goto('/sign-in');
      await person.typePassphrase();
      texts.push(await person.page.getByRole('alert').first().innerText());
    }
    expect(texts[0]).toBe(texts[1]);
  },
);

test('wrong, used and too many codes are refused; a backup code opens the lock', async ({ browser }) => {
  const person = await Person.signedUp(browser, stack, 'codes');
  await person.lockNow();
  await person.page
    .getByRole('button', { name: /unlock|locked|open the drive/i })
    .first()
    .click();
  const alert = person.page.getByRole('alert').first();

  const good = await person.code();
  await person.typeCode(good);
  await expect(person.lock).toContainText('Open');
  await person.lockNow();
  await person.page
    .getByRole('button', { name: /unlock|locked|open the drive/i })
    .first()
    .click();
  await person.typeCode(good);
  await expect(alert).toContainText(/used/i);

  const wrong = await (person.authenticator ?? { wrongCode: () => Promise.resolve('') }).wrongCode();
  for (let attempt = 1; attempt <= 10; attempt++) {
    await person.typeCode('');
    await person.typeCode(wrong);
    await expect(person.page.getByLabel('Authenticator code')).toBeEnabled();
    await expect(alert).toContainText(/wrong|too many/i);
  }
  await person.typeCode('');
  await person.typeCode(await person.code());
  await expect(alert).toContainText(/too many/i);
  await person.page.getByText('Use a backup code').click();
  await person.page.getByLabel('Backup code').fill(person.backupCodes[3] ?? '');
  await person.page.keyboard.press('Enter');
  await expect(person.lock).toContainText('Open');
});

inLongForm(test)(
  'corrupted, truncated and swapped ciphertext is refused by name, and no file is offered as whole',
  async ({ browser }) => {
    const s3 = new Operator(stack);
    const person = await Person.signedUp(browser, stack, 'tampered');
    const before = await s3.blobs();
    await person.upload(textFile('first.txt', 'first content'));
    await expect(person.row('first.txt')).toBeVisible();
    const [first = ''] = (await s3.blobs()).filter((key) => !before.includes(key));
    await person.upload(textFile('second.txt', 'second content'));
    await expect(person.row('second.txt')).toBeVisible();
    const [second = ''] = (await s3.blobs()).filter((key) => key !== first && !before.includes(key));
    const [whole, other] = [await s3.read(first), await s3.read(second)];

    const flipped = Buffer.from(whole);
    flipped[whole.length - 20] = (flipped[whole.length - 20] ?? 0) ^ 1;
    const variants = [
      { name: 'flipped', bytes: flipped },
      { name: 'cut by one byte', bytes: whole.subarray(0, -1) },
      { name: 'of another file', bytes: other },
    ];
    const transfers = person.page.getByRole('region', { name: 'Transfers' });
    for (const { name, bytes } of variants) {
      await test.step(name, async () => {
        await s3.overwrite(first, bytes);
        await person.act('first.txt', 'Download');
        await expect(
          transfers.getByText(/damaged|isn’t what|isn’t the file|doesn’t fit|incomplete/i).first(),
        ).toBeVisible();
        const dismiss = transfers.getByRole('button', { name: /^(dismiss|remove)/i });
        // What is done leaves by itself after a while.
        while ((await dismiss.count()) > 0)
          await dismiss
            .first()
            .click({ timeout: 2000 })
            .catch(() => undefined);
      });
    }
    await s3.overwrite(first, whole);
    expect(readFileSync(await (await person.download('first.txt')).path(), 'utf8')).toBe('first content');
  },
);

test('with the broker or S3 gone, or the line cut, nothing is lost and uploads go on when they are back', async ({
  browser,
}) => {
  const person = await Person.signedUp(browser, stack, 'offline');
  await person.upload(textFile('before.txt', 'before'));
  await expect(person.row('before.txt')).toBeVisible();

  await stack.broker.halt('SIGKILL');
  await expect(person.row('before.txt')).toBeVisible();
  await person.upload(textFile('while the broker is away.txt', 'patience'));
  await expect(person.page.getByRole('region', { name: 'Transfers' })).toContainText(
    'while the broker is away.txt',
  );
  await stack.broker.resume();
  await expect(person.row('while the broker is away.txt')).toBeVisible({ timeout: 60_000 });

  await stack.s3.halt('SIGKILL');
  const content = Buffer.alloc(20 * 1024 ** 2, 'halfkey ');
  const source = test.info().outputPath('twenty.bin');
  writeFileSync(source, content);
  await person.upload(source);
  await stack.s3.resume();
  for (const tap of stack.taps) tap.cut();
  await expect(person.row('twenty.bin')).toBeVisible({ timeout: 120_000 });
  const download = await person.download('twenty.bin');
  const digest = createHash('sha256')
    .update(readFileSync(await download.path()))
    .digest('hex');
  expect(digest).toBe(createHash('sha256').update(content).digest('hex'));
});

test('a browser that lacks what Halfkey needs is told so', async ({ browser }) => {
  const context = await browser.newContext({ baseURL: stack.origin });
  const page = await context.newPage();
  await page.addInitScript(() => {
    Object.defineProperty(globalThis, 'Worker', { value: undefined });
  });
  await page.goto('/');
  await expect(page.getByText(/browser/i).first()).toBeVisible();
});

test('a page that does not load says so, and is there at the next try', async ({ browser }) => {
  const context = await browser.newContext({ baseURL: stack.origin, serviceWorkers: 'block' });
  const page = await context.newPage();
  await page.goto('/');
  await expect(page.getByRole('link', { name: 'Sign in' })).toBeVisible();
  // Kit's first two are around every page, and here already.
  const pages = /\/_app\/immutable\/nodes\/(?![01]\.)/;
  await page.route(pages, (route) => route.abort());
  await page.getByRole('link', { name: 'Sign in' }).click();
  await expect(page.getByText('This page didn’t load.')).toBeVisible();
  await page.unroute(pages);
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByLabel('User name')).toBeVisible();
});
