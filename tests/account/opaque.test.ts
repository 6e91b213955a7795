import * as opaque from '@serenity-kit/opaque';
import { beforeAll, describe, expect, test } from 'vitest';
import { startLogin, startRegistration } from '../../src/lib/account/opaque.ts';
import { refusalCode } from '../crypto/refusal.ts';

// The server's half of the same library stands for the broker: its routes have tests of their own.
const PASSPHRASE = 'zebra-quick-violin-under-major-pond';
const userIdentifier = 'AAAAAAAAAAAAAAAAAAAAAA';
let serverSetup: string;

beforeAll(async () => {
  await opaque.ready;
  serverSetup = opaque.server.createSetup();
});

async function register(passphrase: string, pinned?: string, setup = serverSetup) {
  const registration = await startRegistration(passphrase);
  const { registrationResponse } = opaque.server.createRegistrationResponse({
    serverSetup: setup,
    userIdentifier,
    registrationRequest: registration.registrationRequest,
  });
  return registration.finish(registrationResponse, pinned);
}

async function login(passphrase: string, registrationRecord: string | null, pinned?: string) {
  const started = await startLogin(passphrase);
  const { loginResponse, serverLoginState } = opaque.server.startLogin({
    serverSetup,
    userIdentifier,
    registrationRecord,
    startLoginRequest: started.startLoginRequest,
  });
  const result = started.finish(loginResponse, pinned);
  opaque.server.finishLogin({
    serverLoginState,
    finishLoginRequest: result.finishLoginRequest,
  });
  return result;
}

describe('OPAQUE on the client', () => {
  test('gives the same 64 bytes at registration and at each login, and the server’s key', async () => {
    const registered = await register(PASSPHRASE);
    const signedIn = await login(PASSPHRASE, registered.registrationRecord);
    expect(registered.exportKey).toHaveLength(64);
    expect(signedIn.exportKey).toEqual(registered.exportKey);
    expect(signedIn.serverPublicKey).toBe(opaque.server.getPublicKey(serverSetup));
  });

  test('takes a passphrase in any Unicode form for the same', async () => {
    const registered = await register('Gru\u0308n\uff21-vi\u0301a-mond-\ufb01sch');
    const signedIn = await login('Gr\u00fcnA-v\u00eda-mond-fisch', registered.registrationRecord);
    expect(signedIn.exportKey).toEqual(registered.exportKey);
  });

  test('does not tell a wrong passphrase from an unknown user, nor either from a malformed answer', async () => {
    const { registrationRecord } = await register(PASSPHRASE);
    expect(await refusalCode(login('another passphrase of mine', registrationRecord))).toBe('login_refused');
    expect(await refusalCode(login(PASSPHRASE, null))).toBe('login_refused');
    const started = await startLogin(PASSPHRASE);
    expect(() => started.finish('AAAA')).toThrow('user name and passphrase do not match');
    const registration = await startRegistration(PASSPHRASE);
    expect(() => registration.finish('AAAA')).toThrow('user name and passphrase do not match');
  });

  test('refuses a server with another key than the pinned one', async () => {
    const { registrationRecord, serverPublicKey } = await register(PASSPHRASE);
    await expect(login(PASSPHRASE, registrationRecord, serverPublicKey)).resolves.toBeDefined();
    const other = opaque.server.createSetup();
    const otherKey = opaque.server.getPublicKey(other);
    expect(await refusalCode(login(PASSPHRASE, registrationRecord, otherKey))).toBe('server_unknown');
    expect(await refusalCode(register(PASSPHRASE, serverPublicKey, other))).toBe('server_unknown');
  });
});
