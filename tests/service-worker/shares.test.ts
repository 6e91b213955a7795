import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { giveShare, isShare, receiveShare } from '../../src/service-worker/shares.ts';
import { SHARED_PARAMETER, type SharedAnswer } from '../../src/service-worker/messages.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A form as another app posts it. */
function form(files: readonly (File | string)[], more: object = {}): Request {
  const fields = new FormData();
  for (const file of files) fields.append('files', file);
  fields.append('title', 'not a file');
  return {
    ...{ mode: 'navigate', destination: 'document', formData: () => Promise.resolve(fields), ...more },
  } as unknown as Request;
}
/** @returns the share that the page is told of */
async function share(request = form([new File(['a'], 'a.txt')])): Promise<string> {
  const response = await receiveShare(request);
  expect(response.status).toBe(303);
  return new URL(response.headers.get('location')!, 'https://halfkey.test').searchParams.get(
    SHARED_PARAMETER,
  )!;
}
function fetched(name: string): SharedAnswer {
  const answers: SharedAnswer[] = [];
  giveShare(name, { postMessage: (answer: SharedAnswer) => answers.push(answer) } as unknown as MessagePort);
  return answers[0]!;
}
const namesOf = (answer: SharedAnswer) =>
  answer.kind === 'files' ? answer.files.map(({ name }) => name) : 'gone';

describe('what another app shares', () => {
  it('comes to its own address alone', () => {
    const at = (path: string) => isShare(new URL(path, 'https://halfkey.test'));
    expect([at('/share'), at('/share?x=1'), at('/share/'), at('/')]).toEqual([true, true, false, false]);
  });

  it('is held for the page that opens, and given away once', async () => {
    const name = await share(form([new File(['a'], 'a.txt'), 'text', new File(['b'], 'b.txt')]));
    expect(namesOf(fetched(name))).toEqual(['a.txt', 'b.txt']);
    expect(fetched(name)).toEqual({ kind: 'gone' });
  });

  it('has an address that nobody guesses', async () => {
    const [one, two] = [await share(), await share()];
    expect(one).not.toBe(two);
    expect(one).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('is nothing where it is no form, and the page says so', async () => {
    const request = form([], { formData: () => Promise.reject(new TypeError('no form')) });
    expect(fetched(await share(request))).toEqual({ kind: 'files', files: [] });
  });

  it.each([{ mode: 'cors' }, { mode: 'no-cors' }, { destination: 'iframe' }, { destination: '' }])(
    'is refused from a script, or in a frame: %j',
    async (how) => {
      expect((await receiveShare(form([], how))).status).toBe(403);
    },
  );

  it('is let go of after three minutes', async () => {
    const [early, late] = [await share(), await share()];
    vi.advanceTimersByTime(3 * 60_000 - 1);
    expect(namesOf(fetched(early))).toEqual(['a.txt']);
    vi.advanceTimersByTime(1);
    expect(namesOf(fetched(late))).toBe('gone');
  });

  it('does not pile up: of more than four the oldest goes', async () => {
    const names = [];
    for (let number = 0; number < 5; number++) names.push(await share());
    expect(names.map((name) => namesOf(fetched(name)) !== 'gone')).toEqual([false, true, true, true, true]);
  });
});
