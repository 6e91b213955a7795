/** The settings, but for what is stored (storage.ts). */
export const SETTINGS = {
  title: 'Settings',
  thisDevice: 'This device',
  letterKeys: 'Single-letter shortcuts',
  letterKeysHint:
    'Outside a text field, U uploads, N makes a folder, / searches, L locks, and ? lists all shortcuts.',
  credentials: 'Passphrase and codes',
  lost: 'A device was lost or stolen',
  who: 'Who can read this now?',
  install: 'Install Halfkey',
} as const;

/** Asking for the passphrase whenever the app starts. */
export const AT_START = {
  title: 'Ask for the passphrase at every start',
  hint: 'Until it’s entered, anyone who opens this browser can’t even see file names.',
  text: 'Enter it once now, so that you can’t lock yourself out.',
  action: 'Turn on',
  passphrase: 'Passphrase',
  cancel: 'Cancel',
} as const;

/** How uploads and downloads go about it. */
export const LINE = {
  title: 'Transfers',
  parallel: 'Parts transferred at once',
  parallelHint: 'More is faster on a fast connection, but leaves less of it for other apps.',
  wifiOnly: 'Only on Wi-Fi',
  wifiOnlyHint: 'Uploads wait while you’re on mobile data or metered connections.',
} as const;
