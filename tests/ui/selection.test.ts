import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  among,
  concerned,
  NOTHING_SELECTED,
  only,
  ranged,
  toggled,
  type Selection,
} from '../../src/lib/ui/drive/selection.ts';

const ids = ({ entries }: Selection) => [...entries].sort();

describe('a selection', () => {
  it('is one, or that one added or taken out', () => {
    const one = only('a');
    expect(ids(one)).toEqual(['a']);
    const two = toggled(one, 'b');
    expect(ids(two)).toEqual(['a', 'b']);
    expect(two.anchor).toBe('b');
    expect(ids(toggled(two, 'a'))).toEqual(['b']);
    expect(ids(one)).toEqual(['a']); // A value: what others hold stays what it was.
  });

  it('is a range from where the last one was, which a second range turns about', () => {
    const down = ranged(only('c'), ['c', 'd', 'e'], false);
    expect(ids(down)).toEqual(['c', 'd', 'e']);
    const up = ranged(down, ['a', 'b', 'c'], false);
    expect(ids(up)).toEqual(['a', 'b', 'c']);
    expect(up.anchor).toBe('c');
    expect(ids(ranged(up, ['x'], true))).toEqual(['a', 'b', 'c', 'x']);
    expect(ranged(NOTHING_SELECTED, ['a', 'b'], false).anchor).toBe('a');
    expect(ranged(NOTHING_SELECTED, [], false).entries.size).toBe(0);
  });

  it('keeps what is still there, and begins a range anew when its anchor is gone', () => {
    const three = toggled(toggled(only('a'), 'b'), 'c');
    expect(among(three, ['c', 'b', 'a', 'z'])).toBe(three);
    const left = among(three, ['a', 'b']);
    expect(ids(left)).toEqual(['a', 'b']);
    expect(left.anchor).toBeUndefined();
    expect(among(toggled(only('a'), 'b'), ['b']).anchor).toBe('b');
  });

  it('is concerned as a whole by what is begun at one of it, and not by what is begun elsewhere', () => {
    const two = toggled(only('a'), 'b');
    expect(concerned(two, 'b')).toEqual(['a', 'b']);
    expect(concerned(two, 'c')).toEqual(['c']);
  });

  it('never holds what is not there, nor loses what is, whatever order things come in', () => {
    const entry = fc.constantFrom('a', 'b', 'c', 'd');
    fc.assert(
      fc.property(fc.array(entry), fc.uniqueArray(entry), (clicks, there) => {
        const selection = clicks.reduce(toggled, NOTHING_SELECTED);
        const odd = ['a', 'b', 'c', 'd'].filter(
          (id) => clicks.filter((each) => each === id).length % 2 === 1,
        );
        expect(ids(selection)).toEqual(odd);
        expect(ids(among(selection, there))).toEqual(odd.filter((id) => there.some((each) => each === id)));
      }),
      { seed: 17 },
    );
  });
});
