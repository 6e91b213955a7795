import { counted } from './counting.ts';

/** Whose account is on this device: the drive is in sight for none of them. */
type Home = 'nobody' | 'closed' | 'elsewhere';

/**
 * What becomes of files that came before there was a drive to put them in: anyone who brought them must not think that
 * they are there.
 * @param home `elsewhere`: somebody signed in, on another page than the drive's
 * @returns undefined when there is nothing to say
 */
export function arrivedWords(
  { count, isLost }: { readonly count: number; readonly isLost: boolean },
  home: Home,
): string | undefined {
  if (isLost) return 'What you shared didn’t arrive. Share it again.';
  if (count === 0) return undefined;
  const files = counted(count, 'file');
  switch (home) {
    case 'closed':
      return `Enter your passphrase to add ${files}.`;
    case 'elsewhere':
      return `Go back to your drive to add ${files}.`;
    case 'nobody':
      return `Nobody is signed in on this device. Sign in to add ${files}.`;
    default:
      return home satisfies never;
  }
}

/** What becomes of what is held over the page. */
export const DROP = {
  nobody: 'Drop to add after you sign in',
  closed: 'Drop to add after you enter your passphrase',
  elsewhere: 'Drop to add to your drive',
} as const satisfies Record<Home, string>;
