/**
 * Every Web Lock of Halfkey, in the order in which they may be waited for: anyone who holds one waits for later ones
 * only, or two would wait for each other. What is taken with `ifAvailable`, or begun without waiting for it, may be
 * any.
 */
export const LOCKS = {
  /** Shared by pages with something under way; an update takes it alone, and whoever waits for one until none is busy. */
  pageBusy: 'halfkey-page-busy',
  /** Shared: each tab, as long as it lives. */
  tab: 'halfkey-tab',
  /** One try of the passphrase at the start. */
  start: 'halfkey-start',
  /** The one tab that adopts from the inbox. */
  adoption: 'halfkey-adoption',
  /** The one tab, or the service worker, that sends. */
  queue: 'halfkey-queue',
  /** Anyone who captures, sends or removes this upload. */
  upload: (blob: string) => `halfkey-upload-${blob}`,
  /** A tab that fetches a file to be kept. */
  kept: (blob: string) => `halfkey-kept-${blob}`,
  /** A file in OPFS that a download writes, until its tab is gone. */
  download: (file: string) => `halfkey-plaintext-${file}`,
  /** Anyone who reads and writes the changes that wait. */
  changes: (vault: string) => `halfkey-changes-${vault}`,
  /** A write of the journal's copy on this device. */
  journal: (vault: string) => `halfkey-journal-${vault}`,
  /** The one tab that listens for news of a vault. */
  heads: (vault: string) => `halfkey-heads-${vault}`,
  /** Alone: a renewal of the session's token; shared: a request that is sent again after one. */
  token: 'halfkey-token',
} as const;
