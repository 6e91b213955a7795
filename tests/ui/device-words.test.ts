import { describe, expect, test } from 'vitest';
import { isoDay, startOfDay } from '../../src/lib/ui/credentials/day-field.ts';
import { deedText } from '../../src/lib/ui/texts/en/credentials.ts';

describe('what a lost device did', () => {
  test.each([
    [{ kind: 'added', newName: 'a.txt' }, 'Added “a.txt”'],
    [{ kind: 'added' }, 'Added a file'],
    [{ kind: 'replaced', name: 'a.txt' }, 'Replaced the content of “a.txt”'],
    [{ kind: 'renamed', name: 'a.txt', newName: 'b.txt' }, 'Renamed “a.txt” to “b.txt”'],
    [{ kind: 'moved', name: 'a.txt' }, 'Moved “a.txt”'],
    [{ kind: 'deleted' }, 'Deleted a file'],
    [{ kind: 'restored', name: 'a.txt' }, 'Restored “a.txt”'],
    [{ kind: 'tagged', name: 'a.txt' }, 'Changed the tags of “a.txt”'],
  ] as const)('%o is told: %s', (deed, text) => {
    expect(deedText(deed)).toBe(text);
  });

  test('shows what hides in a name that it gave', () => {
    expect(deedText({ kind: 'renamed', name: 'a', newName: 'b\u202etxt' })).toContain('[U+202E]');
  });
});

describe('the day that its owner names', () => {
  test('is a day here, from its first moment on', () => {
    const noon = new Date(2026, 2, 9, 12).getTime();
    expect(isoDay(noon)).toBe('2026-03-09');
    expect(startOfDay('2026-03-09')).toBe(new Date(2026, 2, 9).getTime());
  });

  test.each(['', 'yesterday', '2026-3-9'])('is none: “%s”', (text) => {
    expect(startOfDay(text)).toBeUndefined();
  });
});
