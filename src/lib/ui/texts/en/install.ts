import type { InstallWay } from '../../../platform/install-way.ts';
import type { IconName } from '../../icons.ts';

/** One thing to do, with the picture of what to look for. */
interface InstallStep {
  readonly icon: IconName;
  readonly text: string;
}

/** Which picture of the browser the steps stand under: where its button is. */
type InstallScene = 'phone-below' | 'phone-above' | 'laptop' | 'nowhere';

/** How one comes to the app on the device by hand. */
export interface InstallGuide {
  readonly scene: InstallScene;
  readonly steps: readonly InstallStep[];
}

/** What it is good for, and the button for it where the browser asks. */
export const INSTALL = {
  title: 'Install Halfkey',
  install: 'Install',
  plain: 'It gets its own window and icon.',
  withFiles: 'It gets its own window and icon, and other apps can share files with it.',
} as const;

const GUIDES = {
  ios: {
    scene: 'phone-below',
    steps: [
      { icon: 'share', text: 'Tap Share in Safari’s bar. It may be behind the three dots.' },
      { icon: 'add', text: 'Scroll down, and tap “Add to Home Screen”.' },
      { icon: 'check', text: 'Tap “Add”, open Halfkey from your home screen, and sign in there once.' },
    ],
  },
  macos: {
    scene: 'laptop',
    steps: [
      { icon: 'menu', text: 'Open Safari’s File menu.' },
      { icon: 'dock', text: 'Choose “Add to Dock”.' },
      { icon: 'check', text: 'Click “Add”, open Halfkey from the Dock, and sign in there once.' },
    ],
  },
  chromium: {
    scene: 'laptop',
    steps: [
      { icon: 'install', text: 'Look for the install button at the right end of the address bar.' },
      { icon: 'menu', text: 'If there isn’t one, open the browser’s menu and look for “Install” or “Apps”.' },
    ],
  },
  'firefox-android': {
    scene: 'phone-above',
    steps: [
      { icon: 'menu', text: 'Open Firefox’s menu (the three dots).' },
      { icon: 'install', text: 'Tap “Add app to Home screen” or “Install”.' },
      { icon: 'check', text: 'Open Halfkey from your home screen.' },
    ],
  },
  'firefox-windows': {
    scene: 'laptop',
    steps: [
      { icon: 'dock', text: 'Click “Add to taskbar” at the right end of the address bar.' },
      { icon: 'check', text: 'Open Halfkey from the taskbar.' },
    ],
  },
  none: {
    scene: 'nowhere',
    steps: [
      { icon: 'alert', text: 'This browser can’t install apps. Everything still works in a tab.' },
      {
        icon: 'install',
        text: 'To give Halfkey its own window, open this address in Chrome, Edge or Safari.',
      },
    ],
  },
} as const satisfies Record<Exclude<InstallWay, 'prompt'>, InstallGuide>;

/** The way by hand. */
export function installGuide(way: Exclude<InstallWay, 'prompt'>): InstallGuide {
  return GUIDES[way];
}
