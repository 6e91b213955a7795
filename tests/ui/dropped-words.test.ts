import { describe, expect, it } from 'vitest';
import { droppedWords } from '../../src/lib/ui/texts/en/dropped-changes.ts';
import type { DroppedChange } from '../../src/lib/protocol/drive.ts';

function dropped(name: string, code: DroppedChange['code'] = 'not_found'): DroppedChange {
  return { key: 1, kind: 'rename', name, code };
}

describe('changes that were given up', () => {
  it('says of one which name was wanted, and why it is not there', () => {
    const { title, text } = droppedWords([dropped('a.txt', 'not_found')]);
    expect(title).toBe('Nothing was renamed to “a.txt”');
    expect(text).toContain('It was deleted');
  });

  it.each([
    [2, '“1” or “2”'],
    [3, '“1”, “2”, or “3”'],
    [4, '“1”, “2”, “3”, or 1 other'],
    [9, '“1”, “2”, “3”, or 6 others'],
  ])('names %i of them, or counts them', (count, names) => {
    const all = Array.from({ length: count }, (_, index) => dropped(String(index + 1)));
    const { title, text } = droppedWords(all);
    expect(title).toBe(`Nothing was renamed to ${names}`);
    expect(text).toContain('other devices');
  });

  it('asks nobody to sign in again because of a change that does not open', () => {
    const { title, text } = droppedWords([{ key: 1, name: '', code: 'device_state_lost' }]);
    expect(title).toBe('A change was lost');
    expect(text).toContain('Your files are unchanged');
  });
});
