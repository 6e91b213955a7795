import { installWay, sparedPlace, type InstallWay, type SparedPlace } from '../platform/install-way.ts';

/** Chromium's offer to install; TypeScript's DOM types do not know it. It is good for one question. */
interface InstallOffer extends Event {
  prompt(): Promise<{ outcome: 'accepted' | 'dismissed' }>;
}

/** Whether this app is on the device already, and how it would get there. */
export class Installation {
  #offer = $state.raw<InstallOffer | undefined>();
  #isInstalled = $state.raw(runsAsApp());

  /** Listens for the browser's offer from here on: it comes once, soon after the page was loaded. */
  constructor() {
    addEventListener('beforeinstallprompt', (event) => {
      event.preventDefault(); // Else some browsers put a bar of their own over the page.
      this.#offer = event as InstallOffer;
    });
    addEventListener('appinstalled', () => {
      this.#offer = undefined;
      this.#isInstalled = true;
    });
  }

  get isInstalled(): boolean {
    return this.#isInstalled;
  }

  /**
   * Present where what this app keeps on the device goes when it is not opened for seven days: the place where apps are
   * that keep theirs.
   */
  get sparedPlace(): SparedPlace | undefined {
    return this.#isInstalled ? undefined : sparedPlace(navigator);
  }

  get way(): InstallWay {
    return this.#offer ? 'prompt' : installWay(navigator);
  }

  /** Lets the browser ask; must be called within a click. Another offer may come if it is turned down. */
  async ask(): Promise<void> {
    const offer = this.#offer;
    this.#offer = undefined;
    await offer?.prompt();
  }
}

/** In a window of its own; Safari on phones tells by a property that is its own too. */
function runsAsApp(): boolean {
  return (
    ['standalone', 'minimal-ui', 'window-controls-overlay', 'fullscreen'].some(
      (mode) => matchMedia(`(display-mode: ${mode})`).matches,
    ) || (navigator as { standalone?: boolean }).standalone === true
  );
}
