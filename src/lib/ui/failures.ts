import type { ErrorCode, ErrorDetail } from '../errors.ts';
import { secondsToNextCode } from './digits.ts';
import { formatWait } from './format.ts';

/** A failure as people read it. */
export interface Explanation {
  /** What happened, in one short sentence. */
  readonly title: string;
  /** What it means, and what to do. */
  readonly text: string;
}

type Text = string | ((detail: ErrorDetail, nowMs: number) => string);

const damaged = 'Nothing of it was released. Ask whoever runs this server to restore it from a backup.';
const tampered = 'Halfkey has stopped writing, so that nothing gets worse. Tell whoever runs this server.';
const wait: Text = ({ retryAfterSeconds }) =>
  retryAfterSeconds === undefined
    ? 'Wait a little, then try again.'
    : `Try again in ${formatWait(retryAfterSeconds)}.`;
const nextCode: Text = (_, nowMs) =>
  `Your app shows the next one in ${formatWait(secondsToNextCode(nowMs))}: type that.`;

const EXPLANATIONS = {
  key_mismatch: ['The key does not fit this file', damaged],
  segment_corrupt: ['This file is damaged', `A part of it is not what was uploaded. ${damaged}`],
  ciphertext_truncated: ['This file is cut short', `Its end is missing on the server. ${damaged}`],
  ciphertext_overlong: ['This file has been added to', `There is more of it than was uploaded. ${damaged}`],
  format_unknown: [
    'This was made by another version',
    'Reload the page to get the newest Halfkey, then try again.',
  ],
  format_malformed: ['This cannot be read', `It is not what Halfkey writes. ${damaged}`],
  kms_half_wrong: ['The server’s half does not fit', `It gave the half of another key. ${damaged}`],
  envelope_corrupt: ['This file’s key is damaged', `Without it the file stays closed. ${damaged}`],
  keyring_corrupt: ['Your key ring is damaged', `What the server sent is not what you stored. ${damaged}`],
  content_stale: [
    'The server sent an older version',
    'It was not released. Try again; if it happens again, tell whoever runs this server.',
  ],
  digest_mismatch: ['This is not the file that was uploaded', damaged],
  journal_corrupt: ['The list of files is damaged', tampered],
  journal_gap: ['A part of the list of files is missing', tampered],
  device_untrusted: ['A change came from an unknown device', `It was not taken in. ${tampered}`],
  snapshot_wrong: ['A stored copy of the list is wrong', 'The full list is used in its place.'],
  rollback: ['The server shows an older state than this device has seen', tampered],
  fork: ['The server shows two histories', `It tells this device another one than before. ${tampered}`],
  vault_missing: ['The server says your drive does not exist', `This device knows that it does. ${tampered}`],
  record_corrupt: ['What the server stored is damaged', tampered],
  update_rejected: [
    'An update was refused',
    'Something on the way has altered it. This version goes on as before. Tell whoever runs this server.',
  ],
  inbox_refused: [
    'A waiting upload is not from one of your devices',
    ({ count = 1 }) =>
      `${count === 1 ? 'It was' : `${String(count)} of them were`} not added to your drive. Tell whoever runs this server.`,
  ],

  input_malformed: ['The server did not accept this', 'Check what you typed, then try again.'],
  input_too_large: ['This is more than the server takes', 'Try it in smaller pieces.'],
  login_refused: [
    'User name or passphrase is wrong',
    'Check both. Nobody can tell which of the two it was, on purpose.',
  ],
  login_expired: ['Signing in took too long', 'Type your passphrase again.'],
  recovery_refused: [
    'These words do not open an account here',
    'Check each word against your sheet, and the address of this page.',
  ],
  recovery_words_malformed: [
    'These are not 24 recovery words',
    'Check the spelling and the order. Capitals and line breaks do not matter.',
  ],
  session_missing: ['You have been signed out', 'Sign in again to go on.'],
  code_malformed: ['That is not a code', 'Type the six digits that your app shows for Halfkey.'],
  code_wrong: [
    'That code is wrong',
    ({ clockAheadSeconds }) =>
      clockAheadSeconds === undefined
        ? 'Type the newest one. If it stays wrong, check that your phone’s clock is set by itself.'
        : `Type the newest one. This device’s clock is ${formatWait(Math.abs(clockAheadSeconds))} ${clockAheadSeconds > 0 ? 'ahead of' : 'behind'} the server’s: set it right, and your phone’s too.`,
  ],
  code_used: ['That code was used already', nextCode],
  code_locked: [
    'Too many wrong codes',
    (detail, nowMs) => `Codes are refused for now. ${say(wait, detail, nowMs)} A backup code works at once.`,
  ],
  device_revoked: ['This device was signed out', 'Sign in again: it comes in as a new one.'],
  backup_code_refused: [
    'That backup code is wrong or used',
    'Each works once. Try the next one of your sheet.',
  ],
  proof_missing: [
    'Passphrase and code are needed once more',
    'Ten minutes have passed, or Halfkey was locked. A sheet that you were just shown may not count: make another one.',
  ],
  too_many_requests: ['Too many tries', wait],
  grant_missing: ['Halfkey is locked', 'Type the six digits from your authenticator app.'],
  grant_spent: ['This code has opened all it can', 'Type a new one to open more.'],
  locked: ['Halfkey is locked', 'Type the six digits from your authenticator app.'],
  not_a_member: ['You have no access to this drive', 'Ask the person who shared it with you.'],
  origin_refused: ['This page is not where it should be', 'Open Halfkey by the address you were given.'],
  name_taken: ['This user name is taken', 'Choose another one, or sign in if it is yours.'],
  name_malformed: ['This name cannot be used', 'Use 1 to 64 letters, figures or signs, without spaces.'],
  passphrase_wrong: [
    'This passphrase is wrong',
    ({ retryAfterSeconds }) =>
      retryAfterSeconds === undefined
        ? 'Check it, then try again.'
        : `Check it, then try again in ${formatWait(retryAfterSeconds)}.`,
  ],
  passphrase_weak: [
    'This passphrase is too easy to guess',
    'Make it longer, with words that do not belong together, or use a generated one.',
  ],
  signup_closed: ['This server takes no new accounts', 'Ask whoever runs it for an invitation.'],
  store_full: [
    'The server has no room left',
    'Nothing was lost. Delete what you do not need, then try again.',
  ],
  not_found: ['This file is gone', 'It was deleted, perhaps on another device.'],
  key_absent: ['The server’s half of this key is gone', 'The file was deleted for good, or never finished.'],
  server_unknown: [
    'This is not the server that you signed up with',
    'Nothing was sent to it. Check the address of this page.',
  ],
  kdf_downgrade: ['The server asked for a weaker lock', 'It was refused. Tell whoever runs this server.'],
  file_too_large: ['This file is too large', 'Halfkey takes files of up to 1 TB.'],

  head_changed: ['Another device was faster', 'Try again: the list is up to date now.'],
  already_exists: ['This is there already', 'Try again with a new upload.'],
  upload_lost: ['The server has lost this upload', 'Try again: it starts from the beginning.'],
  upload_mismatch: ['What arrived is not what was sent', 'It was thrown away. Try again.'],
  keyring_changed: ['Your key ring changed on another device', 'Try again.'],
  source_changed: [
    'The file changed while it was read',
    'It was not uploaded. Wait until nothing writes to it, then add it again.',
  ],
  download_cut: ['The browser stopped this download', 'What was saved is not whole. Download it again.'],

  broker_unreachable: ['The server does not answer', 'Check your connection. Halfkey keeps trying.'],
  app_unreachable: [
    'A part of Halfkey could not be loaded',
    'Check your connection, then reload the page. Your files are safe.',
  ],
  broker_failed: ['Something went wrong on the server', 'Nothing was lost. Try again in a moment.'],
  store_unreachable: ['The store of files does not answer', 'Check your connection, then try again.'],
  kms_unreachable: [
    'The server’s half cannot be reached',
    'Nothing can be opened until it is back. Try again soon.',
  ],
  kms_key_unusable: [
    'The server’s half is switched off',
    'Nothing can be opened until whoever runs this server switches it on.',
  ],
  url_expired: ['This took longer than it may', 'Try again. If it happens again, check this device’s clock.'],

  browser_lacks: [
    'This browser cannot run Halfkey',
    ({ feature }) =>
      `${feature === undefined ? 'It lacks something that keeps your files safe.' : `It lacks “${feature}”.`} Use Chrome or Edge 137, Firefox 130, Safari 18.4, or newer, at an address that starts with https.`,
  ],
  storage_refused: [
    'This looks like a private window',
    'The browser keeps no files in it, so you can’t create an account or upload from here: use a normal window for that. Signing in, opening and downloading work here too.',
  ],
  device_full: ['This device has no room left', 'Free some space, then try again.'],
  device_state_lost: [
    'This browser has forgotten its half',
    'Sign in again. Your files are safe on the server.',
  ],

  internal: ['Something went wrong', 'Nothing was lost. Try again; if it happens again, reload the page.'],
} as const satisfies Record<ErrorCode, readonly [title: string, text: Text]>;

function say(text: Text, detail: ErrorDetail, nowMs: number): string {
  return typeof text === 'string' ? text : text(detail, nowMs);
}

/** The text for people of a failure. `nowMs`: this device's clock, for waits that depend on it. */
export function explain(
  failure: { readonly code: ErrorCode; readonly detail: ErrorDetail },
  nowMs: number,
): Explanation {
  const [title, text] = EXPLANATIONS[failure.code];
  return { title, text: say(text, failure.detail, nowMs) };
}
