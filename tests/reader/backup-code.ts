import { prefixed, sha256, type Bytes } from './primitives.ts';

/** Section 14: what the server keeps of a backup code, which is given as it is shown. */
export const backupCodeHash = (account: string, code: string): Bytes =>
  sha256(prefixed('halfkey/backup-code/1', account, code.replaceAll('-', '')));
