import type * as Opaque from '@serenity-kit/opaque';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sessionRead, signupComplete, signupStart, signupVerify } from '$contract/accounts.ts';
import { hashBackupCode, parseBackupCode } from '../../../src/lib/account/backup-codes.ts';
import { openKeyring } from '../../../src/lib/account/keyring.ts';
import { parseRecoveryWords } from '../../../src/lib/account/recovery.ts';
import { fromB64Url, toB64Url } from '../../../src/lib/bytes.ts';
import { randomBytes, randomId } from '../../../src/lib/crypto/random.ts';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import type { Entry } from '../../../src/lib/session/entry/entry.ts';
import { SignUp } from '../../../src/lib/session/entry/sign-up.ts';
import { refusalCode } from '../../crypto/refusal.ts';
import { quickOpaque } from '../../support/quick-opaque.ts';
import { openOpaqueBroker } from './opaque-broker.ts';

vi.mock('@serenity-kit/opaque', async (importOriginal) => quickOpaque(await importOriginal<typeof Opaque>()));

const ACCOUNT = 'q0dDsGUj3VPvKXqZQVZ3Ag';
const VAULT = 'eu-central-1:0f8fad5b-d9cb-469f-a165-70867728950e';
const ADA = { userName: 'ada', passphrase: 'zebra-quick-violin-under-major-pond' };
let server: Awaited<ReturnType<typeof openOpaqueBroker>>;
let entries: Entry[];
let enters: () => Promise<void>;
let signUp: SignUp;

beforeEach(async () => {
  vi.stubGlobal('navigator', { userAgent: 'Firefox/1 Linux' });
  server = await openOpaqueBroker(ACCOUNT);
  [entries, enters] = [[], () => Promise.resolve()];
  server.answers.set(signupVerify, () => ({
    vault: VAULT,
    inbox: { blob: randomId(), kmsHalf: toB64Url(randomBytes(32)), kmsBlob: toB64Url(randomBytes(64)) },
  }));
  server.answers.set(signupComplete, ({ keyring }: { keyring: unknown }) => ({
    account: ACCOUNT,
    keyring,
    vaults: [],
  }));
  signUp = new SignUp(server.broker, () => 1_800_000_000_000);
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const verify = (code = '123456') =>
  signUp.verify(code, (entry) => {
    entries.push(entry);
    return enters();
  });
interface Completion {
  readonly keyring: { readonly bytes: string };
  readonly backupCodeHashes: string[];
  readonly device: { readonly id: string };
}
const completion = () => server.requests.get(signupComplete.path) as Completion;
const times = (route: { path: string }) => server.heard.filter((path) => path === route.path).length;

describe('signing up', () => {
  it('ends with an account whose kit opens it, and codes that the broker knows by their hashes', async () => {
    expect(await signUp.start(ADA)).toMatchObject({ otpauthUri: 'otpauth://totp/x' });
    const { recoveryWords, backupCodes, headPhrase } = await verify();
    const recoveryEntropy = await parseRecoveryWords(recoveryWords.join(' '));
    const keyring = await openKeyring(fromB64Url(completion().keyring.bytes), ACCOUNT, { recoveryEntropy });
    expect(keyring).toMatchObject({ userName: 'ada', vaultKey: { vault: VAULT } });
    const hashes = await Promise.all(
      backupCodes.map(async (typed) => toB64Url(await hashBackupCode(ACCOUNT, parseBackupCode(typed) ?? ''))),
    );
    expect(completion().backupCodeHashes).toEqual(hashes);
    expect(headPhrase).toMatch(/^0 · /);
    expect(entries).toMatchObject([{ device: { id: completion().device.id }, sentAtMs: 1_800_000_000_000 }]);
  });

  it('sends neither passphrase, nor words, nor a backup code', async () => {
    await signUp.start(ADA);
    const { recoveryWords, backupCodes } = await verify();
    const said = JSON.stringify([...server.requests.values()]);
    for (const secret of [
      ADA.passphrase,
      ...backupCodes.map((typed) => parseBackupCode(typed) ?? ''),
      recoveryWords.join(' '),
    ]) {
      expect(said).not.toContain(secret);
    }
  });

  it.each([
    [{ ...ADA, userName: 'a b' }, 'name_malformed'],
    [{ ...ADA, passphrase: 'password' }, 'passphrase_weak'],
  ])('sends nothing with %j', async (args, code) => {
    expect(await refusalCode(signUp.start(args))).toBe(code);
    expect(server.heard).toEqual([]);
  });

  it('does not go on without its start, nor twice', async () => {
    expect(await refusalCode(verify())).toBe('session_missing');
    await signUp.start(ADA);
    await verify();
    expect(await refusalCode(verify())).toBe('session_missing');
  });

  it('takes another try after a wrong code', async () => {
    await signUp.start(ADA);
    const right = server.answers.get(signupVerify)!;
    server.answers.set(signupVerify, () => Promise.reject(new HalfkeyError('code_wrong', 'x')));
    expect(await refusalCode(verify())).toBe('code_wrong');
    expect(await refusalCode(verify('12345'))).toBe('code_malformed');
    server.answers.set(signupVerify, right);
    await verify();
    expect(times(signupStart)).toBe(1);
  });
});

describe('a connection that breaks after the first code', () => {
  it('costs no other code: what remains is sent again, the same bytes', async () => {
    await signUp.start(ADA);
    const complete = server.answers.get(signupComplete)!;
    server.answers.set(signupComplete, () => Promise.reject(new HalfkeyError('broker_unreachable', 'x')));
    expect(await refusalCode(verify())).toBe('broker_unreachable');
    const first = completion();
    server.answers.set(signupComplete, complete);
    await verify();
    expect(completion()).toEqual(first);
    expect(times(signupVerify)).toBe(1);
  });

  it('loses no words where the account was made and the answer was cut off', async () => {
    await signUp.start(ADA);
    server.answers.set(signupComplete, () => Promise.reject(new HalfkeyError('session_missing', 'x')));
    server.answers.set(sessionRead, () => ({ account: ACCOUNT, device: completion().device.id, vaults: [] }));
    const { recoveryWords } = await verify();
    expect(recoveryWords).toHaveLength(24);
    expect(entries[0]?.signedIn).not.toHaveProperty('grant');
  });

  it('is no excuse for the session of another account or device', async () => {
    await signUp.start(ADA);
    server.answers.set(signupComplete, () => Promise.reject(new HalfkeyError('session_missing', 'x')));
    for (const change of [{ account: randomId() }, { device: randomId() }]) {
      server.answers.set(sessionRead, () => ({
        ...{ account: ACCOUNT, device: completion().device.id, vaults: [], ...change },
      }));
      expect(await refusalCode(verify())).toBe('session_missing');
    }
    expect(entries).toEqual([]);
  });

  it('inside of this device shows the words in the end, too', async () => {
    await signUp.start(ADA);
    enters = () => Promise.reject(new HalfkeyError('device_full', 'x'));
    expect(await refusalCode(verify())).toBe('device_full');
    enters = () => Promise.resolve();
    expect((await verify()).recoveryWords).toHaveLength(24);
    expect(times(signupVerify)).toBe(1);
  });
});
