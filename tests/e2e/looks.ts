import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, type Browser, type Page } from '@playwright/test';
import type { AxeResults, RunOptions } from 'axe-core';
import { isLongForm } from '../support/long-form.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const AXE = readFileSync(`${ROOT}node_modules/axe-core/axe.min.js`, 'utf8');

const { PICTURES } = process.env;

/** With PICTURES set, all go to test-results/pictures, and these to docs/pictures. */
const OF_THE_DOCUMENTS: readonly string[] = [
  'welcome-light-390',
  'kit-light-1280',
  'drive-light-1280',
  'drive-dark-1280',
  'drive-light-390',
  'waiting-light-390',
  'settings-light-1280',
  'who-light-1280',
];

/** What the app is looked at on. */
export const DEVICES = {
  laptop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
} as const;

const RULES: RunOptions = {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  rules: { 'target-size': { enabled: true } },
  preload: false,
};

/** What of them depends on colours: all that the dark look can have of its own. */
const COLOUR_RULES: RunOptions = { runOnly: ['color-contrast', 'link-in-text-block'], preload: false };

/** A flow is looked at on both devices in the long form, and else on one. */
export function devicesToLookAt(otherwise: keyof typeof DEVICES): readonly (keyof typeof DEVICES)[] {
  return isLongForm ? ['laptop', 'phone'] : [otherwise];
}

/** A page that is looked at by day and by night. What it complains of is kept. */
export class LookedAt {
  readonly page: Page;
  readonly complaints: string[] = [];
  readonly #width: number;

  private constructor(page: Page, width: number) {
    this.page = page;
    this.#width = width;
  }

  static async begin(browser: Browser, baseURL: string, device: keyof typeof DEVICES): Promise<LookedAt> {
    const { viewport } = DEVICES[device];
    const context = await browser.newContext({ baseURL, reducedMotion: 'reduce', ...DEVICES[device] });
    const page = await context.newPage();
    const looked = new LookedAt(page, viewport.width);
    page.on('pageerror', ({ message }) => looked.complaints.push(message));
    page.on('console', (message) => {
      // The browser writes down each answer that is no 2xx: refusals are part of the tour.
      const isRefusal =
        message.text().startsWith('Failed to load resource') && message.location().url.includes('/api/');
      if (message.type() === 'error' && !isRefusal) looked.complaints.push(message.text());
    });
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
        console.error(`policy violated: ${violatedDirective} ${blockedURI}`);
      });
    });
    return looked;
  }

  /** Finds what is wrong with a screen, by day and by night. */
  async look(screen: string): Promise<void> {
    for (const scheme of ['light', 'dark'] as const) {
      const name = `${screen}-${scheme}-${String(this.#width)}`;
      await this.page.emulateMedia({ colorScheme: scheme });
      await this.#picture(name);
      expect.soft(await this.#contentWidth(), `${name}: is as wide as the screen`).toBe(this.#width);
      expect
        .soft(await this.#faults(scheme === 'light' ? RULES : COLOUR_RULES), `${name}: axe finds`)
        .toEqual([]);
    }
    if (PICTURES === 'all') await this.#pictureForOthers(screen);
    expect.soft(this.complaints.splice(0), `${screen}: the console says`).toEqual([]);
  }

  /** PICTURES=all: as people see it whose text is twice the size, and those whose system chooses the colours. */
  async #pictureForOthers(screen: string): Promise<void> {
    await this.page.emulateMedia({ colorScheme: 'light' });
    // As in the browser's own settings: what depends on the window's width in em follows.
    const settings = await this.page.context().newCDPSession(this.page);
    await settings.send('Page.setFontSizes', { fontSizes: { standard: 32, fixed: 26 } });
    await this.#picture(`${screen}-large-${String(this.#width)}`);
    await settings.send('Page.setFontSizes', { fontSizes: { standard: 16, fixed: 13 } });
    await settings.detach();
    await this.page.emulateMedia({ forcedColors: 'active' });
    await this.#picture(`${screen}-forced-${String(this.#width)}`);
    await this.page.emulateMedia({ forcedColors: 'none' });
  }

  #contentWidth(): Promise<number> {
    return this.page.evaluate(() => document.documentElement.scrollWidth);
  }

  async #faults(rules: RunOptions): Promise<string[]> {
    const { page } = this;
    if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(AXE);
    const { violations } = await page.evaluate(
      (rules) =>
        (globalThis as unknown as { axe: { run(options: RunOptions): Promise<AxeResults> } }).axe.run(rules),
      rules,
    );
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary ?? ''}`),
    );
  }

  async #picture(name: string): Promise<void> {
    if (PICTURES === undefined) return;
    const folders = ['test-results/pictures', ...(OF_THE_DOCUMENTS.includes(name) ? ['docs/pictures'] : [])];
    for (const folder of folders) {
      mkdirSync(`${ROOT}${folder}`, { recursive: true });
      await this.page.screenshot({ path: `${ROOT}${folder}/${name}.png` });
    }
  }
}
