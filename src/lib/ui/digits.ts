import { BACKUP_CODE_FAULTS, CODE_FAULTS } from './texts/en/codes.ts';

/** How many digits an authenticator shows. */
export const CODE_DIGITS = 6;

/** Seconds for which an authenticator shows one code (RFC 6238's time step). */
const STEP_SECONDS = 30;

/** Characters of a backup code: base32 (RFC 4648 §6). */
const BACKUP_CHARACTERS = 16;

/**
 * What base32 leaves out because it looks like a letter that it has: who reads it off a sheet may type it all the same.
 */
const LOOKALIKES: Readonly<Record<string, string>> = { '0': 'O', '1': 'I', '8': 'B' };

/** What was typed as a code. */
export interface TypedCode {
  /** ASCII, six at most. */
  readonly digits: string;
  /** Why it was not taken as it is, as a sentence. It is not sent by itself then. */
  readonly fault?: string;
}

/** What was typed as a backup code. */
export interface TypedBackupCode {
  /** In canonical form, once it is whole. */
  readonly code?: string;
  /** What is wrong with it, whatever may still follow; as a sentence. */
  readonly fault?: string;
  /** What it lacks, once somebody means it to be whole; as a sentence. */
  readonly lack?: string;
}

/**
 * Reads a code out of a text: digits of any script, with or without marks between them (apps write `123 456`), alone or
 * as the one code in a sentence.
 */
export function typedCode(text: string): TypedCode {
  const plain = plainText(text);
  const digits = plain.replaceAll(/\D/g, '');
  const hasWords = /\p{L}/u.test(plain);
  const [only, ...more] = hasWords ? plain.matchAll(/(?<!\d)\d{3}[\s\p{Pd}]?\d{3}(?!\d)/gu) : [];
  if (only && more.length === 0) return { digits: only[0].replaceAll(/\D/g, '') };
  if (digits.length > CODE_DIGITS) {
    return { digits: '', fault: CODE_FAULTS.length(digits.length) };
  }
  if (hasWords) return { digits, fault: CODE_FAULTS.letters };
  return { digits };
}

/** What a code of so many digits lacks, once somebody means it to be whole; as a sentence. */
export function codeLack(digits: string): string {
  return digits === '' ? CODE_FAULTS.empty : CODE_FAULTS.length(digits.length);
}

/** The code in a pasted text, or undefined when it is not exactly one: then the paste was meant for something else. */
export function pastedCode(text: string): string | undefined {
  const compact = plainText(text).replaceAll(/[\s\p{Pd}]/gu, '');
  return /^\d{6}$/.test(compact) ? compact : undefined;
}

/**
 * Reads a backup code, in either case, with any marks between its characters, and with digits that look like its
 * letters.
 */
export function typedBackupCode(text: string): TypedBackupCode {
  const compact = plainText(text)
    .toUpperCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
  const characters = Array.from(compact, (character) => LOOKALIKES[character] ?? character);
  const other = characters.find((character) => !/^[A-Z2-7]$/.test(character));
  if (other !== undefined) {
    return { fault: BACKUP_CODE_FAULTS.character(other) };
  }
  const count = BACKUP_CODE_FAULTS.length(characters.length);
  if (characters.length > BACKUP_CHARACTERS) return { fault: count };
  if (characters.length === BACKUP_CHARACTERS) return { code: characters.join('') };
  return { lack: characters.length === 0 ? BACKUP_CODE_FAULTS.empty : count };
}

/** With digits of every script as ASCII, and without invisible characters. */
function plainText(text: string): string {
  return text
    .normalize('NFKC')
    .replaceAll(/\p{Cf}/gu, '')
    .replaceAll(/\p{Nd}/gu, (digit) => String(digitValue(digit)));
}

/** Unicode has the digits of a script next to each other, from zero to nine (The Unicode Standard, §4.6). */
function digitValue(digit: string): number {
  const own = digit.codePointAt(0) ?? 0;
  let first = own;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(first - 1))) first -= 1;
  return (own - first) % 10;
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
