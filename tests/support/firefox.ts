import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launch, type Browser } from 'puppeteer-core';

/** A Firefox with a profile that outlives the process, so that it can be ended and started again. */
export interface Firefox {
  /** Where downloads end. */
  readonly downloads: string;
  start(): Promise<Browser>;
  /** Removes profile and downloads; the browser has to be closed before. */
  remove(): void;
}

/**
 * Driven over WebDriver BiDi: Playwright works with a Firefox of its own only.
 * @param options.isPrivate makes all of its windows private ones
 */
export function createFirefox(path: string, { isPrivate = false }: { isPrivate?: boolean } = {}): Firefox {
  const profile = mkdtempSync(join(tmpdir(), 'halfkey-firefox-'));
  const downloads = mkdtempSync(join(tmpdir(), 'halfkey-firefox-downloads-'));
  return {
    downloads,
    start: () =>
      launch({
        browser: 'firefox',
        executablePath: path,
        headless: true,
        userDataDir: profile,
        extraPrefsFirefox: {
          'browser.download.folderList': 2,
          'browser.download.dir': downloads,
          'browser.download.useDownloadDir': true,
          'browser.helperApps.neverAsk.saveToDisk': 'application/octet-stream',
          'browser.privatebrowsing.autostart': isPrivate,
          // It would look for updates and send reports.
          'datareporting.policy.dataSubmissionEnabled': false,
          'network.captive-portal-service.enabled': false,
        },
      }),
    remove() {
      for (const folder of [profile, downloads]) rmSync(folder, { recursive: true, force: true });
    },
  };
}
