/** Names of fields and buttons that several forms have. */
export const FORM = {
  userName: 'User name',
  passphrase: 'Passphrase',
  newPassphrase: 'New passphrase',
  recoveryWords: 'Recovery words',
  recoveryWordsHint: 'All 24, in order, with spaces between them.',
  signIn: 'Sign in',
  signOut: 'Sign out',
  createAccount: 'Create account',
  continue: 'Continue',
  back: 'Back',
  cancel: 'Cancel',
  tryAgain: 'Try again',
  backToDrive: 'Back to your drive',
  startPage: 'Halfkey, start page',
} as const;
