import './runes.ts';
import { describe, expect, it } from 'vitest';
import { HalfkeyError } from '../../src/lib/errors.ts';
import { CodePrompt } from '../../src/lib/state/code-prompt.svelte.ts';
import type { CryptoWorker } from '../../src/lib/platform/crypto-worker.ts';

const sent: unknown[] = [];
const worker = {
  send: (name: string, args: unknown) => Promise.resolve(void sent.push([name, args])),
} as unknown as CryptoWorker;

/** An action that is locked so many times before it goes through. */
function lockedTimes(times: number, code: 'locked' | 'grant_spent' | 'session_missing' = 'locked') {
  let tries = 0;
  const action = () => {
    tries += 1;
    return tries > times ? Promise.resolve('done') : Promise.reject(new HalfkeyError(code, 'no'));
  };
  return { action, tries: () => tries };
}
const settled = () => new Promise((resolve) => setTimeout(resolve));

describe('what wants a code', () => {
  it('runs at once when it does not', async () => {
    const prompt = new CodePrompt(worker);
    expect(await prompt.run('open “a.txt”', lockedTimes(0).action)).toBe('done');
    expect(prompt.purpose).toBeUndefined();
  });

  it.each(['locked', 'grant_spent'] as const)('waits for a code when it is %s, and goes on', async (code) => {
    const prompt = new CodePrompt(worker);
    const { action, tries } = lockedTimes(1, code);
    const running = prompt.run('open “a.txt”', action);
    await settled();
    expect([prompt.purpose, tries()]).toEqual(['open “a.txt”', 1]);
    prompt.proceed();
    expect(await running).toBe('done');
    expect([prompt.purpose, tries()]).toEqual([undefined, 2]);
  });

  it('asks again when a code was not enough', async () => {
    const prompt = new CodePrompt(worker);
    const { action, tries } = lockedTimes(2);
    const running = prompt.run('open “a.txt”', action);
    for (const tried of [1, 2]) {
      await settled();
      expect([prompt.purpose, tries()]).toEqual(['open “a.txt”', tried]);
      prompt.proceed();
    }
    expect(await running).toBe('done');
  });

  it('fails with anything else at once', async () => {
    const prompt = new CodePrompt(worker);
    const running = prompt.run('open “a.txt”', lockedTimes(1, 'session_missing').action);
    await expect(running).rejects.toMatchObject({ code: 'session_missing' });
    expect(prompt.purpose).toBeUndefined();
  });

  it('is called off for all who wait, and asked for anew by whoever comes later', async () => {
    const prompt = new CodePrompt(worker);
    const waiting = ['first', 'second'].map((purpose) => prompt.ask(purpose));
    expect(prompt.purpose).toBe('first');
    prompt.dismiss();
    for (const each of waiting) await expect(each).rejects.toMatchObject({ name: 'AbortError' });
    const later = prompt.ask('third');
    expect(prompt.purpose).toBe('third');
    prompt.proceed();
    await expect(later).resolves.toBeUndefined();
  });

  it('sends the code to the worker', async () => {
    await new CodePrompt(worker).submit({ code: '123456' });
    expect(sent).toEqual([['unlock', { factor: { code: '123456' }, files: [] }]]);
  });

  it('sends with it which files wait to be opened, each once', async () => {
    sent.length = 0;
    const prompt = new CodePrompt(worker);
    const running = ['a', 'a', 'b'].map((file) => prompt.run('open', lockedTimes(1).action, { file }));
    await settled();
    await prompt.submit({ code: '123456' });
    expect(sent).toEqual([['unlock', { factor: { code: '123456' }, files: ['a', 'b'] }]]);
    prompt.proceed();
    await Promise.all(running);
  });
});
