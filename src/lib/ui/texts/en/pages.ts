/** What the browser’s tab is called. */
export const TABS = { closed: 'Closed', welcome: 'Welcome' } as const;

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
  lookingForFile: 'Looking for the file…',
  signingOut: 'Signing out…',
} as const;
