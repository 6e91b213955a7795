import { describe, expect, it } from 'vitest';
import { safariWords } from '../../src/lib/ui/texts/en/safari.ts';
import { keptWords, lossWords, signOutWords } from '../../src/lib/ui/texts/en/storage.ts';

describe('what an eviction would lose', () => {
  it('is nothing where nothing waits', () => {
    expect(lossWords({ waiting: { count: 0, sizeBytes: 0 }, pendingNames: 0 })).toMatch(
      /^Everything on this device is also on the server/,
    );
  });

  it('is what waits, counted and measured', () => {
    expect(lossWords({ waiting: { count: 1, sizeBytes: 1500 }, pendingNames: 0 })).toBe(
      '1 file (1.5 kB) is waiting to be uploaded. If the browser cleared this device’s storage, it would be lost.',
    );
    expect(lossWords({ waiting: { count: 3, sizeBytes: 9_400_000 }, pendingNames: 0 })).toBe(
      '3 files (9.4 MB) are waiting to be uploaded. If the browser cleared this device’s storage, they would be lost.',
    );
  });

  it('is a new name too', () => {
    expect(lossWords({ waiting: { count: 0, sizeBytes: 0 }, pendingNames: 1 })).toBe(
      '1 new name is waiting to be sent. If the browser cleared this device’s storage, it would be lost.',
    );
    expect(lossWords({ waiting: { count: 1, sizeBytes: 1500 }, pendingNames: 2 })).toBe(
      '1 file (1.5 kB) is waiting to be uploaded, and 2 new names are waiting to be sent. If the browser cleared this device’s storage, they would be lost.',
    );
  });
});

describe('what Safari deletes', () => {
  it.each([
    ['home screen', 'apps on your home screen'],
    ['Dock', 'apps in your Dock'],
  ] as const)('after seven days is said, and that it spares those in the %s', (place, apps) => {
    expect(safariWords(place)).toContain('if you don’t open Halfkey for seven days');
    expect(safariWords(place)).toContain(apps);
  });
});

describe('what signing out would lose', () => {
  it.each([
    [1, 0, '1 file (1.5 kB) is not on the server yet.'],
    [0, 1, '1 file has a new name that the server doesn’t have yet.'],
    [
      2,
      3,
      '2 files (3.0 kB) are not on the server yet. 3 files have new names that the server doesn’t have yet.',
    ],
  ])('of %i files and %i names is said in full', (count, pendingNames, words) => {
    expect(signOutWords({ unsent: { count, sizeBytes: count * 1500 }, pendingNames })).toBe(words);
  });

  it('is not known to be nothing where nobody knows', () => {
    expect(signOutWords(undefined)).toContain('There may be files');
  });
});

describe('what is kept', () => {
  it('is said only where there is something, and that the server has it too', () => {
    expect(keptWords({ kept: { count: 0, sizeBytes: 0 } })).toBeUndefined();
    expect(keptWords({ kept: { count: 2, sizeBytes: 12_800_000 } })).toBe(
      '2 files kept on this device, 13 MB. Also on the server.',
    );
  });
});
