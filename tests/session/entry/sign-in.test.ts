import type * as Opaque from '@serenity-kit/opaque';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { recoveryStart, signinCode, signinFinish, signinStart } from '$contract/accounts.ts';
import { factorResetAsk, factorResetConfirm, factorResetSecret } from '$contract/factor-reset.ts';
import { createKeyring, type OpenKeyring } from '../../../src/lib/account/keyring.ts';
import { startRegistration } from '../../../src/lib/account/opaque.ts';
import { generateRecoveryEntropy, recoveryWords } from '../../../src/lib/account/recovery.ts';
import { toB64Url, type Bytes } from '../../../src/lib/bytes.ts';
import { randomBytes } from '../../../src/lib/crypto/random.ts';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import type { DeviceStore } from '../../../src/lib/session/device-store.ts';
import type { Entry } from '../../../src/lib/session/entry/entry.ts';
import { SignIn } from '../../../src/lib/session/entry/sign-in.ts';
import { createDevice } from '../../../src/lib/store/device-record.ts';
import { refusalCode } from '../../crypto/refusal.ts';
import { quickOpaque } from '../../support/quick-opaque.ts';
import { openOpaqueBroker } from './opaque-broker.ts';

vi.mock('@serenity-kit/opaque', async (importOriginal) => quickOpaque(await importOriginal<typeof Opaque>()));

const ACCOUNT = 'q0dDsGUj3VPvKXqZQVZ3Ag';
const VAULT = 'eu-central-1:0f8fad5b-d9cb-469f-a165-70867728950e';
const ADA = { userName: ' ada ', passphrase: 'zebra-quick-violin-under-major-pond' };
const CODE = { code: '123456' };
let server: Awaited<ReturnType<typeof openOpaqueBroker>>;
let keyring: OpenKeyring;
let exportKey: Bytes;
let serverPublicKey: string;
/** The server that this device has met. */
let pinned: string | undefined;
let entries: [Entry, boolean][];
let enters: () => Promise<void>;
let words: string;
let signIn: SignIn;

beforeEach(async () => {
  server = await openOpaqueBroker(ACCOUNT);
  [entries, pinned, enters] = [[], undefined, () => Promise.resolve()];
  const registration = await startRegistration(ADA.passphrase);
  const { server: opaque } = await import('@serenity-kit/opaque');
  const { registrationResponse } = opaque.createRegistrationResponse({
    ...{ serverSetup: server.setup, userIdentifier: ACCOUNT },
    registrationRequest: registration.registrationRequest,
  });
  const registered = registration.finish(registrationResponse);
  ({ exportKey, serverPublicKey } = registered);
  server.record = registered.registrationRecord;
  const recoveryEntropy = await generateRecoveryEntropy();
  words = (await recoveryWords(recoveryEntropy)).join(' ');
  keyring = await createKeyring({
    ...{ userName: 'ada', account: ACCOUNT, vault: VAULT, exportKey, recoveryEntropy, serverPublicKey },
  });
  const signedIn = () => ({
    ...{ account: ACCOUNT, vaults: [] },
    keyring: { version: keyring.version, bytes: toB64Url(keyring.bytes) },
  });
  server.answers.set(signinCode, signedIn).set(factorResetConfirm, signedIn);
  const device = await createDevice();
  const store = {
    serverPublicKey: () => Promise.resolve(pinned),
    deviceFor: () => Promise.resolve(device),
    lockFor: () => Promise.resolve(undefined),
  } as unknown as DeviceStore;
  signIn = new SignIn(server.broker, store, () => 7);
});
const code = (factor: Parameters<SignIn['code']>[0] = CODE) =>
  signIn.code(factor, (entry, hasLostCodes) => {
    entries.push([entry, hasLostCodes]);
    return enters();
  });
const times = (route: { path: string }) => server.heard.filter((path) => path === route.path).length;

describe('signing in', () => {
  it('is the passphrase and a code, and only then the keyring', async () => {
    await signIn.start(ADA);
    expect(server.heard).toEqual([signinStart.path, signinFinish.path]);
    await code();
    const [[entry, hasLostCodes]] = entries as [[Entry, boolean]];
    expect(entry.keyring.vaultKey).toEqual(keyring.vaultKey);
    expect([entry.sentAtMs, hasLostCodes]).toEqual([7, false]);
    expect(server.requests.get(signinCode.path)).toMatchObject({ device: { id: entry.device.id } });
    expect(server.requests.get(signinStart.path)).toMatchObject({ userName: 'ada' });
  });

  it('with another passphrase is refused before a code is asked for', async () => {
    expect(await refusalCode(signIn.start({ ...ADA, passphrase: 'another-passphrase' }))).toBe(
      'login_refused',
    );
    expect(await refusalCode(code())).toBe('session_missing');
  });

  it('at another server than this device has met is refused, and that one learns nothing', async () => {
    pinned = 'AAEC';
    expect(await refusalCode(signIn.start(ADA))).toBe('server_unknown');
    expect(server.heard).toEqual([signinStart.path]);
  });

  it('at another server than the keyring was made with is refused', async () => {
    const other = {
      ...ADA,
      account: ACCOUNT,
      vault: VAULT,
      exportKey,
      serverPublicKey: toB64Url(randomBytes(32)),
    };
    keyring = await createKeyring({ ...other, userName: 'ada', recoveryEntropy: randomBytes(32) });
    await signIn.start(ADA);
    expect(await refusalCode(code())).toBe('server_unknown');
    expect(entries).toEqual([]);
  });

  it('takes another try after a wrong code, and needs no other where it was cut off after it', async () => {
    await signIn.start(ADA);
    const right = server.answers.get(signinCode)!;
    server.answers.set(signinCode, () => Promise.reject(new HalfkeyError('code_wrong', 'x')));
    expect(await refusalCode(code())).toBe('code_wrong');
    server.answers.set(signinCode, right);
    enters = () => Promise.reject(new HalfkeyError('broker_unreachable', 'x'));
    expect(await refusalCode(code())).toBe('broker_unreachable');
    enters = () => Promise.resolve();
    await code();
    expect(times(signinCode)).toBe(2);
  });

  it('is forgotten once it is through, or another one begins', async () => {
    await signIn.start(ADA);
    await code();
    expect(await refusalCode(code())).toBe('session_missing');
    await signIn.start(ADA);
    await expect(signIn.start({ ...ADA, userName: '' })).rejects.toMatchObject({ code: 'name_malformed' });
    expect(await refusalCode(code())).toBe('session_missing');
  });
});

describe('signing in without authenticator and backup codes', () => {
  beforeEach(() => {
    server.answers.set(recoveryStart, () => ({ challenge: toB64Url(randomBytes(32)) }));
    server.answers.set(factorResetAsk, () => ({ waitSeconds: 0 }));
    server.answers.set(factorResetSecret, () => ({ totpSecret: 'S', otpauthUri: 'otpauth://totp/y' }));
  });

  it('wants the passphrase first, and words that are some before anything is sent', async () => {
    expect(await refusalCode(signIn.resetFactor({ words }))).toBe('session_missing');
    await signIn.start(ADA);
    server.heard.length = 0;
    expect(await refusalCode(signIn.resetFactor({ words: 'one two' }))).toBe('recovery_words_malformed');
    expect(server.heard).toEqual([]);
  });

  it('says how long is left to wait, and gives no secret before that is over', async () => {
    await signIn.start(ADA);
    server.answers.set(factorResetAsk, () => ({ waitSeconds: 259_200 }));
    expect(await signIn.resetFactor({ words })).toEqual({ waitSeconds: 259_200 });
    expect(times(factorResetSecret)).toBe(0);
    await code();
    expect([times(signinCode), times(factorResetConfirm)]).toEqual([1, 0]);
  });

  it('pairs another authenticator once it is over, whose first code signs in; its backup codes are lost', async () => {
    await signIn.start(ADA);
    expect(await signIn.resetFactor({ words })).toEqual({ totpSecret: 'S', otpauthUri: 'otpauth://totp/y' });
    expect(await refusalCode(code({ backupCode: 'ABCD-EFGH-2345-MNOP' }))).toBe('code_malformed');
    await code();
    expect([times(signinCode), times(factorResetConfirm), entries[0]?.[1]]).toEqual([0, 1, true]);
  });

  it('is refused with the words of another account', async () => {
    await signIn.start(ADA);
    server.answers.set(factorResetAsk, () => Promise.reject(new HalfkeyError('recovery_refused', 'x')));
    expect(await refusalCode(signIn.resetFactor({ words }))).toBe('recovery_refused');
  });
});
