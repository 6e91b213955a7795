import type { DeviceDeed, OtherDevice } from '../../../protocol/credentials.ts';
import { formatDay } from '../../format.ts';
import { quotedName } from '../../../shown-name.ts';
import { counted } from './counting.ts';

/** *Passphrase and codes*: what can be made anew. */
export const CREDENTIALS = {
  title: 'Passphrase and codes',
  proofLead: 'To change how your drive is opened, enter both your passphrase and a code.',
  choicesLead: 'For the next 10 minutes you can change any of these.',
  changePassphrase: 'Change the passphrase',
  changePassphraseText: 'All other devices are signed out.',
  newWords: 'New recovery words',
  newWordsText: 'The old sheet stops working.',
  newCodes: 'New backup codes',
  newCodesText: 'Any codes left on the old sheet stop working.',
  newAuthenticator: 'New authenticator',
  newAuthenticatorText:
    'For a new phone. The old one works until you enter a code from the new one. Then all other devices are signed out.',
  signOutDevice: 'Sign out a device',
  signOutDeviceText: 'One that you’ve lost or no longer use.',
  passphraseChanged: 'Passphrase changed. All other devices are signed out.',
  authenticatorChanged: 'Authenticator changed. All other devices are signed out.',
  wordsChanged: 'Recovery words changed.',
  codesChanged: 'Backup codes changed.',
  newPassphraseTitle: 'A new passphrase',
  newPassphraseLead: 'It replaces the old one on all your devices. Your recovery words stay the same.',
  passphraseUnsure: 'It may already have changed. When you’re asked, try the new one first.',
  authenticatorUnsure: 'It may already have changed. When you’re asked, try a code from the new one first.',
  keepLead: 'Print or save them first. The old ones work until you confirm.',
  keepUnsure: 'These may already be valid. Keep both sheets until you know.',
  kept: 'I’ve saved these. Use them from now on',
} as const;

/** The other devices of an account, and one that was lost. */
export const DEVICES = {
  none: 'No other device has signed in to your drive.',
  all: 'Every device that has signed in to your drive, except this one.',
  signOut: 'Sign it out',
  staysThere:
    'What’s on it stays there: the names, and files that were kept on it, encrypted. With your passphrase and a code it can sign in again, as a new device.',
  lostTitle: 'A device was lost or stolen',
  lostLead:
    'Sign it out, see what was done with it, and undo it. First enter both your passphrase and a code. If your authenticator is gone too, use a backup code.',
  which: 'Which device is it?',
  lookAgain: 'Look again',
  lastDay: 'Last day you had it',
  showDeeds: 'Show what it did',
  undo: 'Undoing all of this brings back names and files as they were. What it added leaves your list. If a deleted file’s content was erased with a code, it can’t come back.',
  takeIn: 'take in its uploads',
  signOutAndUndo: 'Sign it out and undo all this',
  signOutAndKeep: 'Sign it out, keep all this',
  signedOutTitle: 'Signed out',
  signedOutLead: 'If more than the device is gone, replace it now.',
  hadAuthenticator: 'My authenticator was on it',
  hadAuthenticatorText: 'Pair a new one. Codes from the old one stop working.',
  hadPassphrase: 'My passphrase was on it',
  hadPassphraseText: 'Or somebody may have seen it. Choose a new one.',
  staysTitle: 'What stays as it was',
  stays:
    'Whoever has it may know the files that were opened on it, and the names it showed. Nothing new reaches it, and no other file opens there without a code.',
} as const;

/** When a device was heard of last, as a sentence. */
export function heardOf({ lastHeardMs }: OtherDevice): string {
  return lastHeardMs === undefined ? 'Not seen yet.' : `Last seen on ${formatDay(lastHeardMs)}.`;
}

/** Asks about signing a device out. */
export function signOutTitle({ name }: OtherDevice): string {
  return `Sign out ${quotedName(name)}?`;
}

/** What signing a device out means. */
export function signOutLead(device: OtherDevice): string {
  return `${heardOf(device)} From then on it gets nothing from the server, and your other devices ignore anything it signs.`;
}

/** A device is signed out. @param isUndone whether what it did was taken back, too */
export function signedOut({ name }: OtherDevice, isUndone: boolean): string {
  return `${quotedName(name)} is signed out.${isUndone ? ' What it did since then has been undone.' : ''}`;
}

export function sinceTitle({ name }: OtherDevice): string {
  return `When did you last have ${quotedName(name)}?`;
}

export function sinceLead(device: OtherDevice): string {
  return `${heardOf(device)} Choose the last day you’re sure of. You’ll see what it did from that day on.`;
}

/** @param count how much it did since `sinceMs` */
export function deedsTitle(device: OtherDevice, count: number): string {
  return count === 0 ? signOutTitle(device) : `What ${quotedName(device.name)} did`;
}

export function deedsLead(sinceMs: number, count: number): string {
  return count === 0
    ? `It has changed nothing since ${formatDay(sinceMs)}.`
    : `Since ${formatDay(sinceMs)}, and perhaps a little before. Its own clock may be wrong.`;
}

/** Uploads of a device that wait for a code, and came before it was lost. */
export function leftBefore(count: number): string {
  return `${counted(count, 'upload')} from before ${count === 1 ? 'isn’t' : 'aren’t'} in your drive yet. You’ll be asked for a code that takes ${count === 1 ? 'it' : 'them'} in. Without one, only that device can still bring ${count === 1 ? 'it' : 'them'} along.`;
}

/** Uploads of a device that wait for a code, and came since it was lost. */
export function leftSince(count: number): string {
  return `${counted(count, 'upload')} since then ${count === 1 ? 'isn’t' : 'aren’t'} in your drive yet. Undoing throws ${count === 1 ? 'it' : 'them'} away.`;
}

/** What is not listed, because there is so much. */
export function moreDeeds(count: number): string {
  return `And ${count.toLocaleString('en')} more before these.`;
}

/** What a device did, as a sentence without its end. */
export function deedText({ kind, name, newName }: DeviceDeed): string {
  const was = name === undefined ? 'a file' : quotedName(name);
  switch (kind) {
    case 'added':
      return `Added ${newName === undefined ? 'a file' : quotedName(newName)}`;
    case 'replaced':
      return `Replaced the content of ${was}`;
    case 'renamed':
      return newName === undefined ? `Renamed ${was}` : `Renamed ${was} to ${quotedName(newName)}`;
    case 'moved':
      return `Moved ${was}`;
    case 'deleted':
      return `Deleted ${was}`;
    case 'restored':
      return `Restored ${was}`;
    case 'tagged':
      return `Changed the tags of ${was}`;
  }
}
