import { describe, expect, it } from 'vitest';
import { TypeAhead } from '../../src/lib/ui/drive/type-ahead.ts';

const plain = { isComposing: false, ctrlKey: false, metaKey: false, altKey: false };

function typing() {
  let nowMs = 10_000;
  const ahead = new TypeAhead(() => nowMs);
  return (key: string, afterMs = 100, other = {}) => {
    nowMs += afterMs;
    return ahead.press({ key, ...plain, ...other });
  };
}

describe('letters typed in a list', () => {
  it('are the beginning of a name, and begin anew after a pause', () => {
    const press = typing();
    expect(press('n')).toEqual({ prefix: 'n', stays: false });
    expect(press('o')).toEqual({ prefix: 'no', stays: true });
    expect(press('r')).toEqual({ prefix: 'nor', stays: true });
    expect(press('t', 2_000)).toEqual({ prefix: 't', stays: false });
  });

  it('go on to the next name when one is pressed again', () => {
    const press = typing();
    press('n');
    expect(press('n')).toEqual({ prefix: 'n', stays: false });
    expect(press('n')).toEqual({ prefix: 'n', stays: false });
  });

  it('may have spaces and marks within a name, but none begins one: Space, “/” and “?” do something else', () => {
    const press = typing();
    for (const key of [' ', '/', '?', '.']) expect(press(key)).toBeUndefined();
    press('f');
    expect(press(' ')).toEqual({ prefix: 'f ', stays: true });
    expect(press('2')).toEqual({ prefix: 'f 2', stays: true });
    expect(press('/')).toBeUndefined(); // No name has one.
  });

  it('are no commands and no named keys', () => {
    const press = typing();
    for (const modifier of ['ctrlKey', 'metaKey', 'altKey', 'isComposing'])
      expect(press('a', 100, { [modifier]: true })).toBeUndefined();
    for (const key of ['Enter', 'F2', 'Dead']) expect(press(key)).toBeUndefined();
    expect(press('é')).toEqual({ prefix: 'é', stays: false });
  });
});
