import { prefixed, sha256, type Bytes } from './primitives.ts';
import { demand } from './refused.ts';

/** Section 14: what the server keeps of a backup code, which is given as somebody types it. */
export function backupCodeHash(account: string, typed: string): Bytes {
  const code = typed
    .normalize('NFKC')
    .replaceAll(/[\s\p{Pd}]/gu, '')
    .toUpperCase();
  demand(/^[A-Z2-7]{16}$/.test(code), 'code_malformed', 'not 16 characters of base32');
  return sha256(prefixed('halfkey/backup-code/1', account, code));
}
