import './runes.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Announcer } from '../../src/lib/state/announcer.svelte.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('what is said aloud', () => {
  it('is said after a moment, in which more may come', () => {
    const announcer = new Announcer();
    announcer.say('Halfkey is open.');
    expect(announcer.said.text).toBe('');
    vi.runAllTimers();
    expect(announcer.said.text).toBe('Halfkey is open.');
  });

  it('of a burst is its first sentence and how many there are besides', () => {
    const announcer = new Announcer();
    for (const name of ['a', 'b', 'c']) announcer.say(`“${name}” is uploaded.`, { gathers: true });
    vi.runAllTimers();
    expect(announcer.said.text).toBe('“a” is uploaded. And 2 more.');
  });

  it('beside a burst is said in full', () => {
    const announcer = new Announcer();
    announcer.say('“a” is uploaded.', { gathers: true });
    announcer.say('No results for “pear”.');
    announcer.say('“b” is uploaded.', { gathers: true });
    announcer.say('Halfkey is locked.');
    vi.runAllTimers();
    expect(announcer.said.text).toBe(
      'No results for “pear”. Halfkey is locked. “a” is uploaded. And 1 more.',
    );
  });

  it('begins anew after each burst', () => {
    const announcer = new Announcer();
    for (const sentence of ['One.', 'Two.']) {
      announcer.say(sentence);
      vi.runAllTimers();
    }
    expect(announcer.said.text).toBe('Two.');
  });
});
