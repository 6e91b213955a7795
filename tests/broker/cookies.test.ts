import { describe, expect, it } from 'vitest';
import * as account from '$contract/account.ts';
import { AccountClient } from '../support/account-client.ts';
import { startTestBroker } from '../support/broker.ts';
import { setUpBroker } from '../support/set-up-broker.ts';

const { cloud, broker, clock, newClient } = setUpBroker();

/** A browser that another port of this host has given cookies of our names, for paths longer than ours and shorter. */
function litteredClient(litter: (ours: string) => readonly string[]): AccountClient {
  return new AccountClient((path, init) => {
    const headers = new Headers(init.headers);
    headers.set('cookie', litter(headers.get('cookie') ?? '').join('; '));
    return broker.app.request(path, { ...init, headers });
  }, clock);
}
const FOREIGN = ['halfkey=x', 'halfkey-state=a.b.c', 'halfkey-device=', 'halfkey=', 'halfkey="', 'halfkey=%'];

describe('cookies of our names that are somebody else’s', () => {
  it.each([
    ['before ours', (ours: string) => [...FOREIGN, ours]],
    ['behind ours', (ours: string) => [ours, ...FOREIGN]],
    ['around ours', (ours: string) => [...FOREIGN, ours, ...FOREIGN]],
  ])('%s keep nobody from signing up, signing in and staying so', async (where, litter) => {
    const client = litteredClient(litter);
    const name = `littered-${where.replaceAll(' ', '-')}`;
    await client.signUp(name);
    expect(await client.call(account.sessionRead)).toMatchObject({ ok: true });
    await client.must(account.sessionEnd);
    await client.signIn(name);
    expect(await client.call(account.sessionRead)).toMatchObject({ ok: true });
  });

  it('are none that anybody is signed in by', async () => {
    const client = litteredClient(() => FOREIGN);
    expect(await client.call(account.sessionRead)).toMatchObject({ status: 401, code: 'session_missing' });
  });

  it('may be a session that has ended, beside the one that lives', async () => {
    const client = newClient();
    await client.signUp('two-sessions');
    const ended = client.cookies.get('halfkey') ?? '';
    await client.must(account.sessionEnd);
    await client.signIn('two-sessions');
    const live = client.cookies.get('halfkey') ?? '';
    for (const cookie of [`halfkey=${ended}; halfkey=${live}`, `halfkey=${live}; halfkey=${ended}`]) {
      const response = await broker.app.request('/api/session', { headers: { cookie } });
      expect(response.status).toBe(200);
    }
    const response = await broker.app.request('/api/session', { headers: { cookie: `halfkey=${ended}` } });
    expect(response.status).toBe(401);
  });

  it('are not looked at on https, where the name is ours alone', async () => {
    const own = await startTestBroker(cloud, clock, { settings: { origin: 'https://drive.example' } });
    const client = newClient();
    await client.signUp('prefixed');
    const token = client.cookies.get('halfkey') ?? '';
    const statusWith = async (cookie: string) =>
      (await own.app.request('https://drive.example/api/session', { headers: { cookie } })).status;
    expect(await statusWith(`halfkey=${token}`)).toBe(401);
    expect(await statusWith(`halfkey=x; __Host-halfkey=${token}`)).toBe(200);
    own.app.close();
  });
});
