import { expect, test } from 'vitest';
import { inLongForm } from '../support/long-form.ts';
import type { Device } from './device.ts';
import { passOn } from './pass-on.ts';
import { setUpWorlds, type Person } from './people.ts';

// Another authenticator, asked for without a code. What comes after its wait: tests/e2e/factor-reset.spec.ts.
const WAIT_SECONDS = 72 * 60 * 60;
const worlds = setUpWorlds();

/** Somebody at home on one device, who has shown the passphrase on another. */
async function halfway(): Promise<{ home: Device; away: Device; person: Person }> {
  const home = await worlds.newDevice();
  const person = await worlds.signUp(home);
  const away = await worlds.newDevice();
  const { userName, passphrase } = person;
  await away.send('sign-in/start', { userName, passphrase });
  return { home, away, person };
}

/** Paths of the broker that a device asks from now on. */
function asked({ page }: Device): string[] {
  const paths: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith('/api/')) paths.push(pathname);
  });
  return paths;
}

/** When it was asked for, as a device hears that starts now. */
async function toldAtMs(device: Device): Promise<number | undefined> {
  let askedAtMs: number | undefined;
  await device.reload();
  await device.send('boot', {});
  await device.until('factor-reset', ({ pending }) => {
    askedAtMs = pending?.askedAtMs;
    return askedAtMs !== undefined;
  });
  return askedAtMs;
}

inLongForm(test)('wants the passphrase first, and the words before anything is sent', async () => {
  const { home, away, person } = await halfway();
  const stranger = await worlds.newDevice();
  expect(await stranger.refused('sign-in/reset-factor', { words: person.words })).toBe('session_missing');
  const paths = asked(away);
  const words = person.words.split(' ').reverse().join(' ');
  for (const wrong of ['', 'abandon', words]) {
    expect(await away.refused('sign-in/reset-factor', { words: wrong })).toBe('recovery_words_malformed');
  }
  expect(paths).toEqual([]);
  const other = await worlds.signUp(stranger);
  expect(await away.refused('sign-in/reset-factor', { words: other.words })).toBe('recovery_refused');
  await home.send('factor-reset/stop', {}); // Nothing to stop is no fault.
});

test('is told on every device, at its start, and stopped by any of them', async () => {
  const { home, away, person } = await halfway();
  expect(await away.send('sign-in/reset-factor', { words: person.words })).toEqual({
    waitSeconds: WAIT_SECONDS,
  });
  // The authenticator that is there after all is as good as before, and its owner hears of it at once.
  await away.send('sign-in/code', { factor: person.factor() });
  await away.untilPhase('open');
  await away.until('factor-reset', ({ pending }) => pending !== undefined);

  await toldAtMs(home);
  await home.send('factor-reset/stop', {});
  await home.until('factor-reset', ({ pending }) => pending === undefined);

  await away.reload();
  await away.send('boot', {});
  await away.until('factor-reset', ({ pending }) => pending === undefined);
});

inLongForm(test)('is not told any more once there are other recovery words', async () => {
  const { home, away, person } = await halfway();
  await away.send('sign-in/reset-factor', { words: person.words });
  await toldAtMs(home);
  await home.send('credentials/prove', { passphrase: person.passphrase, factor: person.factor() });
  await home.send('credentials/kit', {});
  await home.send('credentials/accept', {});
  await home.until('factor-reset', ({ pending }) => pending === undefined);
});

test('begins one wait, though the answer was lost', async () => {
  const { home, away, person } = await halfway();
  await away.context.route(
    '**/api/factor-reset/ask',
    async (route) => {
      expect((await passOn(route, worlds.stack.origin)).ok()).toBe(true);
      await route.abort();
    },
    { times: 1 },
  );
  const { words } = person;
  expect(await away.refused('sign-in/reset-factor', { words })).toBe('broker_unreachable');
  const askedAtMs = await toldAtMs(home);
  expect(await away.send('sign-in/reset-factor', { words })).toHaveProperty('waitSeconds');
  expect(await toldAtMs(home)).toBe(askedAtMs);
});
