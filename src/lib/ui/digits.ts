/** How many digits an authenticator shows. */
export const CODE_DIGITS = 6;

/** Seconds for which an authenticator shows one code (RFC 6238's time step). */
const STEP_SECONDS = 30;

/** What of a typed or pasted text belongs into the field: its digits, six at most. Apps write `123 456`. */
export function codeDigits(text: string): string {
  return text.normalize('NFKC').replaceAll(/\D/g, '').slice(0, CODE_DIGITS);
}

/** The code in a pasted text, or undefined when it is not exactly one: then the paste was meant for something else. */
export function pastedCode(text: string): string | undefined {
  const compact = text.normalize('NFKC').replaceAll(/[\s-]/g, '');
  return /^\d{6}$/.test(compact) ? compact : undefined;
}

/** Canonical form of a typed backup code: 16 characters of base32; undefined when it is not one yet. */
export function backupCodeOf(text: string): string | undefined {
  const compact = text.normalize('NFKC').replaceAll(/[\s-]/g, '').toUpperCase();
  return /^[A-Z2-7]{16}$/.test(compact) ? compact : undefined;
}

/** Whole seconds until an authenticator shows its next code. */
export function secondsToNextCode(nowMs: number): number {
  return Math.ceil(STEP_SECONDS - ((nowMs / 1000) % STEP_SECONDS));
}

/** A text in groups of so many characters, the last one shorter if need be. */
export function inGroups(text: string, size: number): string[] {
  const groups: string[] = [];
  for (let index = 0; index < text.length; index += size) groups.push(text.slice(index, index + size));
  return groups;
}
