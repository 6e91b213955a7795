export const SIGN_IN = {
  title: 'Welcome back',
  lead: 'Your passphrase brings your half of the key to this device.',
  lostPassphrase: 'I lost my passphrase',
  newHere: 'New here?',
  codeTitle: 'Now the server’s half',
  codeLead: 'Enter a code from your authenticator app to get it.',
  lostAuthenticator: 'I lost my authenticator',
} as const;

/** A new authenticator, by the recovery words. `when`: from when on it can be paired. */
export const RESET = {
  title: 'Without your authenticator',
  lead: 'Your recovery words let you pair a new one, 72 hours after you ask for it. If you have a backup code, it lets you in right away.',
  ask: 'Ask for a new authenticator',
  askedTitle: 'You can pair it later',
  askedLead: (when: string) =>
    `After ${when}, sign in again, choose “I lost my authenticator” and enter the same words.`,
  asked:
    'Until then, your signed-in devices show that you asked for it, and any of them can stop it. If you find your old authenticator in the meantime, it still works.',
  done: 'Done for now',
} as const;

export const SIGN_UP = {
  title: 'Your new account',
  lead: 'Choose a user name and passphrase. They make your half of the key.',
  haveOne: 'Already have one?',
} as const;

/** An authenticator is paired: by scanning from another device's screen, or by adding it on the phone itself. */
export const PAIRING = {
  title: 'Pair your authenticator',
  scan: 'The server only releases its half when you enter a code from an app on your phone. Scan this with the app.',
  add: 'The server only releases its half when you enter a code from an authenticator app. Add Halfkey to yours, then enter the first code here.',
  newTitle: 'Pair your new authenticator',
  newScan: 'Scan this with it, then enter its first code.',
  newAdd: 'Add Halfkey to it, then enter its first code.',
  afterReset: 'All other devices will be signed out, and the old backup codes will stop working.',
  untilThen: 'Until then, the old one still works.',
  qrCode: 'QR code to scan with an authenticator app',
  openInApp: 'Open in your app',
  orCopy: 'Or copy this key into the app:',
  isAppHere: 'Is your authenticator app on this device?',
  orEnter: 'Or enter this key in the app:',
  copy: 'Copy',
  copied: 'Copied',
  isElsewhere: 'My app is on another device',
  scanWithIt: 'Scan this with it.',
} as const;

export const RECOVER = {
  title: 'Get back in with your words',
  lead: 'The 24 words bring back your half of the key. You still need a code for the server’s half.',
  getBackIn: 'Get back in',
  foundIt: 'Found it?',
  tab: 'Back in',
} as const;

const CHECKPOINT =
  'A checkpoint of your drive today. If the server ever shows an older state, this line proves it.';

/** The two sheets. */
export const KIT = {
  title: 'Your way back in',
  lead: 'Two sheets, to keep in two places. Without them, a lost passphrase or phone means lost files.',
  words: 'the recovery words',
  codes: 'the backup codes',
  missing: (sheets: readonly string[]) =>
    `You haven’t saved or printed ${sheets.join(' or ')} yet. This is the only time they’re shown.`,
  apart: 'Keep the two sheets in different places.',
  savedApart: 'Check that what you saved is in your downloads. Then keep the two sheets in different places.',
  didPrint: 'Did it print?',
  printed: 'Yes, it’s printed',
  notPrinted: 'No',
  wordsTitle: 'Your 24 recovery words',
  wordsText:
    'They bring back your half if you forget your passphrase. On their own they open nothing. You need a code too.',
  saveWords: 'Save the words',
  printWords: 'Print the words',
  checkpoint: CHECKPOINT,
  codesTitle: 'Ten backup codes',
  codesText:
    'They stand in for a code if you lose your phone. Each works once. Keep them in a different place from the words.',
  saveCodes: 'Save the codes',
  printCodes: 'Print the codes',
} as const;

/** Where and when a sheet was made. */
interface SheetHead {
  readonly origin: string;
  readonly day: string;
}

/** The sheet of words, as a file. */
export function wordsFile({ origin, day }: SheetHead, words: readonly string[], headPhrase: string): string {
  const lines = words.map((word, index) => `${String(index + 1).padStart(2)}. ${word}`);
  return `Halfkey recovery kit\n${origin}\n${day}\n\nIf you forget your passphrase, these 24 words and a code let you set a new one.\nKeep this apart from your backup codes.\n\n${lines.join('\n')}\n\n${CHECKPOINT}\n\n${headPhrase}\n`;
}

/** The sheet of codes, as a file. */
export function codesFile({ origin, day }: SheetHead, codes: readonly string[]): string {
  return `Halfkey backup codes\n${origin}\n${day}\n\nIf you lose your phone, one of these stands in for a code. Each works once.\nKeep this apart from your recovery words.\n\n${codes.join('\n')}\n`;
}
