import { describe, expect, test } from 'vitest';
import {
  generateBackupCodes,
  groupBackupCode,
  hashBackupCode,
  parseBackupCode,
} from '../../src/lib/account/backup-codes.ts';
import { toHex } from '../../src/lib/bytes.ts';

describe('backup codes', () => {
  test('are ten, all different, of 16 characters of base32', () => {
    const codes = generateBackupCodes();
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) expect(code).toMatch(/^[A-Z2-7]{16}$/);
  });

  test('are printed in groups of four and read back in any way people type them', () => {
    const code = 'ABCDEFGHIJKLMN27';
    expect(groupBackupCode(code)).toBe('ABCD-EFGH-IJKL-MN27');
    const typed = [
      'ABCD-EFGH-IJKL-MN27',
      'abcd efgh ijkl mn27',
      ' abcdefghijklmn27\n',
      'ABCD\u2013EFGH\u2014IJKL\u2011MN27',
    ];
    for (const text of typed) expect(parseBackupCode(text)).toBe(code);
  });

  test.each([
    '',
    '123456',
    'ABCD-EFGH-IJKL-MN2',
    'ABCD-EFGH-IJKL-MN27A',
    'ABCD-EFGH-IJKL-MN01',
    'ABCD_EFGH_IJKL_MN27',
  ])('are not read from %j', (text) => {
    expect(parseBackupCode(text)).toBeUndefined();
  });

  test('are hashed with their account', async () => {
    const account = 'AAAAAAAAAAAAAAAAAAAAAA';
    const hash = toHex(await hashBackupCode(account, 'ABCDEFGHIJKLMNOP'));
    expect(hash).toBe('e136c14b7f78d8da308592ea2e85046002aeb7bf01396dc70c81c4ab67c79ffe');
    expect(toHex(await hashBackupCode('BBBBBBBBBBBBBBBBBBBBBA', 'ABCDEFGHIJKLMNOP'))).not.toBe(hash);
  });
});
