import { base32nopad } from '@scure/base';
import { lengthPrefixed, type Bytes } from '../bytes.ts';
import { sha256 } from '../crypto/digest.ts';
import { randomSecret } from '../crypto/random.ts';
import { wipeAtEnd } from '../crypto/wipe.ts';

/** How many codes a sheet has. */
const CODES = 10;
const CODE_BYTES = 10; // 80 bits: too many to try even for who has the hashes.
const GROUP_CHARACTERS = 4;

/** Ten one-time codes of 80 bits: 16 characters of base32 (RFC 4648 §6), as the broker takes them. */
export function generateBackupCodes(): string[] {
  return Array.from({ length: CODES }, () => {
    const code = randomSecret(CODE_BYTES);
    using _code = wipeAtEnd(code);
    return base32nopad.encode(code);
  });
}

/** As printed: four groups of four, `ABCD-EFGH-IJKL-MNOP`. */
export function groupBackupCode(code: string): string {
  return (code.match(new RegExp(`.{${String(GROUP_CHARACTERS)}}`, 'g')) ?? []).join('-');
}

/**
 * As people type it: without dashes and spaces, in either case.
 * @returns undefined when it cannot be a backup code
 */
export function parseBackupCode(text: string): string | undefined {
  const code = text
    .normalize('NFKC')
    .replaceAll(/[\s\p{Pd}]/gu, '')
    .toUpperCase();
  return /^[A-Z2-7]{16}$/.test(code) ? code : undefined;
}

/** What the broker keeps of a code, 32 bytes; of full entropy, so it needs no slow hash. */
export function hashBackupCode(account: string, code: string): Promise<Bytes> {
  return sha256(lengthPrefixed('halfkey/backup-code/1', account, code));
}
