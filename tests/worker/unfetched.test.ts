import { describe, expect, test } from 'vitest';
import { inLongForm } from '../support/long-form.ts';
import { setUpWorlds } from './people.ts';

const worlds = setUpWorlds();

describe('a script of the app that cannot be fetched', () => {
  test('is what keeps the app from starting, and no fault of the browser', async () => {
    const device = await worlds.newDevice();
    await device.context.route('**/crypto.worker-*', (route) => route.abort());
    await device.reload();
    expect(await device.refused('boot', {})).toBe('app_unreachable');
    // Anyone who asks later hears it too.
    expect(await device.refused('passphrase/generate', {})).toBe('app_unreachable');
  });

  inLongForm(test)('is why a sign-in does not begin', async () => {
    const device = await worlds.newDevice();
    await device.context.route('**/*.js', (route) => route.abort());
    const args = { userName: 'ada', passphrase: 'quiet harbour lantern seven' };
    expect(await device.refused('sign-in/start', args)).toBe('app_unreachable');
    expect(await device.refused('passphrase/judge', args)).toBe('app_unreachable');
    expect(await device.refused('passphrase/generate', {})).toBe('app_unreachable');
  });
});

inLongForm(test)('a worker’s script that does not run is what the browser cannot do', async () => {
  const device = await worlds.newDevice();
  await device.context.route('**/crypto.worker-*', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: 'theBrowserDoesNotKnowThis();' });
  });
  await device.reload();
  expect(await device.refused('boot', {})).toBe('browser_lacks');
  await expect.poll(() => device.faults.splice(0)).toHaveLength(1);
});

test('an error that nobody caught in a worker that runs fails no command', async () => {
  const device = await worlds.newDevice();
  let letThrough = () => undefined as void;
  const held = new Promise<void>((resolve) => (letThrough = resolve));
  await device.context.route('**/api/**', async (route) => {
    await held;
    await route.abort();
  });
  const args = { userName: 'ada', passphrase: 'quiet harbour lantern seven' };
  const answer = device.refused('sign-in/start', args);
  await device.page.workers()[0]?.evaluate(() => {
    setTimeout(() => {
      throw new Error('as the test wants it');
    });
  });
  await expect.poll(() => device.faults.splice(0)).toEqual(['as the test wants it']);
  letThrough();
  expect(await answer).toBe('broker_unreachable');
});
