import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright';
import { afterAll, beforeAll, expect } from 'vitest';
import { Person } from '../../e2e/person.ts';
import { built } from '../../support/built.ts';
import { CHROMIUM_ARGS, headlessChromiumPath } from '../../support/chromium.mjs';
import { startAppStack, type AppStack } from '../support/app-stack.ts';
import { openRow, row } from '../support/row.ts';

// The installed app in Chromium, and a new version of it that something between the build and the browser has altered.

const START_MS = 300_000;
const OFFERED = 'A new version is ready';
const REFUSED = 'An update was rejected';
let stack: AppStack;
/** Folder of the package that is served: a copy, in which rows change what they like. */
let served: string;
/** Folder of the next version's package. */
let next: string;
let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  served = mkdtempSync(join(tmpdir(), 'halfkey-served-'));
  cpSync(await built('app'), served, { recursive: true });
  symlinkSync(new URL('../../../node_modules', import.meta.url), join(served, 'node_modules'));
  stack = await startAppStack(served);
  next = await built('next-app');
  browser = await chromium.launch({ executablePath: headlessChromiumPath(), args: CHROMIUM_ARGS });
  context = await browser.newContext({ baseURL: stack.origin });
  page = await context.newPage();
  await new Person(page, stack, 'ada', 'ada counts nine silver boats at dawn').signUp();
  await page.evaluate(() => navigator.serviceWorker.ready);
}, START_MS);
afterAll(async () => {
  await browser.close();
  await stack.stop();
  rmSync(served, { recursive: true, force: true });
}, START_MS);

/** The files that a version's service worker names, with their digests. */
function pinnedBy(app: string): Map<string, string> {
  const script = readFileSync(join(app, 'build', 'service-worker.js'), 'utf8');
  const [, literal = '""'] = /JSON\.parse\(("\[\[.*?\]\]")\)/.exec(script) ?? [];
  return new Map(JSON.parse(JSON.parse(literal) as string) as [string, string][]);
}

interface Alteration {
  readonly path: string;
  readonly how: string;
  /** `undefined`: the file is not there. */
  readonly alter: (bytes: Buffer) => Buffer | undefined;
}

/** From now on this version is served, with one file as something on the way has made it. */
function serve(app: string, alteration?: Alteration): void {
  const folder = join(served, 'build');
  rmSync(folder, { recursive: true });
  cpSync(join(app, 'build'), folder, { recursive: true });
  if (!alteration) return;
  const path = join(folder, alteration.path);
  const altered = alteration.alter(readFileSync(path));
  // The broker sends what was compressed beforehand, where it is there.
  for (const packed of ['', '.br', '.gz']) rmSync(`${path}${packed}`, { force: true });
  if (altered) writeFileSync(path, altered);
}

/**
 * Has the browser look for a new version.
 * @returns the state that it came to: `installed`, or `redundant` for one that failed
 */
const update = (): Promise<string> =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration();
    if (!registration) throw new Error('expected a service worker');
    const outcome = new Promise<string>((resolve) => {
      registration.addEventListener(
        'updatefound',
        () => {
          const { installing } = registration;
          installing?.addEventListener('statechange', () => {
            if (installing.state === 'installed' || installing.state === 'redundant')
              resolve(installing.state);
          });
        },
        { once: true },
      );
    });
    await registration.update();
    return outcome;
  });

/** Everything in the caches, by address. */
const cached = (): Promise<string[]> =>
  page.evaluate(async () => {
    const urls: string[] = [];
    for (const name of await caches.keys()) {
      for (const { url } of await (await caches.open(name)).keys()) urls.push(url);
    }
    return urls;
  });

/** Forgets what earlier tries have loaded whole: it would not be asked for again. */
const forgetAllBut = (kept: readonly string[]): Promise<void> =>
  page.evaluate(async (known) => {
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        if (!known.includes(request.url)) await cache.delete(request);
      }
    }
  }, kept);

/** What the version that serves this page, and its caches, have of the new one. */
const taken = () =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration();
    const texts: string[] = [];
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys())
        texts.push((await (await cache.match(request))?.text()) ?? '');
    }
    return {
      waiting: registration?.waiting ? 1 : 0,
      altered: texts.filter((text) => text.includes('globalThis.altered')).length,
      next: document.querySelectorAll('meta[name=halfkey-next]').length,
      run: Reflect.get(globalThis, 'altered') === undefined ? 0 : 1,
    };
  });
const NOTHING = { waiting: 0, altered: 0, next: 0, run: 0 };

/** How often this page was told that an update was refused. */
const timesTold = (): Promise<number> =>
  page.evaluate(() => (Reflect.get(globalThis, 'told') as number | undefined) ?? 0);

row(
  'H5',
  {
    attack: 'a file of a new version that a cache, a CDN or a bucket has altered',
    tried:
      'version B with one file added to, cut, exchanged or missing: page, script, style, worker, manifest, icons; then B as it was built',
  },
  async (t) => {
    const before = pinnedBy(served);
    const changed = [...pinnedBy(next)].filter(([path, digest]) => before.get(path) !== digest);
    const paths = changed.map(([path]) => path);
    const ofKind = (kind: RegExp): string => {
      const found = paths.find((path) => kind.test(path));
      if (found === undefined) throw new Error(`expected a changed file like ${kind.source}`);
      return found;
    };
    const kinds = [
      /^\/app\.html$/,
      /\/entry\/.*\.js$/,
      /\.css$/,
      /\/workers\/.*\.js$/,
      /\.webmanifest$/,
      /\.svg$/,
      /\.png$/,
    ].map(ofKind);
    const added = (path: string): Alteration => ({
      path,
      how: 'added to',
      alter: (bytes) => Buffer.concat([bytes, Buffer.from('\n/* ; globalThis.altered = true; // */')]),
    });
    const kept = await cached();
    const script = ofKind(/\/entry\/.*\.js$/);
    const alterations: Alteration[] = [
      ...(t.full ? paths : kinds.filter((_, index) => index % 2 === 1)).map(added),
      { path: script, how: 'cut', alter: (bytes) => bytes.subarray(0, -1) },
      ...(t.full ? [{ path: script, how: 'emptied', alter: () => Buffer.alloc(0) }] : []),
      { path: '/app.html', how: 'exchanged', alter: () => readFileSync(join(next, 'src/app.html')) },
    ];
    await page.evaluate(() => {
      navigator.serviceWorker.addEventListener('message', () => {
        Reflect.set(globalThis, 'told', ((Reflect.get(globalThis, 'told') as number | undefined) ?? 0) + 1);
      });
    });
    const tell = async (): Promise<number> => {
      const before = await timesTold();
      await forgetAllBut(kept);
      expect(await update()).toBe('redundant');
      expect(await taken()).toEqual(NOTHING);
      return (await timesTold()) - before;
    };
    // A file that is not there yet is not an attack: the version before stays, and nobody is alarmed.
    serve(next, { path: script, how: 'missing', alter: () => undefined });
    expect(await tell()).toBe(0);
    expect(await page.getByText(REFUSED).count()).toBe(0);
    t.vary(1);
    for (const alteration of alterations) {
      serve(next, alteration);
      expect([alteration.path, alteration.how, await tell()]).toEqual([alteration.path, alteration.how, 1]);
      await page.getByText(REFUSED).waitFor();
      expect(await page.getByText(OFFERED).count()).toBe(0);
      t.vary(1);
      t.refused('update_rejected');
    }

    await context.setOffline(true);
    await page.reload();
    await page.getByRole('searchbox', { name: 'Search your drive' }).waitFor();
    expect(await taken()).toEqual(NOTHING);
    await context.setOffline(false);
    t.held('the version before stays whole, with and without a network');

    // What the browser has kept of the altered files must not stand in the way.
    await forgetAllBut(kept);
    serve(next);
    // As anyone who installs another version does: the broker's headers name what is in the page.
    await stack.broker.halt();
    await stack.broker.resume();
    await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
    await page.getByText(OFFERED).waitFor();
    expect(await page.getByText(REFUSED).count()).toBe(0);
    await page.getByRole('button', { name: 'Reload now' }).click();
    await page.locator('meta[name=halfkey-next]').waitFor({ state: 'attached' });
    await page.getByRole('searchbox', { name: 'Search your drive' }).waitFor();
    t.vary(1);
    t.held('the new version as it was built is offered, and taken');
  },
);

openRow(
  'H5',
  {
    attack: 'the origin itself serves another service worker',
    tried: 'a service worker of somebody else’s, at the address of the app’s',
    missing:
      'a browser that asks the installed service worker before it takes its successor: none does, and a signed list of files would be checked by the very script that was exchanged',
  },
  async (t) => {
    t.vary(1);
    writeFileSync(
      join(served, 'build', 'service-worker.js'),
      `addEventListener('install', () => skipWaiting());
      addEventListener('activate', (event) => event.waitUntil(clients.claim()));
      addEventListener('fetch', (event) => event.respondWith(new Response('another')));`,
    );
    for (const packed of ['br', 'gz']) {
      rmSync(join(served, 'build', `service-worker.js.${packed}`), { force: true });
    }
    const answer = await page.evaluate(async () => {
      const changed = new Promise((resolve) => {
        navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true });
        setTimeout(resolve, 10_000);
      });
      await (await navigator.serviceWorker.getRegistration())?.update();
      await changed;
      return (await fetch('/healthz')).text();
    });
    t.held('the installed version stays in charge');
    expect(answer).not.toBe('another');
  },
);
