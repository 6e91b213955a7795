import { wordlist } from '@scure/bip39/wordlists/english.js';
import { describe, expect, test } from 'vitest';
import {
  generatePassphrase,
  judgePassphrase,
  LEAST_SCORE,
  normalisePassphrase,
  requireStrong,
} from '../../src/lib/account/passphrase.ts';
import { refusalCode } from '../crypto/refusal.ts';

describe('judging a passphrase', () => {
  test.each([
    '',
    'a',
    'password',
    'Passw0rd!',
    'qwertyuiop',
    '123456789012',
    'anna1990!',
    'halfkey',
    'Summer2026!',
    'x'.repeat(500),
    'abcabcabcabcabcabc',
  ])('refuses %j', async (passphrase) => {
    expect(await judgePassphrase(passphrase, 'somebody')).toBeLessThan(LEAST_SCORE);
    expect(await refusalCode(requireStrong(passphrase, 'somebody'))).toBe('passphrase_weak');
  });

  test.each([
    'correct horse battery staple',
    'tomato lamp river cloud',
    'kT9$wq2!vZ#p',
    'größenwahn über alles mögliche',
  ])('takes %j', async (passphrase) => {
    expect(await judgePassphrase(passphrase, 'somebody')).toBeGreaterThanOrEqual(LEAST_SCORE);
    await expect(requireStrong(passphrase, 'somebody')).resolves.toBeUndefined();
  });

  test('takes one that is just good enough, and not the next weaker one', async () => {
    expect(await judgePassphrase('vqzkxjwpfh', 'somebody')).toBe(LEAST_SCORE);
    await expect(requireStrong('vqzkxjwpfh', 'somebody')).resolves.toBeUndefined();
    expect(await judgePassphrase('kT9$wq2!v', 'somebody')).toBe(LEAST_SCORE - 1);
    expect(await refusalCode(requireStrong('kT9$wq2!v', 'somebody'))).toBe('passphrase_weak');
  });

  test('counts the user name as a word that is tried first', async () => {
    const name = 'vqzkxjwpfhgm';
    expect(await judgePassphrase(name, 'somebody')).toBeGreaterThanOrEqual(LEAST_SCORE);
    expect(await judgePassphrase(name, name)).toBe(0);
    expect(await judgePassphrase(`${name}1`, name)).toBeLessThan(LEAST_SCORE);
  });

  test('judges what is typed in the form that is used', async () => {
    expect(await judgePassphrase('\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44', '')).toBe(0);
    expect(normalisePassphrase('\uff50\u0061\u0308')).toBe('p\u00e4');
  });
});

describe('a generated passphrase', () => {
  test('is six words of the list, best by our own judgement', async () => {
    const passphrase = await generatePassphrase();
    const words = passphrase.split('-');
    expect(words).toHaveLength(6);
    for (const word of words) expect(wordlist).toContain(word);
    expect(await judgePassphrase(passphrase, 'somebody')).toBe(4);
  });

  test('draws from the whole list', async () => {
    const seen = new Set<string>();
    for (let count = 0; count < 2_000; count++) {
      for (const word of (await generatePassphrase()).split('-')) seen.add(word);
    }
    // 12,000 draws leave 2,048 × e^−5.9 ≈ 6 words undrawn; 60 would be no accident.
    expect(seen.size).toBeGreaterThan(1_988);
  });
});
