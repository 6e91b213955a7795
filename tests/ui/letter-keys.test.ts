import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LetterKeys } from '../../src/lib/ui/drive/letter-keys.ts';

const done: string[] = [];
let keys: LetterKeys;

beforeEach(() => {
  vi.useFakeTimers();
  done.length = 0;
  const act = (name: string) => ({ act: () => void done.push(name) });
  keys = new LetterKeys(
    { u: act('upload'), l: act('lock'), '/': { ...act('search'), leadsToField: true } },
    () => Date.now(),
  );
});
afterEach(() => {
  vi.useRealTimers();
});

function press(key: string, about: Partial<KeyboardEvent> = {}): boolean {
  const plain = { repeat: false, isComposing: false, ctrlKey: false, metaKey: false, altKey: false };
  return keys.press({ ...plain, key, ...about });
}

/** @param everyMs between one letter and the next */
function type(text: string, everyMs: number): void {
  for (const key of text) {
    press(key);
    vi.advanceTimersByTime(everyMs);
  }
  vi.advanceTimersByTime(10_000);
}

describe('a single letter', () => {
  it('acts when it stands alone, in either case', () => {
    for (const key of ['u', 'L']) {
      expect(press(key)).toBe(true);
      vi.advanceTimersByTime(10_000);
    }
    expect(done).toEqual(['upload', 'lock']);
  });

  it.each(['please open', 'letter', 'ululul', 'all', 'you'])('does nothing in the word %j', (word) => {
    for (const everyMs of [0, 60, 499]) type(word, everyMs);
    expect(done).toEqual([]);
  });

  it('acts at once where it leads to a field, and the rest of the word is for that', () => {
    expect(press('/')).toBe(true);
    expect(done).toEqual(['search']);
    vi.advanceTimersByTime(10_000);
    type('and/or', 60);
    expect(done).toEqual(['search']);
  });

  it('acts once while it is held down', () => {
    press('l');
    vi.advanceTimersByTime(600);
    for (let times = 0; times < 20; times++) {
      press('l', { repeat: true });
      vi.advanceTimersByTime(30);
    }
    vi.advanceTimersByTime(10_000);
    expect(done).toEqual(['lock']);
  });

  it.each<[string, Partial<KeyboardEvent>]>([
    ['with Ctrl', { ctrlKey: true }],
    ['with Meta', { metaKey: true }],
    ['with Alt', { altKey: true }],
    ['of an input method', { isComposing: true }],
  ])('means something else %s', (_name, about) => {
    expect(press('l', about)).toBe(false);
    vi.advanceTimersByTime(10_000);
    expect(done).toEqual([]);
  });

  it('comes to nothing when another key follows at once, or somebody stops it', () => {
    press('l');
    press('Escape');
    vi.advanceTimersByTime(10_000);
    press('u');
    keys.stop();
    vi.advanceTimersByTime(10_000);
    expect(done).toEqual([]);
  });
});
