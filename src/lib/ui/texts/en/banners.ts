import type { KitPart } from '../../../protocol/credentials.ts';
import { formatClock, formatDay } from '../../format.ts';

/** What stands over the list, for as long as it is so. */
export const BANNERS = {
  offline: {
    title: 'You are offline',
    text: 'You can still see your list. Files you add now are encrypted on this device, as long as there’s room, and upload when you’re online again.',
  },
  serverAway: {
    title: 'The server isn’t answering',
    text: 'You can still see your list. Files you add now are encrypted on this device, as long as there’s room, and upload as soon as it answers.',
  },
  makeNew: 'Make new ones',
  updateReady: { title: 'A new version is ready', text: 'Your files stay as they are.' },
  reloadNow: 'Reload now',
  updateWaits: {
    tried: 'The new version has to wait',
    reason: 'Something is still in progress, here or in another tab. Try again when it’s done.',
  },
  shareLost: { title: 'What you shared didn’t arrive', text: 'Share it again.' },
} as const;

/** Somebody asked for another authenticator without a code. */
export const FACTOR_RESET = {
  stopped: {
    title: 'The request was stopped',
    text: 'Whoever made it has your passphrase and your recovery words. Unless that was you, change both.',
  },
  stop: 'Stop it',
} as const;

export function factorResetPending(askedAtMs: number, dueAtMs: number): { title: string; text: string } {
  return {
    title: `A new authenticator was requested on ${formatDay(askedAtMs)}`,
    text: `With your passphrase and recovery words, but without a code. It can replace yours from ${formatDay(dueAtMs)}, ${formatClock(dueAtMs)}.`,
  };
}

/** Each sheet of the kit is for another loss. */
export function kitUnkept(parts: readonly KitPart[]): { title: string; text: string } {
  const { what, loss } = lossWithout(parts);
  return {
    title: `You may not have saved your ${what}`,
    text: `You continued without saving or printing them. Without them, a lost ${loss} means lost files. If you wrote them down, dismiss this message.`,
  };
}

function lossWithout(parts: readonly KitPart[]): { what: string; loss: string } {
  if (parts.length > 1) return { what: 'recovery words and backup codes', loss: 'passphrase or phone' };
  return parts.includes('words')
    ? { what: 'recovery words', loss: 'passphrase' }
    : { what: 'backup codes', loss: 'phone' };
}

export function othersUnseen(lastHeardMs: number): { title: string; text: string } {
  return {
    title: `Your other devices haven’t been seen since ${formatDay(lastHeardMs)}`,
    text: 'If you’ve used one since, the server may be holding something back. Compare the file lists on both.',
  };
}
