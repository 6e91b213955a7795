import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT, UnsecuredJWT, decodeJwt, generateKeyPair, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { createCognito } from '../../../../broker/local/cognito/cognito.ts';
import type { Cognito } from '../../../../broker/local/cognito/cognito.ts';
import type { LocalCredentials } from '../../../../broker/local/iam/credentials.ts';
import { openCredentials } from '../../../../broker/local/iam/credentials.ts';
import type { Authorize, Principal } from '../../../../broker/local/principal.ts';
import {
  ACCOUNT_ID,
  ADMINISTRATOR,
  BROKER,
  IDENTITY,
  POLICIES,
  REGION,
  authorizeBy,
  jsonBody,
  temporaryFolder,
} from '../iam/fixture.ts';

const NOW_MS = 1_790_000_000_000;
const NOW_SECONDS = NOW_MS / 1000;
const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const PROVIDER = 'login.halfkey';
const COGNITO = 'cognito-identity.amazonaws.com';

interface Room {
  readonly cognito: Cognito;
  readonly credentials: LocalCredentials;
  readonly folder: string;
}

async function open(folder = temporaryFolder(), nowMs = () => NOW_MS): Promise<Room> {
  const credentials = await openCredentials(join(folder, 'iam'), nowMs);
  let authorize: Authorize = () => false;
  const cognito = await createCognito({
    folder: join(folder, 'cognito'),
    credentials,
    authorize: (request) => authorize(request),
    region: REGION,
    accountId: ACCOUNT_ID,
    nowMs,
  });
  authorize = authorizeBy(POLICIES, { identityPoolId: cognito.identityPoolId });
  return { cognito, credentials, folder };
}

interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly IdentityId: string;
  readonly Token: string;
  readonly Credentials: { AccessKeyId: string; SecretKey: string; SessionToken: string; Expiration: number };
}

async function call({ cognito }: Room, name: string, input: object, principal?: Principal): Promise<Answer> {
  const { status, body } = await cognito.handle(
    `AWSCognitoIdentityService.${name}`,
    jsonBody(input),
    principal,
  );
  return { ...(body as object), status, type: body['__type'] } as Answer;
}

function token(room: Room, user: string, more: object = {}, principal: Principal = BROKER): Promise<Answer> {
  const input = { IdentityPoolId: room.cognito.identityPoolId, Logins: { [PROVIDER]: user }, ...more };
  return call(room, 'GetOpenIdTokenForDeveloperIdentity', input, principal);
}

function trade(room: Room, IdentityId: string, Token: string, principal?: Principal): Promise<Answer> {
  return call(room, 'GetCredentialsForIdentity', { IdentityId, Logins: { [COGNITO]: Token } }, principal);
}

describe('identities', () => {
  it('are made for a user once, and are the same ever after', async () => {
    const room = await open();
    const first = await token(room, 'ann');
    expect(first.IdentityId).toMatch(new RegExp(`^us-east-1:${UUID}$`));
    expect((await token(room, 'ann')).IdentityId).toBe(first.IdentityId);
    expect((await token(room, 'ann', { IdentityId: first.IdentityId })).IdentityId).toBe(first.IdentityId);
    expect((await token(room, 'Ann')).IdentityId).not.toBe(first.IdentityId);
    const restarted = await open(room.folder);
    expect(restarted.cognito.identityPoolId).toBe(room.cognito.identityPoolId);
    expect((await token(restarted, 'ann')).IdentityId).toBe(first.IdentityId);
  });

  it('are one for all who ask at the same time, in several processes too', async () => {
    const room = await open();
    const rooms = [room, await open(room.folder), await open(room.folder)];
    const all = await Promise.all(Array.from({ length: 30 }, (_, index) => token(rooms[index % 3]!, 'ann')));
    expect(new Set(all.map(({ IdentityId }) => IdentityId)).size).toBe(1);
    expect(readdirSync(join(room.folder, 'cognito', 'logins'))).toHaveLength(1);
  });

  it('are made for any user id of 1 to 1024 characters, which names no file', async () => {
    const room = await open();
    const users = ['.', '../../x', 'a/b', '\0', '__proto__', 'é', 'x'.repeat(1024)];
    const ids = await Promise.all(users.map(async (user) => (await token(room, user)).IdentityId));
    expect(new Set(ids).size).toBe(users.length);
    for (const user of ['', 'x'.repeat(1025), '\ud800']) {
      expect(await token(room, user)).toMatchObject({ status: 400, type: 'InvalidParameterException' });
    }
  });

  it('are refused to a login of another identity, or of none', async () => {
    const room = await open();
    const ann = await token(room, 'ann');
    const bob = await token(room, 'bob');
    expect((await token(room, 'bob', { IdentityId: ann.IdentityId })).type).toBe(
      'DeveloperUserAlreadyRegisteredException',
    );
    expect((await token(room, 'eve', { IdentityId: ann.IdentityId })).type).toBe('ResourceNotFoundException');
    expect((await token(room, 'eve')).IdentityId).not.toBe(bob.IdentityId);
  });

  it.each([
    ['another pool', { IdentityPoolId: `us-east-1:${'0'.repeat(8)}` }, 'ResourceNotFoundException'],
    ['no login', { Logins: {} }, 'InvalidParameterException'],
    ['another provider', { Logins: { 'login.other': 'ann' } }, 'InvalidParameterException'],
    ['two providers', { Logins: { [PROVIDER]: 'ann', 'login.other': 'ann' } }, 'InvalidParameterException'],
    ['too short a token', { TokenDuration: 0 }, 'InvalidParameterException'],
    ['too long a token', { TokenDuration: 86_401 }, 'InvalidParameterException'],
    ['an odd identity id', { IdentityId: '../x' }, 'InvalidParameterException'],
    ['tags', { PrincipalTags: { vault: 'x' } }, 'InvalidParameterException'],
  ])('are refused for %s', async (_, more, type) => {
    expect(await token(await open(), 'ann', more)).toMatchObject({ status: 400, type });
  });

  it('are given by the policies: to the broker, to no vault, to nobody who did not sign', async () => {
    const room = await open();
    expect((await token(room, 'ann', {}, ADMINISTRATOR)).status).toBe(200);
    expect((await token(room, 'ann', {}, IDENTITY)).type).toBe('AccessDeniedException');
    const input = { IdentityPoolId: room.cognito.identityPoolId, Logins: { [PROVIDER]: 'ann' } };
    const unsigned = await call(room, 'GetOpenIdTokenForDeveloperIdentity', input);
    expect(unsigned.type).toBe('MissingAuthenticationTokenException');
  });
});

describe('credentials', () => {
  it('are given, unsigned, for a token, and are those of the identity', async () => {
    const room = await open();
    const { IdentityId, Token } = await token(room, 'ann');
    const { status, Credentials } = await trade(room, IdentityId, Token);
    expect(status).toBe(200);
    expect(Credentials.Expiration).toBe(NOW_SECONDS + 3600);
    expect(room.credentials.find(Credentials.AccessKeyId, Credentials.SessionToken)).toMatchObject({
      secretAccessKey: Credentials.SecretKey,
      expiresAtMs: NOW_MS + 3_600_000,
      principal: { kind: 'identity', sub: IdentityId },
    });
  });

  it('are not given to guests', async () => {
    const room = await open();
    const { IdentityId, Token } = await token(room, 'ann');
    for (const Logins of [undefined, {}, { 'accounts.google.com': Token }, { [COGNITO]: Token, x: Token }]) {
      const answer = await call(room, 'GetCredentialsForIdentity', { IdentityId, Logins });
      expect(answer).toMatchObject({ status: 400, type: 'NotAuthorizedException' });
    }
    const other = await call(room, 'GetCredentialsForIdentity', {
      IdentityId,
      Logins: { [COGNITO]: Token },
      CustomRoleArn: 'arn:aws:iam::000000000000:role/administrator',
    });
    expect(other.type).toBe('InvalidParameterException');
  });

  it('are given for a token while it lives, and not at its last second', async () => {
    let nowMs = NOW_MS;
    const room = await open(temporaryFolder(), () => nowMs);
    const { IdentityId, Token } = await token(room, 'ann', { TokenDuration: 60 });
    expect(decodeJwt(Token)).toMatchObject({
      exp: NOW_SECONDS + 60,
      sub: IdentityId,
      aud: room.cognito.identityPoolId,
    });
    nowMs = NOW_MS + 59_999;
    expect((await trade(room, IdentityId, Token)).status).toBe(200);
    nowMs = NOW_MS + 60_000;
    expect((await trade(room, IdentityId, Token)).type).toBe('NotAuthorizedException');
  });

  it('are given for a token of before a restart', async () => {
    const room = await open();
    const { IdentityId, Token } = await token(room, 'ann');
    expect((await trade(await open(room.folder), IdentityId, Token)).status).toBe(200);
  });

  it('are not given for the token of another identity, or of another pool', async () => {
    const room = await open();
    const ann = await token(room, 'ann');
    const bob = await token(room, 'bob');
    expect((await trade(room, ann.IdentityId, bob.Token)).type).toBe('NotAuthorizedException');
    expect((await trade(await open(), ann.IdentityId, ann.Token)).type).toBe('NotAuthorizedException');
  });

  it('are not given for a forged token', async () => {
    const room = await open();
    const { IdentityId, Token } = await token(room, 'ann');
    const [header = '', claims = '', signature = ''] = Token.split('.');
    const stored = JSON.parse(readFileSync(join(room.folder, 'cognito', 'pool.json'), 'utf8')) as {
      key: { kty: string; crv: string; x: string; y: string; d: string };
    };
    const own = await importJWK(stored.key, 'ES256');
    const { privateKey } = await generateKeyPair('ES256');
    const right = decodeJwt(Token);
    const sign = (changed: object, key = own, alg = 'ES256') =>
      new SignJWT({ ...right, ...changed }).setProtectedHeader({ alg }).sign(key);
    // The way in which the others are made is right: it is what is changed that is refused.
    expect((await trade(room, IdentityId, await sign({}))).status).toBe(200);
    const publicText = new TextEncoder().encode(JSON.stringify({ ...stored.key, d: undefined }));
    const forged = [
      `${header}.${claims}.`,
      `${header}.${claims}.${signature.slice(0, -4)}AAAA`,
      `${header}.${claims}`,
      'x',
      new UnsecuredJWT(right).encode(),
      await sign({}, privateKey),
      await sign({}, publicText, 'HS256'),
      await sign({ aud: 'us-east-1:other' }),
      await sign({ iss: 'https://example.org' }),
      await sign({ sub: `${IdentityId}0` }),
      await sign({ exp: undefined }),
      await sign({ iat: undefined }),
      await sign({ nbf: NOW_SECONDS + 60 }),
    ];
    for (const one of forged)
      expect((await trade(room, IdentityId, one)).type).toBe('NotAuthorizedException');
    for (let index = 0; index < Token.length; index += 7) {
      const changed = Token.slice(0, index) + (Token[index] === 'A' ? 'B' : 'A') + Token.slice(index + 1);
      expect((await trade(room, IdentityId, changed)).type).toBe('NotAuthorizedException');
    }
  });
});

describe('the pool', () => {
  it('lies in files for the owner alone', async () => {
    const room = await open();
    await token(room, 'ann');
    const folder = join(room.folder, 'cognito');
    const [login = ''] = readdirSync(join(folder, 'logins'));
    for (const path of [join(folder, 'pool.json'), join(folder, 'logins', login)]) {
      expect(statSync(path).mode & 0o777).toBe(0o600);
    }
  });

  it('is not made anew over a damaged file; a damaged login is no new identity', async () => {
    const room = await open();
    const { IdentityId } = await token(room, 'ann');
    const logins = join(room.folder, 'cognito', 'logins');
    const path = join(logins, readdirSync(logins)[0]!);
    const text = readFileSync(path, 'utf8');
    for (const damaged of ['', text.slice(1), text.replace('ann', 'bob')]) {
      writeFileSync(path, damaged);
      expect(await token(room, 'ann')).toMatchObject({ status: 500, type: 'InternalErrorException' });
    }
    writeFileSync(path, text);
    expect((await token(room, 'ann')).IdentityId).toBe(IdentityId);
    writeFileSync(join(room.folder, 'cognito', 'pool.json'), '{}');
    await expect(open(room.folder)).rejects.toThrow('damaged');
  });

  it('belongs to one region', async () => {
    const { folder, credentials } = await open();
    const parts = { credentials, authorize: () => true, accountId: ACCOUNT_ID };
    const moved = createCognito({ ...parts, folder: join(folder, 'cognito'), region: 'eu-west-1' });
    await expect(moved).rejects.toThrow('expected the identity pool of region eu-west-1');
  });
});
