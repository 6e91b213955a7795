import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameParts } from '../../src/lib/ui/drive/name-parts.ts';

describe('a name that is shortened in its middle', () => {
  it('keeps its ending, and what stands before it', () => {
    expect(nameParts('Contract with the carpenter (signed).pdf')).toEqual({
      start: 'Contract with the carpenter (s',
      end: 'igned).pdf',
    });
  });

  it('is whole when it is short', () => {
    expect(nameParts('twenty characters.tx')).toEqual({ start: 'twenty characters.tx', end: '' });
    expect(nameParts('twenty-1 characters.t').end).toHaveLength(10);
    expect(nameParts('')).toEqual({ start: '', end: '' });
  });

  it('is never cut within a character', () => {
    const family = '👨‍👩‍👧‍👦';
    const { end } = nameParts(`${'a'.repeat(20)}${family.repeat(10)}`);
    expect(end).toBe(family.repeat(10));
    expect(nameParts(family.repeat(15)).end).toBe(''); // 15 characters, whatever they are made of
  });

  it('is never cut between letters that join', () => {
    expect(nameParts('عقد مع النجار في المدينة القديمة.pdf').end).toBe('.pdf');
    expect(nameParts('عقد مع النجار في المدينة القديمة').end).toBe('');
  });

  it('is the name again, put together', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (name) => {
        const { start, end } = nameParts(name);
        expect(start + end).toBe(name);
      }),
      { seed: 17 },
    );
  });
});
