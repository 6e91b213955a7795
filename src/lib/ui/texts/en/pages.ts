import { quotedName } from '../../../shown-name.ts';

/** What the browser’s tab is called. */
export const TABS = { drive: 'Your drive', closed: 'Closed', welcome: 'Welcome' } as const;

/** Instead of a page. */
export const NO_PAGE = {
  unknown: {
    title: 'Nothing here',
    lead: 'There’s no page at this address. Check it for typos, or go to the start page.',
  },
  broken: {
    title: 'Something went wrong',
    lead: 'This page didn’t load. Nothing was lost. Check your connection, then try again.',
  },
  toStart: 'Go to the start page',
  tryAgain: 'Try again',
} as const;

/** Before there is a page. */
export const STARTING = {
  cannotStart: 'Halfkey can’t start',
  looking: 'Looking for your half of the key…',
  signingOut: 'Signing out…',
} as const;

/** What was tried, where it did not work; the reason follows. */
export const NOT_DONE = {
  settingsRead: 'Some settings couldn’t be loaded',
  settingChanged: 'The setting was not changed',
  whoFound: 'Halfkey couldn’t find out who can read this',
  listLoaded: 'The list was not loaded',
  listSorted: 'The list was not sorted',
  listFiltered: 'The list was not filtered',
  installed: 'Halfkey was not installed',
  transferCancelled: 'The transfer was not cancelled',
  transferRetried: 'The transfer was not retried',
  transferDismissed: 'The transfer was not dismissed',
  transfersDismissed: 'The transfers were not dismissed',
  triedAgain: 'Trying again didn’t work',
  messageDismissed: 'The message was not dismissed',
  requestStopped: 'The request was not stopped',
  uploaded: (name: string) => `${quotedName(name)} was not uploaded`,
} as const;
