import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Hono } from 'hono';
import { afterAll, describe, expect, it } from 'vitest';
import * as account from '$contract/accounts.ts';
import { LIMITS } from '$contract/limits.ts';
import type { Route } from '$contract/route.ts';
import { uploadComplete } from '$contract/vault-blobs.ts';
import { VAULT_EVENTS_PATH } from '$contract/vault-events.ts';
import { addressBehind, createAddressLimit, networkOf, siteOf } from '../../broker/routes/address-limit.ts';
import { createAppFiles } from '../../broker/routes/app-files.ts';
import type { FrameEnv } from '../../broker/routes/frame.ts';
import { contentSecurityPolicy, securityHeaders } from '../../broker/routes/security-headers.ts';
import { AccountClient } from '../support/account-client.ts';
import { CONTRACT_ROUTES } from '../support/contract-routes.ts';
import { ORIGIN, startTestBroker, startTestCloud, TestClock } from '../support/broker.ts';
import { setUpBroker } from '../support/set-up-broker.ts';

const APP_HTML = `<!doctype html><head>
<meta http-equiv="content-security-policy" content="script-src 'self' 'sha256-abc='; base-uri 'none'"></head>`;

let folder: string;
const { cloud, broker, clock, newClient } = setUpBroker(async () => {
  folder = await mkdtemp(join(tmpdir(), 'halfkey-build-'));
  await mkdir(join(folder, '_app', 'immutable'), { recursive: true });
  await writeFile(join(folder, 'app.html'), APP_HTML);
  await writeFile(join(folder, '_app', 'immutable', 'a.js'), 'export {}');
  await writeFile(join(folder, 'service-worker.js'), '//');
  await writeFile(join(folder, 'manifest.webmanifest'), '{}');
  return { settings: { files: { folder, appHtml: APP_HTML } } };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const get = (path: string, headers: Record<string, string> = {}) =>
  broker.app.request(`${ORIGIN}${path}`, { headers });
const NAVIGATION = { 'sec-fetch-mode': 'navigate', accept: 'text/html' };

describe('headers', () => {
  it('of isolation and policy stand on every answer: page, script, worker, API, error', async () => {
    for (const path of [
      '/',
      '/_app/immutable/a.js',
      '/service-worker.js',
      '/api/session',
      '/nothing',
      '/healthz',
    ]) {
      const { headers } = await get(path);
      expect(Object.fromEntries(headers), path).toMatchObject({
        'content-security-policy': `script-src 'self' 'sha256-abc='; base-uri 'none'; default-src 'none'; connect-src 'self' ${cloud.cloud.endpoint}; frame-ancestors 'none'`,
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
        'cross-origin-resource-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
      });
      expect(headers.get('permissions-policy')).toContain('geolocation=()');
      expect(headers.has('strict-transport-security')).toBe(false);
      expect(headers.has('access-control-allow-origin')).toBe(false);
    }
  });

  it('ask for https from then on where the origin is https', async () => {
    const own = await startTestBroker(cloud, clock, { settings: { origin: 'https://drive.example' } });
    const { headers } = await own.app.request('https://drive.example/healthz');
    expect(headers.get('strict-transport-security')).toBe('max-age=63072000; includeSubDomains');
    own.app.close();
  });

  it('without a built page let nothing load', () => {
    expect(contentSecurityPolicy(undefined, { origin: ORIGIN, s3Origin: 'http://s3' })).toBe(
      "default-src 'none'; connect-src 'self' http://s3; frame-ancestors 'none'",
    );
    const encoded = '<meta http-equiv="content-security-policy" content="script-src &#39;self&#39;">';
    expect(contentSecurityPolicy(encoded, { origin: ORIGIN, s3Origin: 'http://s3' })).toMatch(
      /^script-src 'self'; /,
    );
  });
});

describe('the app’s files', () => {
  it.each([
    ['/', 'no-cache', 'text/html'],
    ['/files/deep/link', 'no-cache', 'text/html'],
    ['/_app/immutable/a.js', 'public, max-age=31536000, immutable', 'text/javascript'],
    ['/service-worker.js', 'no-cache', 'text/javascript'],
    ['/manifest.webmanifest', 'no-cache', 'application/manifest+json'],
  ])('%s is kept as %s', async (path, cacheControl, type) => {
    const response = await get(path, NAVIGATION);
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe(cacheControl);
    expect(response.headers.get('content-type')).toContain(type);
  });

  it.each([
    ['a range of it', { range: 'bytes=0-3' }, 206, 'public, max-age=31536000, immutable'],
    ['a range behind its end', { range: 'bytes=9999-' }, 416, 'no-store'],
    ['its last no bytes', { range: 'bytes=-0' }, 416, 'no-store'],
  ])('%s is kept only where it was answered', async (_what, headers, status, cacheControl) => {
    for (const method of ['GET', 'HEAD']) {
      const response = await broker.app.request(`${ORIGIN}/_app/immutable/a.js`, { method, headers });
      // Of a HEAD no range is looked at.
      const isWhole = method === 'HEAD';
      expect([response.status, response.headers.get('cache-control')]).toEqual(
        isWhole ? [200, 'public, max-age=31536000, immutable'] : [status, cacheControl],
      );
    }
  });

  it.each([
    ['GET', '/_app/immutable/missing.js', 404],
    ['POST', '/_app/immutable/a.js', 404],
    ['DELETE', '/', 404],
    ['PUT', '/service-worker.js', 404],
    ['GET', '/_app/immutable/..%2fa.js', 404],
    ['GET', '/api/nothing', 404],
    ['GET', '/api/session', 401],
    ['HEAD', '/api/session', 401],
    ['OPTIONS', '/api/session', 404],
  ])('an answer to %s %s, which is an error, is kept by nobody', async (method, path, status) => {
    const response = await broker.app.request(`${ORIGIN}${path}`, { method });
    expect([response.status, response.headers.get('cache-control')]).toEqual([status, 'no-store']);
  });

  it('that cannot be read after all are kept by nobody as what came instead', async () => {
    const app = new Hono<FrameEnv>();
    app.use(securityHeaders("default-src 'none'", { origin: ORIGIN, s3Origin: 'http://s3' }));
    app.onError(() => new Response('', { status: 500 }));
    createAppFiles(app, folder, APP_HTML);
    app.use('/_app/immutable/*', (context) => {
      context.set('route', 'asset');
      throw new Error('the disk is gone');
    });
    const response = await app.request(`${ORIGIN}/_app/immutable/missing.js`);
    expect([response.status, response.headers.get('cache-control')]).toEqual([500, 'no-store']);
  });

  it.each(['/_app/immutable/missing.js', '/api/nothing', '/api', '/api/'])(
    '%s is never a page',
    async (path) => {
      const response = await get(path, NAVIGATION);
      expect(response.status).toBe(404);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
    },
  );

  it.each(['/../package.json', '/%2e%2e/package.json', '/..%2fpackage.json', '/_app/..%5c..%5cx', '/%00'])(
    '%s leads out of the folder to nothing',
    async (path) => {
      const response = await broker.app.request(new Request(`${ORIGIN}${path}`));
      expect(response.status).toBe(404);
    },
  );

  it('asked for at 127.0.0.1 are sent on to localhost, with path and query', async () => {
    const response = await broker.app.request('http://127.0.0.1:8787/s/x?y=z');
    expect(response.status).toBe(308);
    expect(response.headers.get('location')).toBe(`${ORIGIN}/s/x?y=z`);
    expect((await broker.app.request('http://127.0.0.1:8787/healthz')).status).toBe(200);
  });
});

describe('probes', () => {
  it('tell a broker that answers from one that can work', async () => {
    expect(await (await get('/healthz')).json()).toEqual({ status: 'ok' });
    expect(await (await get('/version')).json()).toEqual({ name: 'halfkey', version: '0.0.0' });
    const ready = await startTestBroker(cloud, clock, { ports: { clock: Date.now } });
    const report = await ready.app.request('/readyz');
    expect([report.status, await report.json()]).toEqual([
      200,
      { status: 'ok', s3: 'ok', kms: 'ok', clock: 'ok' },
    ]);
    ready.app.close();

    const late = new TestClock();
    late.advance(-60);
    const off = await startTestBroker(cloud, late);
    const drifted = await off.app.request('/readyz');
    expect([drifted.status, await drifted.json()]).toEqual([
      503,
      { status: 'not ready', s3: 'ok', kms: 'ok', clock: 'off' },
    ]);
    off.app.close();
  });

  it('say what does not answer', async () => {
    const own = await startTestCloud();
    const dying = await startTestBroker(own, clock);
    await own.stop();
    const response = await dying.app.request('/readyz');
    expect([response.status, await response.json()]).toEqual([
      503,
      { status: 'not ready', s3: 'unreachable', kms: 'unreachable', clock: 'unknown' },
    ]);
    dying.app.close();
    await own.end();
  });
});

describe('a HEAD', () => {
  const GETS = CONTRACT_ROUTES.filter(({ method }) => method === 'GET').map(({ path }) => path);
  const QUERIES: Record<string, string> = {
    '/inbox': '?after=',
    '/events': '?from=0',
    '/log': '?from=0',
    '/head': '?known=9',
  };

  it.each([...GETS, VAULT_EVENTS_PATH, '/healthz', '/version', '/', '/service-worker.js', '/nothing'])(
    'of %s is answered as a GET, without the body, and leaves nothing running',
    async (path) => {
      const client = newClient();
      await client.signUp(`head-${path.replaceAll(/\W/g, '')}`);
      const query = QUERIES[path.slice(path.lastIndexOf('/'))] ?? '';
      const url = path.replace(':vault', encodeURIComponent(client.vault)) + query;
      // The one stream counts who reads it: were it begun by a HEAD, the last of these would be one too many.
      for (let count = 0; count < 17; count += 1) {
        const response = await client.raw('HEAD', url);
        expect(await response.text()).toBe('');
        expect(response.status).toBe(path === '/nothing' ? 404 : 200);
      }
      const [head, get] = [await client.raw('HEAD', url), await client.raw('GET', url)];
      await get.body?.cancel();
      expect(get.status).toBe(head.status);
      expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'));
      expect(head.headers.get('cache-control')).toBe(get.headers.get('cache-control'));
    },
  );
});

const POSTS = CONTRACT_ROUTES.filter(({ method }) => method === 'POST');

describe('a request from another site', () => {
  it.each([
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost:8788' },
    { origin: `${ORIGIN}.evil.example` },
    { origin: '' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': '' },
  ])('with %j is refused at each route that changes something', async (headers) => {
    const path = (route: Route) => route.path.replace(':vault', 'x');
    for (const route of POSTS) {
      const response = await newClient().raw('POST', path(route), '{}', headers);
      expect([route.path, response.status, (await response.json()) as unknown]).toMatchObject([
        route.path,
        403,
        { code: 'origin_refused' },
      ]);
    }
  });
});

describe('a body', () => {
  const send = async (path: string, body: string, type = 'application/json') => {
    const response = await newClient().raw('POST', path, body, { 'content-type': type });
    return [response.status, ((await response.json()) as { code: string }).code];
  };

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-16',
    '',
  ])('of type %j is not read', async (type) => {
    expect(await send('/api/recovery/start', '{}', type)).toEqual([400, 'input_malformed']);
  });

  it.each([
    '',
    '{',
    'null',
    '[]',
    '"x"',
    '{"recoveryPublicKey":1}',
    '{"__proto__":{"recoveryPublicKey":"x"}}',
  ])('%j is malformed', async (body) => {
    expect(await send('/api/recovery/start', body)).toEqual([400, 'input_malformed']);
  });

  it('has a limit, of bytes and not of what it says of itself', async () => {
    const body = (sizeBytes: number) => `{"recoveryPublicKey":"${'A'.repeat(sizeBytes - 24)}"}`;
    expect(await send('/api/recovery/start', body(LIMITS.maxBodyBytes))).toEqual([400, 'input_malformed']);
    expect(await send('/api/recovery/start', body(LIMITS.maxBodyBytes + 1))).toEqual([
      413,
      'input_too_large',
    ]);
    expect(await send('/api/signup/complete', body(LIMITS.maxBodyBytes + 1))).toEqual([
      400,
      'input_malformed',
    ]);
    expect(await send('/api/signup/complete', body(LIMITS.maxBulkBodyBytes + 1))).toEqual([
      413,
      'input_too_large',
    ]);
  });

  it('that is malformed is told by the name of its first bad field, not by what stood in it', async () => {
    const good = { userName: 'ann', startLoginRequest: 'AAAA' };
    for (const [field, bad] of Object.entries({ userName: 'a b', startLoginRequest: '!', more: 1 })) {
      const reply = await newClient().call(account.signinStart, { ...good, [field]: bad });
      expect(reply).toMatchObject({ problem: { code: 'input_malformed', fields: [field] } });
      expect(JSON.stringify(reply)).not.toContain('a b');
    }
  });

  it('is looked at as far as its first fault only, however many there are', async () => {
    const list = '{},'.repeat(LIMITS.maxBulkBodyBytes / 3 - 100);
    const client = newClient();
    await client.signUp('first-fault');
    const response = await client.raw(
      'POST',
      uploadComplete.path.replace(':vault', 'x'),
      `{"blob":"${'A'.repeat(22)}","uploadId":"x","sizeBytes":1,"parts":[${list}{}]}`,
    );
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ fields: ['parts.0.partNumber'] });
  });
});

describe('many requests from one address', () => {
  it('are a stranger’s without a token, or with one that has ended, and their bodies are not read', async () => {
    const own = await startTestBroker(cloud, clock, { settings: { ratePerMinute: 10 } });
    const from = (
      address: string,
      client = new AccountClient((path, init) => own.app.request(path, init), clock),
    ) => {
      client.headers = { 'x-test-address': address };
      return client;
    };
    const codesOf = async (ask: () => Promise<{ code: string | undefined }>) => {
      const codes: (string | undefined)[] = [];
      for (let count = 0; count < 12; count += 1) codes.push((await ask()).code);
      return codes;
    };
    const tenThenNone = [
      ...Array.from({ length: 10 }, () => 'session_missing'),
      'too_many_requests',
      'too_many_requests',
    ];
    // Of a body that is read and malformed it would be said so.
    expect(
      await codesOf(() => from('198.51.100.20').call(uploadComplete, { parts: 'none' }, { vault: 'x' })),
    ).toEqual(tenThenNone);
    const ended = from('198.51.100.21');
    await ended.signUp('ended-rates');
    const copy = from('198.51.100.22', ended.fork());
    await ended.must(account.sessionEnd);
    expect(await codesOf(() => copy.call(account.sessionRead))).toEqual(tenThenNone);
    own.app.close();
  });

  it('are slowed down where nobody is signed in, and only there', async () => {
    const own = await startTestBroker(cloud, clock, { settings: { ratePerMinute: 10 } });
    const client = new AccountClient((path, init) => own.app.request(path, init), clock);
    await client.signUp('rates');
    const stranger = (address: string) => {
      const one = new AccountClient((path, init) => own.app.request(path, init), clock);
      one.headers = { 'x-test-address': address };
      return one.call(account.recoveryStart, { recoveryPublicKey: 'A'.repeat(43) });
    };
    const replies = [];
    for (let sent = 0; sent < 12; sent += 1) replies.push((await stranger('198.51.100.7')).code);
    expect(replies).toEqual([
      ...Array.from({ length: 10 }, () => undefined),
      'too_many_requests',
      'too_many_requests',
    ]);
    expect(await stranger('198.51.100.8')).toMatchObject({ ok: true });
    client.headers = { 'x-test-address': '198.51.100.7' };
    expect(await client.call(account.sessionRead)).toMatchObject({ ok: true });
    clock.advance(6);
    expect(await stranger('198.51.100.7')).toMatchObject({ ok: true });
    own.app.close();
  });

  it.each([
    [0, '198.51.100.1', '10.0.0.1'],
    [1, undefined, '10.0.0.1'],
    [1, '', '10.0.0.1'],
    [1, '198.51.100.1', '198.51.100.1'],
    [1, '203.0.113.9, 198.51.100.1', '198.51.100.1'],
    [2, '203.0.113.9, 198.51.100.1, 10.0.0.2', '198.51.100.1'],
    [2, '198.51.100.1', '10.0.0.1'],
    [1, '198.51.100.1:49152', '198.51.100.1'],
    [1, '203.0.113.9, 198.51.100.1:1', '198.51.100.1'],
    [1, '[2001:db8::1]:49152', '2001:db8::1'],
    [1, '[2001:db8::1]', '2001:db8::1'],
    [1, '2001:db8::1', '2001:db8::1'],
    [1, 'fe80::1%eth0', 'fe80::1'],
    [1, '[fe80::1%eth0]:80', 'fe80::1'],
    [1, '::ffff:198.51.100.1', '::ffff:198.51.100.1'],
    [1, 'unknown', '10.0.0.1'],
    [1, '_hidden', '10.0.0.1'],
    [1, '198.51.100.1:', '10.0.0.1'],
    [1, '198.51.100.1:x', '10.0.0.1'],
    [1, '198.51.100.1.5:80', '10.0.0.1'],
    [1, '[2001:db8::1', '10.0.0.1'],
    [1, '[]:80', '10.0.0.1'],
  ])('are told apart behind %i proxies that say %j', (proxies, header, address) => {
    expect(addressBehind(proxies, header, '10.0.0.1')).toBe(address);
  });

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['0000:0000:0000:0000:0000:ffff:c000:0201', '192.0.2.1'],
    ['192.0.2.1:49152', '192.0.2.1'],
    ['[2001:db8:1:2::9]:443', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::192.0.2.1', '2001:db8:1:2::/64'],
    ['1::', '1:0:0:0::/64'],
  ])('%s counts as %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it.each([
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['2001:0DB8:0001:ffff::', '2001:db8:1::/48'],
    ['2001:db8::1', '2001:db8:0::/48'],
    ['[2001:db8:1::1]:443', '2001:db8:1::/48'],
    ['192.0.2.1', undefined],
    ['::ffff:192.0.2.1', undefined],
    ['unknown', undefined],
  ])('%s lies in the site %s', (address, site) => {
    expect(siteOf(address)).toBe(site);
  });

  it('are forgotten by the address that was quiet for longest, once there are too many', () => {
    const limit = createAddressLimit(2, clock.read);
    const host = (number: number): string => `10.0.${String(number >> 8)}.${String(number & 255)}`;
    for (let number = 0; number < 20_000; number += 1) limit(host(number));
    limit(host(0));
    limit('192.0.2.1'); // One too many: the second is the quietest now.
    expect(() => {
      limit(host(0));
    }).toThrow(expect.objectContaining({ code: 'too_many_requests' }));
    limit(host(1));
    limit(host(1));
  });

  it('are counted by the /64, and ten times as many by the /48 that it lies in', () => {
    const limit = createAddressLimit(6, clock.read);
    const sent = (address: string, times: number): number => {
      let passed = 0;
      for (let time = 0; time < times; time += 1) {
        try {
          limit(address);
          passed += 1;
        } catch (error) {
          expect(error).toMatchObject({ code: 'too_many_requests' });
        }
      }
      return passed;
    };
    expect(sent('2001:db8:7:0::1', 20)).toBe(6);
    expect(sent('2001:db8:7:0::2', 20)).toBe(0);
    const others = Array.from({ length: 40 }, (_, n) => sent(`2001:db8:7:${(n + 1).toString(16)}::1`, 2));
    // What was refused above has cost the site nothing.
    expect(others.reduce((sum, passed) => sum + passed, 0)).toBe(54);
    expect(sent('2001:db8:8::1', 20)).toBe(6);
    expect(sent('192.0.2.77', 20)).toBe(6);
    expect(sent('::ffff:192.0.2.77', 1)).toBe(0);
    clock.advance(1);
    expect(sent('2001:db8:7:99::1', 6)).toBe(1);
  });
});

describe('the log', () => {
  it('has no name, passphrase, code, cookie, body, query or user agent in it', async () => {
    const own = await startTestBroker(cloud, clock);
    const sent: string[] = ['planted-query', 'planted-agent', 'planted-path'];
    const client = new AccountClient(async (path, init) => {
      if (typeof init.body === 'string') {
        const texts = [...init.body.matchAll(/"([^"]{6,})"/g)].map(([, text]) => text ?? '');
        sent.push(...texts.filter((text) => !/^(userName|[a-zA-Z]+)$/.test(text)));
      }
      const response = await own.app.request(path, init);
      sent.push(...response.headers.getSetCookie().map((line) => line.split(/[=;]/)[1] ?? ''));
      return response;
    }, clock);
    client.headers = { 'user-agent': 'planted-agent' };
    await client.signUp('logged-name', 'logged-passphrase');
    await client.provePassphrase('logged-name', 'wrong-passphrase');
    await client.raw('GET', '/api/events?from=planted-query');
    await client.raw('GET', '/planted-path?planted-query');
    await client.raw('POST', '/api/signin/start', '{"planted-query');
    const { code } = await client.nextCode();
    await client.call(account.grantBuy, { factor: { code } });
    sent.push(code, client.totpSecret, 'logged-name', 'passphrase');

    const log = own.logged.join('');
    expect(own.logged.length).toBeGreaterThan(10);
    const lines = own.logged.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines[0]).toMatchObject({
      method: 'POST',
      route: '/api/signup/start',
      status: 200,
      msg: 'request',
    });
    expect(lines.some((line) => line['account'] === client.account)).toBe(true);
    const told = sent.filter((text) => text.length >= 6 && text !== client.account && log.includes(text));
    expect(told).toEqual([]);
    own.app.close();
  });

  it('tells of an unexpected fault where it was, and not what it said', async () => {
    const ports = cloud.connect();
    const own = await startTestBroker(cloud, clock, {
      ports: {
        identities: { create: () => Promise.reject(new Error('planted-message')) },
        state: ports.state,
      },
    });
    const client = new AccountClient((path, init) => own.app.request(path, init), clock);
    await expect(client.signUp('faulty')).rejects.toThrow('internal');
    const log = own.logged.join('');
    expect(log).toContain('"unexpected"');
    expect(log).toContain('app.test.ts');
    expect(log).not.toContain('planted-message');
    own.app.close();
  });
});

describe('anything at all', () => {
  it('is answered with a problem, and never with a fault of the broker', async () => {
    const ports = cloud.connect();
    const own = await startTestBroker(cloud, clock, { ports });
    const client = new AccountClient((path, init) => own.app.request(path, init), clock);
    await client.signUp('fuzz');
    const paths = [
      ...POSTS.map(({ path }) => path),
      '/api/session',
      '/api/events',
      '/api/%00',
      '/api/vaults/x/log',
    ];
    const faults: string[] = [];
    const heapBefore = process.memoryUsage().heapUsed;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paths),
        fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'),
        fc.oneof(
          fc.json({ maxDepth: 6 }),
          fc.string(),
          fc.constantFrom(
            '['.repeat(30_000),
            '{"a":'.repeat(5000),
            '"\\ud800"',
            '1e999',
            '{"grant":{"length":22}}',
          ),
        ),
        fc.oneof(
          fc.constant(client.vault),
          fc.constantFrom('..', '%2e%2e', 'us-east-1:x', '%', 'a'.repeat(3000)),
        ),
        async (path, method, body, named) => {
          const twin = client.fork();
          const url = path.replace(':vault', named === client.vault ? encodeURIComponent(named) : named);
          const hasBody = !['GET', 'HEAD'].includes(method);
          const response = await twin.raw(method, url, hasBody ? body : undefined);
          const text = await response.text();
          const ok = response.status < 500 && !text.includes('    at ');
          // Signing out is what an empty object does there; anyone who finds that out begins anew.
          if (path === '/api/session/end' && response.ok) await client.signIn('fuzz');
          if (!ok) faults.push(`${method} ${path} ${String(response.status)}`);
        },
      ),
      { numRuns: 1500, seed: 20261121 },
    );
    expect(faults).toEqual([]);
    expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(300e6);
    own.app.close();
  });
});
