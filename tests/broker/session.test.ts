import { describe, expect, it } from 'vitest';
import * as account from '$contract/accounts.ts';
import { AccountClient } from '../support/account-client.ts';
import { startTestBroker } from '../support/broker.ts';
import { setUpBroker } from '../support/set-up-broker.ts';

const { cloud, clock, newClient } = setUpBroker();

async function signedIn(userName: string): Promise<AccountClient> {
  const client = newClient();
  await client.signUp(userName);
  return client;
}

describe('a token', () => {
  it('is over after 30 days, and one of a stage before after ten minutes', async () => {
    const client = await signedIn('expiry');
    clock.advance(30 * 24 * 3600 - 1);
    expect(await client.call(account.sessionRead)).toMatchObject({ ok: true });
    clock.advance(1);
    expect(await client.call(account.sessionRead)).toMatchObject({ code: 'session_missing' });
    const proven = newClient().knows(client);
    await proven.provePassphrase('expiry');
    clock.advance(600);
    const factor = await proven.nextCode();
    expect(await proven.call(account.signinCode, { factor, device: proven.device })).toMatchObject({
      code: 'session_missing',
    });
  });

  it('ends everywhere at once when one signs out, and other sessions go on', async () => {
    const first = await signedIn('sign-out');
    const second = newClient().knows(first);
    await second.signIn('sign-out');
    const stolen = first.fork();
    await first.must(account.sessionEnd);
    expect(first.cookies.has('halfkey')).toBe(false);
    const elsewhere = await startTestBroker(cloud, clock);
    stolen.send = (path, init) => elsewhere.app.request(path, init);
    expect(await stolen.call(account.sessionRead)).toMatchObject({ code: 'session_missing' });
    expect(await second.call(account.sessionRead)).toMatchObject({ ok: true });
    elsewhere.app.close();
  });
});

describe('cookies', () => {
  it.each([
    {
      origin: 'http://localhost:8787',
      name: 'halfkey',
      attributes: ['Path=/', 'HttpOnly', 'SameSite=Strict'],
    },
    {
      origin: 'https://drive.example',
      name: '__Host-halfkey',
      attributes: ['Path=/', 'HttpOnly', 'Secure', 'SameSite=Strict'],
    },
  ])('on $origin are $name', async ({ origin, name, attributes }) => {
    const own = await startTestBroker(cloud, clock, { settings: { origin } });
    const set: string[] = [];
    const client = new AccountClient(async (path, init) => {
      const response = await own.app.request(path, init);
      set.push(...response.headers.getSetCookie());
      return response;
    }, clock);
    client.headers = { origin };
    await client.signUp(`cookies-${new URL(origin).hostname}`);
    const cookie = set.filter((line) => line.startsWith(`${name}=`)).at(-1) ?? '';
    const [, ...parts] = cookie.split('; ');
    expect(new Set(parts)).toEqual(new Set([...attributes, 'Max-Age=2592000']));
    expect(set.every((line) => line.startsWith(name.slice(0, 7)))).toBe(true);
    own.app.close();
  });
});
