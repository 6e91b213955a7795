import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import * as account from '$contract/accounts.ts';
import { TAB_HEADER } from '$contract/route.ts';
import { AccountClient } from '../support/account-client.ts';
import { startTestBroker } from '../support/broker.ts';
import { setUpBroker } from '../support/set-up-broker.ts';

const { cloud, broker, clock, newClient } = setUpBroker();
const PASSPHRASE = 'correct horse battery';

/** A browser that another port of this host has given cookies of our names, for paths longer than ours and shorter. */
function litteredClient(litter: (ours: string) => readonly string[]): AccountClient {
  return new AccountClient((path, init) => {
    const headers = new Headers(init.headers);
    headers.set('cookie', litter(headers.get('cookie') ?? '').join('; '));
    return broker.app.request(path, { ...init, headers });
  }, clock);
}
/** More of each name than are looked at, and nothing about them says that they are not ours. */
const CROWD = ['halfkey', 'halfkey-state', 'halfkey-device'].flatMap((name) =>
  Array.from({ length: 40 }, (_, number) => `${name}=a.b.${String(number)}`),
);
const FOREIGN = ['halfkey=x', 'halfkey-state=a.b.c', 'halfkey-device=', 'halfkey=', 'halfkey="', 'halfkey=%'];

describe('cookies of our names that are somebody else’s', () => {
  it.each([
    ['before ours', (ours: string) => [...FOREIGN, ours]],
    ['behind ours', (ours: string) => [ours, ...FOREIGN]],
    ['around ours', (ours: string) => [...FOREIGN, ours, ...FOREIGN]],
    ['in a crowd before ours', (ours: string) => [...CROWD, ours]],
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
      const dpop = await client.prove('GET', '/api/session', live);
      const response = await broker.app.request('/api/session', { headers: { cookie, dpop } });
      expect(response.status).toBe(200);
    }
    const dpop = await client.prove('GET', '/api/session', ended);
    const headers = { cookie: `halfkey=${ended}`, dpop };
    const response = await broker.app.request('/api/session', { headers });
    expect(response.status).toBe(401);
  });

  it('are not looked at on https, where the name is ours alone', async () => {
    const own = await startTestBroker(cloud, clock, { settings: { origin: 'https://drive.example' } });
    const client = newClient();
    await client.signUp('prefixed');
    const token = client.cookies.get('halfkey') ?? '';
    client.headers = { origin: 'https://drive.example' };
    const dpop = await client.prove('GET', '/api/session', token);
    const statusWith = async (cookie: string) =>
      (await own.app.request('https://drive.example/api/session', { headers: { cookie, dpop } })).status;
    expect(await statusWith(`halfkey=${token}`)).toBe(401);
    expect(await statusWith(`halfkey=x; __Host-halfkey=${token}`)).toBe(200);
    own.app.close();
  });
});

describe('two tabs of one browser', () => {
  /** Each with a tab of its own, and one jar. */
  function tabsOf(browser: AccountClient, count: number): AccountClient[] {
    return Array.from({ length: count }, () => {
      const tab = newClient();
      Object.defineProperty(tab, 'cookies', { value: browser.cookies });
      tab.headers = { [TAB_HEADER]: randomUUID() };
      tab.sessionKey = browser.sessionKey;
      return tab;
    });
  }
  const twoTabs = () => tabsOf(newClient(), 2) as [AccountClient, AccountClient];

  it('that sign in as two people each go on with their own', async () => {
    const people = ['ann', 'bob'] as const;
    const tabs = twoTabs();
    for (const [index, name] of people.entries()) {
      const person = newClient();
      await person.signUp(`tabs-${name}`);
      tabs[index]?.knows(person);
    }
    const [ann, bob] = tabs;
    const [annsLogin, bobsLogin] = [
      await ann.startSignIn('tabs-ann', PASSPHRASE),
      await bob.startSignIn('tabs-bob', PASSPHRASE),
    ];
    const finish = async (tab: AccountClient, { reply, finish: last }: typeof annsLogin) => {
      if (!reply.ok) throw new Error(`expected a login to begin, got ${reply.code}`);
      const { finishLoginRequest } = last(reply.answer.loginResponse) ?? {};
      return tab.must(account.signinFinish, { finishLoginRequest });
    };
    expect((await finish(ann, annsLogin)).account).toBe(ann.account);
    expect((await finish(bob, bobsLogin)).account).toBe(bob.account);
    const enter = async (tab: AccountClient) =>
      tab.must(account.signinCode, { factor: await tab.nextCode(), device: tab.device });
    expect((await enter(ann)).account).toBe(ann.account);
    // Anyone who is signed in is the browser's, not the tab's.
    expect((await bob.must(account.sessionRead)).account).toBe(ann.account);
    expect((await enter(bob)).account).toBe(bob.account);
    expect((await ann.must(account.sessionRead)).account).toBe(bob.account);
    expect([...ann.cookies.keys()].sort()).toEqual(['halfkey', 'halfkey-device']);
  });

  it('that sign up as two people each go on with their own', async () => {
    const [ann, bob] = twoTabs();
    await ann.signUpUntilFirstCode('tabs-new-ann', PASSPHRASE);
    await bob.signUpUntilFirstCode('tabs-new-bob', PASSPHRASE);
    const [annsLast, bobsLast] = [await ann.completion(), await bob.completion()];
    expect((await ann.must(account.signupComplete, annsLast)).account).toBe(ann.account);
    expect((await bob.must(account.signupComplete, bobsLast)).account).toBe(bob.account);
  });

  it('do not end who is signed in by beginning again', async () => {
    const [ann, other] = twoTabs();
    await ann.signUp('tabs-begun');
    await other.provePassphrase('tabs-begun', PASSPHRASE);
    expect((await ann.must(account.sessionRead)).account).toBe(ann.account);
  });

  it('are two of four at most: what was begun before is forgotten, and all of it fits into a request', async () => {
    const person = newClient();
    await person.signUp('tabs-many');
    const browser = newClient();
    const tabs = tabsOf(browser, 8);
    for (const tab of tabs) {
      tab.knows(person);
      await tab.provePassphrase('tabs-many', PASSPHRASE);
    }
    const sizeBytes = [...browser.cookies].join('; ').length;
    expect(sizeBytes).toBeLessThan(8 * 1024);
    const last = async (tab: AccountClient | undefined) =>
      tab?.call(account.signinCode, { factor: await tab.nextCode(), device: tab.device });
    expect(await last(tabs[3])).toMatchObject({ code: 'session_missing' });
    expect(await last(tabs[4])).toMatchObject({ ok: true });
    expect(await last(tabs[7])).toMatchObject({ ok: true });
  });

  it.each([
    '',
    'x',
    '00000000-0000-4000-8000-000000000000x',
    '../../x',
    'ABCDEFAB-0000-4000-8000-000000000000',
  ])('are none where what names one is %j', async (named) => {
    const client = newClient();
    client.headers = { [TAB_HEADER]: named };
    await client.signUp(
      `tabs-unnamed-${String(named.length)}-${named.slice(0, 1)}`.replaceAll(/[^\w-]/g, '_'),
    );
    expect([...client.cookies.keys()].sort()).toEqual(['halfkey', 'halfkey-device']);
  });

  it('have cookies of the host alone on https, too', async () => {
    const own = await startTestBroker(cloud, clock, { settings: { origin: 'https://drive.example' } });
    const client = new AccountClient((path, init) => own.app.request(path, init), clock);
    const tab = randomUUID();
    client.headers = { origin: 'https://drive.example', [TAB_HEADER]: tab };
    await client.signUpUntilFirstCode('tabs-https', PASSPHRASE);
    expect([...client.cookies.keys()]).toEqual([`__Host-halfkey-stage-${tab}`]);
    own.app.close();
  });
});
