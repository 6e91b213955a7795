import { ordinal } from './counting.ts';

/** What stands in many places: the lock, fields, dialogs. */
export const CONTROLS = {
  close: 'Close',
  dismiss: 'Dismiss this message',
  lock: 'Lock',
  locked: 'Locked',
  open: 'Open',
  unlock: 'Unlock',
  lockNow: 'Lock now',
  show: 'Show',
  hide: 'Hide',
  tryAgain: 'Try again',
  tryNow: 'You can try again now.',
} as const;

/** Behind what is said again. @param place from 2 on */
export const nthTry = (place: number): string => `(${ordinal(place)} try)`;

/** A code is asked for. `purpose`: as `open “a.txt”`. */
export const CODE = {
  title: (purpose: string) => `Enter a code to ${purpose}`,
  yourHalf: 'Your half',
  isHere: 'is here. Enter a code to get',
  serversHalf: 'the server’s',
  together: 'The two halves are together. Halfkey is open.',
  label: 'Authenticator code',
  hint: 'Enter the 6-digit code from your authenticator app.',
  checking: 'Checking…',
  backupLabel: 'Backup code',
  backupHint: '16 letters and digits from your sheet. Each code works once.',
  useThis: 'Use this code',
  useApp: 'Use your authenticator app',
  useBackup: 'Use a backup code',
  backupStillWorks: 'A backup code still works.',
} as const;

/** A new passphrase. `strengths`: from 0, which is refused, to 4. */
export const PASSPHRASE = {
  strengths: [
    'Too easy to guess. It won’t be accepted.',
    'Still easy to guess. It won’t be accepted.',
    'Good enough',
    'Strong',
    'Very strong',
  ],
  writeDown: 'Write it down now, and keep it somewhere safe.',
  advice: 'Use four or more words that don’t belong together. Nobody can reset it for you.',
  generate: 'Use a generated passphrase',
} as const;

/** A part of the app does not load. */
export const NOT_LOADED = {
  title: 'This part of Halfkey didn’t load',
  first: 'Check your connection, then try again.',
  again: 'It still doesn’t load. Check your connection, or reload the page. Your files are safe.',
} as const;
