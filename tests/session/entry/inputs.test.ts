import { describe, expect, test } from 'vitest';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import { deviceName } from '../../../src/lib/session/entry/device-name.ts';
import { parseFactor } from '../../../src/lib/account/factor.ts';
import type { Factor } from '../../../src/lib/protocol/session.ts';
import { parseUserName } from '../../../src/lib/session/entry/user-name.ts';

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'nothing was refused';
  } catch (error) {
    return error instanceof HalfkeyError ? error.code : 'another error';
  }
}

describe('a factor', () => {
  test.each<[Factor, unknown]>([
    [{ code: '123456' }, { code: '123456' }],
    [{ code: ' 123 456\n' }, { code: '123456' }],
    [{ code: '\uff11\uff12\uff13456' }, { code: '123456' }],
    [{ backupCode: 'abcd-efgh-ijkl-mn27' }, { backupCode: 'ABCDEFGHIJKLMN27' }],
  ])('is read from %j', (typed, expected) => {
    expect(parseFactor(typed)).toEqual(expected);
  });

  test.each<[Factor]>([
    [{ code: '' }],
    [{ code: '12345' }],
    [{ code: '1234567' }],
    [{ code: '12345a' }],
    [{ code: '١٢٣٤٥٦' }],
    [{ backupCode: '123456' }],
    [{ backupCode: '' }],
  ])('is refused from %j before anything is sent', (typed) => {
    expect(codeOf(() => parseFactor(typed))).toBe('code_malformed');
  });
});

describe('a user name', () => {
  test.each([
    ['Ada', 'ada'],
    ['  ada ', 'ada'],
    ['\uff21da', 'ada'],
    ['ÄDA@example.org', 'äda@example.org'],
    ['x'.repeat(64), 'x'.repeat(64)],
  ])('is read from %j', (typed, expected) => {
    expect(parseUserName(typed)).toBe(expected);
  });

  test.each(['', '   ', 'a b', 'a\u0000b', 'a\u200bb', 'x'.repeat(65), 'x'.repeat(300)])(
    'is refused from %j',
    (typed) => {
      expect(codeOf(() => parseUserName(typed))).toBe('name_malformed');
    },
  );
});

describe('the name of a device', () => {
  test.each([
    [
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36',
      'Chrome on Linux',
    ],
    [
      'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/137.0.0.0 Safari/537.36 Edg/137.0',
      'Edge on Windows',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1 Version/18.4 Safari/604.1',
      'Safari on iOS',
    ],
    ['Mozilla/5.0 (Android 15; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0', 'Firefox on Android'],
    ['Mozilla/5.0 (X11; Linux x86_64) Ladybird/1.0', 'Unknown browser on Linux'],
    ['', 'Unknown browser on an unknown system'],
  ])('of %j is %j', (userAgent, expected) => {
    expect(deviceName(userAgent)).toBe(expected);
  });
});
