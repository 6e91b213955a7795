import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EncryptJWT, SignJWT } from 'jose';
import { beforeAll, expect } from 'vitest';
import * as contract from '$contract/accounts.ts';
import { loadSetup, type Setup } from '../../../broker/domain/state/setup.ts';
import type { TestBroker } from '../../support/broker.ts';
import { row } from '../support/row.ts';
import { newcomer, setUpHouse } from './support/house.ts';

const house = setUpHouse();
let broker: TestBroker;
let setup: Setup;

beforeAll(async () => {
  broker = await house.newBroker();
  ({ setup } = await loadSetup(broker.ports.state, broker.ports.kms));
});

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const hs256 = (header: unknown, payload: unknown, key: Uint8Array): string => {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
};

row(
  'F12',
  {
    attack: 'forged and twisted session tokens',
    tried:
      'every bit of a good token flipped; no algorithm and other ones; keys named, brought along or fetched; claims absent, of other types, lists; sizes',
  },
  async (t) => {
    const client = await newcomer(house, broker, 'tokens');
    const good = client.cookies.get('halfkey') ?? '';
    const [head = '', body = '', signature = ''] = good.split('.');
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>;
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
    expect(header).toEqual({ alg: 'HS256', typ: 'JWT' });
    const now = Math.floor(house.clock.nowMs / 1000);
    const key = setup.sessionKey;

    let fetched = 0;
    const keyServer = createServer((_request, response) => {
      fetched += 1;
      response.end(JSON.stringify({ keys: [{ kty: 'oct', k: Buffer.from('AAAA').toString('base64url') }] }));
    });
    await new Promise<void>((resolve) => keyServer.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${String((keyServer.address() as AddressInfo).port)}/jwks`;

    const ask = async (token: string): Promise<string> => {
      const stranger = house.clientOf(broker);
      stranger.cookies.set('halfkey', token);
      stranger.sessionKey = client.sessionKey;
      const reply = await stranger.call(contract.sessionRead);
      return reply.ok ? 'taken' : reply.code;
    };
    // Made by hand the same way, it is taken: each of the others is refused for what is odd about it.
    expect(await ask(hs256(header, claims, key))).toBe('taken');

    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const input = (alg: string) => `${encode({ ...header, alg })}.${body}`;
    const odd: string[] = [
      ...['none', 'None', 'NONE', 'nOnE', ''].flatMap((alg) =>
        [signature, '', 'AA', createHmac('sha256', '').update(input(alg)).digest('base64url')].map(
          (end) => `${input(alg)}.${end}`,
        ),
      ),
      ...['HS384', 'HS512', 'RS256', 'PS256', 'ES256', 'EdDSA', 'hs256', 'HS256 ', 'HS1', 'dir'].map((alg) =>
        hs256({ ...header, alg }, claims, key),
      ),
      ...[null, 1, true, ['HS256'], { a: 1 }].map((alg) => hs256({ ...header, alg }, claims, key)),
      // A public key taken for the shared one.
      ...[rsa, ec].flatMap(({ publicKey }) =>
        (['spki'] as const).flatMap((type) => [
          hs256(header, claims, Buffer.from(publicKey.export({ type, format: 'pem' }))),
          hs256(header, claims, publicKey.export({ type, format: 'der' })),
        ]),
      ),
      `${input('RS256')}.${sign('sha256', Buffer.from(input('RS256')), rsa.privateKey).toString('base64url')}`,
      ...[
        key.subarray(1),
        Buffer.alloc(1),
        Buffer.alloc(32),
        Buffer.from('secret'),
        Buffer.from(key).reverse(),
      ].map((other) => hs256(header, claims, other)),
      ...['../../dev/null', '/dev/null', 'x;sleep 9', "' or 1=1--", url].map((kid) =>
        hs256({ ...header, kid }, claims, Buffer.alloc(1)),
      ),
      ...['jku', 'x5u'].map((name) => hs256({ ...header, [name]: url }, claims, Buffer.from('AAAA'))),
      hs256({ ...header, jwk: { kty: 'oct', k: 'QUFBQQ' } }, claims, Buffer.from('AAAA')),
      hs256({ ...header, x5c: ['AAAA'] }, claims, Buffer.from('AAAA')),
      ...[['x'], [], ['exp'], 'exp', ['b64']].map((crit) =>
        hs256({ ...header, crit, b64: false }, claims, key),
      ),
      ...['JWE', 'at+jwt', '', 1, null].map((typ) => hs256({ ...header, typ }, claims, key)),
      await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS512', typ: 'JWT' })
        .sign(Buffer.concat([key, key])),
      await new EncryptJWT(claims).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' }).encrypt(setup.stateKey),
    ];
    const altered = (changes: Record<string, unknown>) => hs256(header, { ...claims, ...changes }, key);
    odd.push(
      ...['exp', 'iat', 'iss', 'aud', 'sub', 'jti', 'epoch', 'device'].flatMap((name) =>
        // When it was issued may be any number: nothing depends on it.
        [undefined, null, '', 'x', [claims[name]], { a: claims[name] }, true]
          .concat(name === 'iat' ? [] : [-1, 1.5])
          .map((value) => altered({ [name]: value })),
      ),
      ...['exp', 'nbf', 'iat'].map((name) => altered({ [name]: String(now) })),
      ...[now, now - 1, 0, -1].map((exp) => altered({ exp })),
      ...[now + 1, now + 3600].map((nbf) => altered({ nbf })),
      ...['none', 'code', 'setup', 'enrol', 'recovery', 'device', 'FULL', 'full ', ''].map((stage) =>
        altered({ aud: `halfkey/${stage}` }),
      ),
      ...[['halfkey/full'], ['halfkey/full', 'halfkey/code'], ['halfkey/code', 'halfkey/full']].map((aud) =>
        altered({ aud }),
      ),
      ...[randomBytes(16).toString('base64url'), '../../broker/setup', 'a/b', '\0'].map((sub) =>
        altered({ sub }),
      ),
      // Well formed, and of no account, of no session, of no device, of another time.
      ...['sub', 'jti', 'device'].map((name) => altered({ [name]: randomBytes(16).toString('base64url') })),
      ...[1, '0'].map((epoch) => altered({ epoch })),
      altered({ iss: 'else' }),
      ...[1800, 5000, 100_000, 1_000_000].map((size) => altered({ pad: 'x'.repeat(size) })),
      ...[
        '',
        '.',
        '..',
        '...',
        'x',
        `${good}.`,
        `.${good}`,
        `${good}.x`,
        `${head}..${signature}`,
        `${head}.${body}.`,
        `${head}.${body.slice(0, -4)}AAAA.${signature}`,
        good.slice(1),
      ],
      ...[`${head}.${encode([claims])}`, `${head}.${encode('x')}`, `${head}.AAAA`].map(
        (front) => `${front}.${createHmac('sha256', key).update(front).digest('base64url')}`,
      ),
    );
    const flips = t.full ? good.length * 6 : 400;
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (let flip = 0; flip < flips; flip += 1) {
      const bit = t.full ? flip : Math.floor((flip * good.length * 6) / flips);
      const at = Math.floor(bit / 6);
      // 256 bits are 42 characters and two thirds of one: its last two bits say nothing, and the token stays the same.
      if (at === good.length - 1 && bit % 6 < 2) continue;
      const place = alphabet.indexOf(good.charAt(at));
      const changed = place < 0 ? '!' : (alphabet[place ^ (1 << (bit % 6))] ?? '');
      odd.push(`${good.slice(0, at)}${changed}${good.slice(at + 1)}`);
    }

    const taken: string[] = [];
    for (const token of odd) {
      const outcome = await ask(token);
      if (outcome === 'session_missing') t.refused(outcome);
      else taken.push(`${outcome}: ${token.slice(0, 300)}`);
      t.vary(1);
    }
    await new Promise((resolve) => keyServer.close(resolve));
    expect(taken).toEqual([]);
    expect(fetched).toBe(0);
    t.held('no key was fetched from anywhere');
  },
);
