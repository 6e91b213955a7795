import type { ErrorCode, ErrorDetail } from '../../../errors.ts';
import { secondsToNextCode } from '../../digits.ts';
import { counted } from './counting.ts';
import { formatWait } from './times.ts';

/** A failure as people read it. */
export interface Explanation {
  /** What happened, in one short sentence. */
  readonly title: string;
  /** What it means, and what to do. */
  readonly text: string;
}

type Text = string | ((detail: ErrorDetail, nowMs: number) => string);

const damaged = 'Nothing was opened. Ask whoever runs this server to restore it from a backup.';
const tampered =
  'Halfkey has stopped making changes so that nothing gets worse. Tell whoever runs this server.';
const wait: Text = ({ retryAfterSeconds }) =>
  retryAfterSeconds === undefined
    ? 'Wait a moment, then try again.'
    : `Try again in ${formatWait(retryAfterSeconds)}.`;
/** Signing out forgets what waits on the device, so that has to go up first. */
const afterUploads =
  'Wait until nothing here is left to upload. Then sign out here and sign in again; name changes that are still waiting have to be made again.';
const nextCode: Text = (_, nowMs) =>
  `Your app will show a new one in ${formatWait(secondsToNextCode(nowMs))}. Enter that one.`;

const EXPLANATIONS = {
  key_mismatch: ['The key doesn’t fit this file', damaged],
  segment_corrupt: ['This file is damaged', `Part of it isn’t what was uploaded. ${damaged}`],
  ciphertext_truncated: ['This file is incomplete', `Its end is missing on the server. ${damaged}`],
  ciphertext_overlong: [
    'This file is longer than it should be',
    `Something was added to it after it was uploaded. ${damaged}`,
  ],
  format_unknown: [
    'This was made by a different version of Halfkey',
    'Reload the page to get the latest version, then try again.',
  ],
  format_malformed: ['This can’t be read', `It isn’t in a format that Halfkey writes. ${damaged}`],
  kms_half_wrong: ['The server’s half doesn’t fit', `It belongs to a different key. ${damaged}`],
  envelope_corrupt: ['This file’s key is damaged', `Without it, the file can’t be opened. ${damaged}`],
  keyring_corrupt: ['Your key ring is damaged', `What the server sent isn’t what you stored. ${damaged}`],
  content_stale: [
    'The server sent an older version',
    'It was not opened. Try again. If it keeps happening, tell whoever runs this server.',
  ],
  digest_mismatch: ['This isn’t the file that was uploaded', damaged],
  journal_corrupt: ['The file list is damaged', tampered],
  journal_gap: ['Part of the file list is missing', tampered],
  device_untrusted: ['A change came from an unknown device', `It was ignored. ${tampered}`],
  snapshot_wrong: ['A saved copy of the file list is wrong', 'Halfkey is using the full list instead.'],
  rollback: ['The server is showing an older state than this device has already seen', tampered],
  fork: [
    'The server is showing two different histories',
    `What it shows this device now contradicts what it showed before. ${tampered}`,
  ],
  vault_missing: ['The server says your drive doesn’t exist', `This device knows that it does. ${tampered}`],
  record_corrupt: ['Something stored on the server is damaged', tampered],
  update_rejected: [
    'An update was rejected',
    'It was altered on its way here. The version you have keeps working. Tell whoever runs this server.',
  ],
  inbox_refused: [
    'A waiting upload isn’t from one of your devices',
    ({ count = 1 }) =>
      `${count === 1 ? 'It was' : `${String(count)} of them were`} not added to your drive. Tell whoever runs this server.`,
  ],

  input_malformed: ['The server didn’t accept this', 'Check what you typed, then try again.'],
  input_too_large: ['This is too large for the server', 'Try smaller pieces.'],
  login_refused: [
    'Wrong user name or passphrase',
    'Check both and try again. For your security, we don’t say which.',
  ],
  login_expired: ['Signing in took too long', 'Enter your passphrase again.'],
  recovery_refused: [
    'These words don’t open an account here',
    'Check each word against your sheet, and check this page’s address.',
  ],
  recovery_words_malformed: [
    'These aren’t 24 recovery words',
    'Check the spelling and the order. Capitals and line breaks don’t matter.',
  ],
  session_missing: ['You’ve been signed out', 'Sign in again to continue.'],
  code_malformed: [
    'That isn’t a code',
    'Enter the 6-digit code that your authenticator app shows for Halfkey.',
  ],
  code_wrong: [
    'Wrong code',
    ({ clockAheadSeconds, triesLeft }) =>
      triesLeft !== undefined && triesLeft > 0
        ? `${counted(triesLeft, 'try', 'tries')} left. After that, codes won’t work for at least an hour.`
        : clockAheadSeconds === undefined
          ? 'Enter the newest one. If that doesn’t work, check that your phone sets its clock automatically.'
          : `Enter the newest one. This device’s clock is ${formatWait(Math.abs(clockAheadSeconds))} ${clockAheadSeconds > 0 ? 'ahead of' : 'behind'} the server’s. Set it to the right time, and check your phone’s too.`,
  ],
  code_used: ['That code has already been used', nextCode],
  code_locked: [
    'Too many wrong codes',
    (detail, nowMs) => `Codes are locked for now. ${say(wait, detail, nowMs)}`,
  ],
  device_revoked: ['This device was signed out', 'Sign in again. It will count as a new device.'],
  backup_code_refused: [
    'That backup code is wrong or already used',
    'Each one works once. Try the next one on your sheet.',
  ],
  proof_missing: [
    'Enter your passphrase and a code again',
    'Ten minutes have passed, or Halfkey was locked. If you were just shown a new sheet, it may not be valid. Make another one.',
  ],
  too_many_requests: ['Too many attempts', wait],
  grant_missing: ['Halfkey is locked', 'Enter the 6-digit code from your authenticator app.'],
  grant_spent: ['This code has opened as much as it can', 'Enter a new one to open more.'],
  locked: ['Halfkey is locked', 'Enter the 6-digit code from your authenticator app.'],
  not_a_member: ['You don’t have access to this drive', 'Ask the person who shared it with you.'],
  origin_refused: ['This page is at the wrong address', 'Open Halfkey at the address you were given.'],
  name_taken: ['This user name is taken', 'Choose another one, or sign in if it’s yours.'],
  name_malformed: ['This name can’t be used', 'Use 1 to 64 letters, digits or symbols, without spaces.'],
  passphrase_wrong: [
    'Wrong passphrase',
    ({ retryAfterSeconds }) =>
      retryAfterSeconds === undefined
        ? 'Check it, then try again.'
        : `Check it, then try again in ${formatWait(retryAfterSeconds)}.`,
  ],
  passphrase_weak: [
    'This passphrase is too easy to guess',
    'Make it longer, with words that don’t belong together, or let Halfkey generate one.',
  ],
  store_refused: [
    'The file storage refused it',
    ({ reason }) =>
      `${reason === undefined ? 'It gave no reason.' : `Its reason: ${reason}.`} Tell whoever runs this server, then try again.`,
  ],
  signup_closed: ['This server isn’t taking new accounts', 'Ask whoever runs it for an invitation.'],
  store_full: ['The server is out of space', 'Nothing was lost. Delete what you don’t need, then try again.'],
  inbox_full: ['Too many uploads are waiting for a code', 'Enter a code to let them continue.'],
  folder_within: ['A folder can’t go into itself', 'Choose another folder.'],
  zip_too_large: [
    'Too many files for one download',
    ({ count = 0, most = 0 }) =>
      `One code opens ${most.toLocaleString('en')} files, and these are ${count.toLocaleString('en')}. Download them in parts.`,
  ],
  not_found: ['This file is gone', 'It was deleted, perhaps on another device.'],
  key_absent: [
    'The server’s half of this key is gone',
    'The file was deleted for good, or its upload never finished.',
  ],
  purged: ['This file was deleted for good', 'It can’t be opened or brought back.'],
  server_unknown: [
    'This isn’t the server you signed up with',
    'Nothing was sent to it. Check this page’s address.',
  ],
  kdf_downgrade: [
    'The server asked for weaker protection',
    'Halfkey refused. Tell whoever runs this server.',
  ],
  file_too_large: ['This file is too large', 'Halfkey takes files up to 1 TB.'],

  head_changed: ['Another device got there first', 'The list is up to date now. Try again.'],
  already_exists: ['This already exists', 'Upload it again.'],
  upload_lost: ['The server lost this upload', 'Try again. It will start from the beginning.'],
  upload_mismatch: ['The upload arrived damaged', 'It was discarded. Try again.'],
  keyring_changed: ['Your key ring changed on another device', 'Try again.'],
  source_changed: [
    'The file changed or disappeared while it was being read',
    'It was not uploaded. If it is inside an archive, extract it first. Then add it again.',
  ],
  download_cut: ['The browser stopped this download', 'What was saved is incomplete. Download it again.'],

  broker_unreachable: ['The server isn’t answering', 'Check your connection, then try again.'],
  nonce_stale: ['The server isn’t answering', 'Check your connection, then try again.'],
  app_unreachable: [
    'Part of Halfkey couldn’t be loaded',
    'Check your connection, then reload the page. Your files are safe.',
  ],
  broker_failed: ['Something went wrong on the server', 'Nothing was lost. Try again in a moment.'],
  store_unreachable: ['The file storage isn’t answering', 'Check your connection, then try again.'],
  kms_unreachable: [
    'The server’s half can’t be reached',
    'Nothing can be opened until it’s back. Try again soon.',
  ],
  kms_key_unusable: [
    'The server’s half is switched off',
    'Nothing can be opened until whoever runs this server switches it back on.',
  ],
  url_expired: ['This took too long', 'Try again. If it happens again, check this device’s clock.'],

  browser_lacks: [
    'This browser can’t run Halfkey',
    ({ feature }) =>
      `${feature === undefined ? 'It’s missing something that keeps your files safe.' : `It’s missing “${feature}”.`} Use Chrome or Edge 137, Firefox 130, Safari 18.4, or newer, at an address that starts with https.`,
  ],
  storage_refused: [
    'This looks like a private window',
    'The browser keeps no files in it, so you can’t create an account or upload from here. Use a normal window for that. You can still sign in, and open and download files.',
  ],
  device_full: ['This device is out of space', 'Free up some space, then try again.'],
  // With `seq`: what this device itself has written counts for nothing.
  device_state_lost: [
    ({ seq }) =>
      seq === undefined
        ? 'This browser has lost its half of the key'
        : 'Your other devices can’t read what this one writes',
    ({ seq }) =>
      seq === undefined
        ? 'Sign in again. Your files are safe on the server.'
        : `Halfkey has stopped making changes here; what was in your drive before is safe. ${afterUploads}`,
  ],
  epoch_key_missing: ['Your drive has a new key, and this device doesn’t have it yet', afterUploads],

  internal: ['Something went wrong', 'Nothing was lost. Try again; if it happens again, reload the page.'],
} as const satisfies Record<ErrorCode, readonly [title: Text, text: Text]>;

function say(text: Text, detail: ErrorDetail, nowMs: number): string {
  return typeof text === 'string' ? text : text(detail, nowMs);
}

/** The text for people of a failure. `nowMs`: this device's clock, for waits that depend on it. */
export function explain(
  failure: { readonly code: ErrorCode; readonly detail: ErrorDetail },
  nowMs: number,
): Explanation {
  const [title, text] = EXPLANATIONS[failure.code];
  return { title: say(title, failure.detail, nowMs), text: say(text, failure.detail, nowMs) };
}
