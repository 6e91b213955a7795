import { describe, expect, test } from 'vitest';
import { inLongForm } from '../support/long-form.ts';
import type { Device } from './device.ts';
import { passOn } from './pass-on.ts';
import { setUpWorlds } from './people.ts';

// The real broker, some of whose answers are changed on their way.
const worlds = setUpWorlds();

/** Changes the broker's JSON answers of one path. */
async function change(
  device: Device,
  path: string,
  alter: (answer: Record<string, unknown>) => Record<string, unknown>,
): Promise<void> {
  await device.context.route(`**${path}`, async (route) => {
    const response = await passOn(route, worlds.stack.origin);
    const answer = (await response.json()) as Record<string, unknown>;
    await route.fulfill({ response, json: alter(answer) });
  });
}

async function sent(device: Device, run: () => Promise<void>): Promise<string[]> {
  const paths: string[] = [];
  device.page.on('request', (request) => paths.push(new URL(request.url()).pathname));
  await run();
  return paths;
}
describe('a broker that says there is no vault', () => {
  test.each([
    ['no membership', '/api/session', () => ({ vaults: [] })],
    [
      'another vault',
      '/api/session',
      () => ({
        vaults: [
          {
            vault: 'us-east-1:00000000-0000-4000-8000-000000000000',
            role: 'owner',
            head: { seq: 0, hash: 'A'.repeat(43) },
          },
        ],
      }),
    ],
  ])('is not believed at a start: %s', async (_name, path, altered) => {
    const device = await worlds.newDevice();
    await worlds.signUp(device);
    await device.upload('one.txt', 'content');
    await change(device, path, (answer) => ({ ...answer, ...altered() }));
    await device.reload();
    const paths = await sent(device, async () => {
      expect(await device.send('boot', {})).toEqual({ phase: 'locked' });
      await device.untilAlarm('vault_missing');
    });
    expect(await device.names()).toEqual(['one.txt']);
    expect(paths.filter((each) => each.includes('signup') || each.endsWith('/log'))).toEqual([]);
  });

  test('is not believed when it has lost the journal', async () => {
    const device = await worlds.newDevice();
    await worlds.signUp(device);
    await device.upload('one.txt', 'content');
    await device.context.route('**/log?*', (route) =>
      route.fulfill({
        status: 404,
        contentType: 'application/problem+json',
        body: JSON.stringify({ type: 'about:blank', title: 'no such thing', status: 404, code: 'not_found' }),
      }),
    );
    await device.reload();
    await device.send('boot', {});
    await device.untilAlarm('vault_missing');
    expect(await device.names()).toEqual(['one.txt']);
  });

  inLongForm(test)('lets nobody in at a sign-in', async () => {
    const { userName, passphrase, factor } = await worlds.signUp(await worlds.newDevice());
    const device = await worlds.newDevice();
    await change(device, '/api/signin/code', (answer) => ({ ...answer, vaults: [] }));
    await device.send('sign-in/start', { userName, passphrase });
    expect(await device.refused('sign-in/code', { factor: factor() })).toBe('vault_missing');
    await device.untilPhase('signed-out');
  });
});

describe('a broker that hands out other keys', () => {
  test('is refused: the keyring of another account', async () => {
    const [mine, theirs] = [
      await worlds.signUp(await worlds.newDevice()),
      await worlds.signUp(await worlds.newDevice()),
    ];
    const thief = await worlds.newDevice();
    let foreign: unknown;
    await change(thief, '/api/signin/code', (answer) => {
      foreign = answer['keyring'];
      return answer;
    });
    await worlds.signIn(thief, theirs);

    const device = await worlds.newDevice();
    await change(device, '/api/signin/code', (answer) => ({ ...answer, keyring: foreign }));
    const { userName, passphrase, factor } = mine;
    await device.send('sign-in/start', { userName, passphrase });
    expect(await device.refused('sign-in/code', { factor: factor() })).toBe('keyring_corrupt');
  });
});
inLongForm(test)(
  'a grant that the broker calls longer than it can be still ends, and one that ends locks',
  async () => {
    const device = await worlds.newDevice();
    const { factor } = await worlds.signUp(device);
    await device.upload('one.txt', 'content');
    const file = await device.file('one.txt');
    let leftMs = 3_600_000;
    await change(device, '/api/grants', (answer) => ({ ...answer, expiresAtMs: Date.now() + leftMs }));
    await device.send('unlock', { factor: factor() });
    await device.until('phase', ({ phase }) => {
      return phase.phase === 'open' && phase.expiresAtMs <= Date.now() + 300_000;
    });
    leftMs = 1_500;
    await device.send('unlock', { factor: factor() });
    await device.untilPhase('locked');
    expect(await device.refused('file/preview', { file })).toBe('locked');
  },
);

describe('a broker that changes its event log', () => {
  test.each([
    [
      'shorter',
      'rollback',
      (answer: Record<string, unknown>) => ({
        ...answer,
        events: [],
        head: { seq: 0, hash: 'A'.repeat(43) },
      }),
    ],
    ['empty', 'rollback', () => ({ events: [] })],
    [
      'another',
      'fork',
      (answer: Record<string, unknown>) => ({
        ...answer,
        events: (answer['events'] as { atMs: number }[]).map((event) => ({
          ...event,
          atMs: event.atMs + 1,
        })),
      }),
    ],
  ])('is found out: %s', async (_name, code, alter) => {
    const device = await worlds.newDevice();
    await worlds.signUp(device);
    await device.reload();
    // The head was seen and kept once the journal is being listened to.
    const listening = device.page.waitForRequest(/\/events$/);
    await device.send('boot', {});
    await listening;
    await change(device, '/api/events?*', alter);
    await device.reload();
    await device.send('boot', {});
    await device.untilAlarm(code);
  });
});
