import { BackupCode, Code, type Factor as BrokerFactor } from '$contract/ids.ts';
import * as v from 'valibot';
import { parseBackupCode } from './backup-codes.ts';
import { HalfkeyError } from '../errors.ts';
import type { Factor } from '../protocol/session.ts';

/** What the broker takes for a code or backup code as people type them. @throws {HalfkeyError} `code_malformed` */
export function parseFactor(factor: Factor): BrokerFactor {
  if ('code' in factor) return parseCode(factor.code);
  const backupCode = v.safeParse(BackupCode, parseBackupCode(factor.backupCode));
  if (backupCode.success) return { backupCode: backupCode.output };
  throw new HalfkeyError('code_malformed', 'expected 16 characters of base32');
}

/** As `parseFactor`, where no backup code may stand for it. @throws {HalfkeyError} `code_malformed` */
export function parseCode(typed: string): { code: Code } {
  const code = v.safeParse(Code, typed.normalize('NFKC').replaceAll(/\s/g, ''));
  if (code.success) return { code: code.output };
  throw new HalfkeyError('code_malformed', 'expected six digits');
}
