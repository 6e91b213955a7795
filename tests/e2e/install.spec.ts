import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, expect, test, type Page } from '@playwright/test';
import { chromiumPath, CHROMIUM_ARGS } from '../support/chromium.mjs';
import { textFile } from '../support/files.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { inLongForm } from '../support/long-form.ts';
import { Person } from './person.ts';
import { quickApp } from './quick-app.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

let stack: Stack;
/** A copy of what was built, so that a new version of it can appear. */
let folder: string;
test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'halfkey-install-'));
  writeFileSync(join(folder, 'package.json'), '{ "name": "halfkey", "version": "0.0.0", "type": "module" }');
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, 'broker'));
  symlinkSync(join(ROOT, 'broker', 'deploy'), join(folder, 'broker', 'deploy'));
  for (const built of ['build', 'dist'])
    cpSync(join(quickApp(), built), join(folder, built), { recursive: true });
  stack = await startStack({ dist: join(folder, 'dist') });
});
test.afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function shellIsHere(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
}

inLongForm(test)('Chromium finds nothing that keeps it from installing the app', async () => {
  const profile = mkdtempSync(join(tmpdir(), 'halfkey-profile-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath(),
    args: CHROMIUM_ARGS,
  });
  try {
    const page = await context.newPage();
    await page.goto(stack.origin);
    await shellIsHere(page);
    const cdp = await context.newCDPSession(page);
    const { errors, data } = await cdp.send('Page.getAppManifest');
    expect(errors).toEqual([]);
    expect((await cdp.send('Page.getInstallabilityErrors')).installabilityErrors).toEqual([]);
    const manifest = JSON.parse(data ?? '') as {
      icons: { src: string }[];
      screenshots: { src: string }[];
      shortcuts: { url: string }[];
      share_target: { action: string };
    };
    for (const { src } of [...manifest.icons, ...manifest.screenshots]) {
      const answer = await page.request.get(`${stack.origin}${src}`);
      expect(answer.headers()['content-type'], src).toMatch(/^image\//);
    }
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
});

inLongForm(test)(
  'the browser’s own offer to install is kept, asked when wanted, and gone once it was taken',
  async ({ browser }) => {
    const ada = await Person.signedUp(browser, stack, 'ada');
    const { page } = ada;
    const menu = async () => {
      await page.getByRole('button', { name: 'More', exact: true }).click();
      return page.getByRole('menuitem', { name: 'Install Halfkey' });
    };
    // Without an offer: where to look for the button.
    await (await menu()).click();
    await expect(page.getByRole('dialog')).toContainText('address bar');
    await page.keyboard.press('Escape');

    // Headless Chromium makes no offer: this one is as it would be made.
    const wasKept = await page.evaluate(() => {
      const offer = new Event('beforeinstallprompt', { cancelable: true });
      Object.assign(offer, {
        prompt: () => {
          document.body.dataset['asked'] = String(Number(document.body.dataset['asked'] ?? 0) + 1);
          return Promise.resolve({ outcome: 'accepted' });
        },
      });
      return !dispatchEvent(offer);
    });
    expect(wasKept).toBe(true);
    await (await menu()).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Install', exact: true }).click();
    await expect(page.locator('body')).toHaveAttribute('data-asked', '1');
    await page.evaluate(() => dispatchEvent(new Event('appinstalled')));
    await expect(await menu()).toHaveCount(0);
  },
);

test('the shortcuts lock the drive in every tab, and lead to where files are chosen', async ({ browser }) => {
  const grace = await Person.signedUp(browser, stack, 'grace');
  await expect(grace.lock).toContainText('Open');
  const tab = await grace.page.context().newPage();
  await tab.goto('/?do=lock');
  await expect(grace.lock).toContainText('Locked');
  await expect(tab).toHaveURL(`${stack.origin}/`);
  await tab.goto('/?do=upload');
  await expect(tab.getByLabel('Upload files')).toBeFocused();
  await expect(tab).toHaveURL(`${stack.origin}/`);
});

inLongForm(test)('files that the app is opened with go in, locked or not', async ({ browser }) => {
  const mary = await Person.arrive(browser, stack, 'mary');
  const { page } = mary;
  await page.addInitScript(() => {
    // The system opens no file with a headless browser: what it would hand over, with a real handle.
    const queue = { setConsumer: (consumer: unknown) => Object.assign(globalThis, { launched: consumer }) };
    Object.defineProperty(globalThis, 'launchQueue', { value: queue });
  });
  await mary.signUp();
  await mary.lockNow();
  await page.evaluate(async () => {
    const folder = await navigator.storage.getDirectory();
    const handle = await folder.getFileHandle('opened with.txt', { create: true });
    const writing = await handle.createWritable();
    await writing.write('from the desk');
    await writing.close();
    const { launched } = globalThis as unknown as { launched: (params: object) => void };
    launched({ targetURL: `${location.origin}/`, files: [handle] });
  });
  const transfers = page.getByRole('region', { name: 'Transfers' });
  await expect(transfers.getByText('Uploaded. Appears in your drive after the next code.')).toBeVisible();
  await page.getByRole('button', { name: 'Unlock' }).click();
  await mary.typeCode();
  await expect(mary.row('opened with.txt')).toContainText('13 B');
});

/** Posts files as the share sheet of a phone does: a form from outside, which takes the whole window. */
async function share(page: Page, files: { name: string; mimeType: string; buffer: Buffer }[]): Promise<void> {
  await page.route('http://elsewhere.test/', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<form method="post" enctype="multipart/form-data" action="${stack.origin}/share"><input type="file" name="files" multiple><button>Share</button></form>`,
    }),
  );
  await page.goto('http://elsewhere.test/');
  await page.locator('input').setInputFiles(files);
  await page.getByRole('button', { name: 'Share' }).click();
}

test('what another app shares is asked about, taken once, and lies in no cache', async ({ browser }) => {
  const emmy = await Person.signedUp(browser, stack, 'emmy');
  const { page } = emmy;
  await shellIsHere(page);
  let address = '';
  page.on('framenavigated', (frame) => {
    if (frame.url().includes('shared=')) address = frame.url();
  });
  await share(page, [textFile('photo one.jpg', 'first'), textFile('photo two.jpg', 'second')]);
  const dialog = page.getByRole('dialog', { name: 'Add 2 files to your drive?' });
  await expect(dialog).toContainText('photo one.jpg');
  await expect(page).toHaveURL(`${stack.origin}/`);
  await dialog.getByRole('button', { name: 'Add to drive' }).click();
  await expect(dialog).toBeHidden();
  await page.getByRole('button', { name: 'Unlock' }).click();
  await emmy.typeCode();
  await expect(emmy.row('photo one.jpg')).toContainText('5 B');
  await expect(emmy.row('photo two.jpg')).toContainText('6 B');

  const cached = await page.evaluate(async () => {
    const names = await caches.keys();
    const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return requests.flat().map(({ url }) => new URL(url).pathname);
  });
  expect(cached.length).toBeGreaterThan(10);
  const OF_THE_SHELL = /^\/(_app\/|icons\/|(app\.html|bystander\.js|manifest\.webmanifest|mark\.svg)$)/;
  expect(cached.filter((path) => !OF_THE_SHELL.test(path))).toEqual([]);

  expect(address).toContain('/?shared=');
  await page.goto(address);
  await expect(page.getByRole('alert')).toContainText('What you shared didn’t arrive');
});

inLongForm(test)(
  'what is shared before anybody has signed in waits for that, and says so',
  async ({ browser }) => {
    const nora = await Person.signedUp(browser, stack, 'nora');
    const guest = await nora.elsewhere(browser);
    const { page } = guest;
    await page.goto('/');
    await shellIsHere(page);
    await share(page, [textFile('ticket.pdf', 'a ticket')]);
    await expect(page.getByRole('status')).toContainText(
      'Nobody is signed in on this device. Sign in to add 1 file.',
    );
    await page.getByRole('link', { name: 'Sign in' }).click();
    await guest.typePassphrase();
    await guest.typeCode();
    await page.getByRole('dialog').getByRole('button', { name: 'Add to drive' }).click();
    await expect(guest.row('ticket.pdf')).toBeVisible();
  },
);

test('no script can use the door for shares', async ({ browser }) => {
  const { page } = await Person.arrive(browser, stack, 'nobody');
  await page.goto('/');
  await shellIsHere(page);
  await page.reload();
  const status = await page.evaluate(async () => {
    const form = new FormData();
    form.set('files', new File(['x'], 'x.txt'));
    return (await fetch('/share', { method: 'POST', body: form })).status;
  });
  expect(status).toBe(403);
});

test('a new version is offered, waits for what is under way, and then takes all tabs', async ({
  browser,
}) => {
  const lise = await Person.signedUp(browser, stack, 'lise');
  const { page } = lise;
  await shellIsHere(page);
  const other = await page.context().newPage();
  await other.goto('/');
  await expect(other.getByRole('searchbox', { name: 'Search your drive' })).toBeVisible();
  await expect(page.getByText('A new version is ready')).toHaveCount(0);

  const script = join(folder, 'build', 'service-worker.js');
  writeFileSync(script, `${readFileSync(script, 'utf8')}\n// the next version\n`);
  for (const packed of ['br', 'gz']) rmSync(`${script}.${packed}`, { force: true });
  await page.evaluate(async () => {
    await (await navigator.serviceWorker.getRegistration())?.update();
  });
  await expect(page.getByText('A new version is ready')).toBeVisible();
  await expect(other.getByText('A new version is ready')).toBeVisible();
  for (const tab of [page, other]) await tab.evaluate(() => (document.body.dataset['loaded'] = 'before'));

  // Another tab is in the middle of something.
  await other.evaluate(() => {
    const holding = new Promise<void>((resolve) => Object.assign(globalThis, { finish: resolve }));
    void navigator.locks.request('halfkey-page-busy', { mode: 'shared' }, () => holding);
  });
  await page.getByRole('button', { name: 'Reload now' }).click();
  await expect(page.getByRole('alert')).toContainText('The new version has to wait');
  await expect(page.locator('body')).toHaveAttribute('data-loaded', 'before');
  await other.evaluate(() => {
    (globalThis as unknown as { finish: () => void }).finish();
  });
  await expect(page.getByText('The new version has to wait')).toHaveCount(0);

  await page.getByRole('button', { name: 'Reload now' }).click();
  for (const tab of [page, other]) {
    await expect(tab.locator('body')).not.toHaveAttribute('data-loaded', 'before');
    await expect(tab.getByRole('searchbox', { name: 'Search your drive' })).toBeVisible();
    await expect(tab.getByText('A new version is ready')).toHaveCount(0);
  }
});
