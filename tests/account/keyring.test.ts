import { decode, encode } from 'cborg';
import { describe, expect, test } from 'vitest';
import {
  createKeyring,
  openKeyring,
  rewrapKeyring,
  type OpenKeyring,
} from '../../src/lib/account/keyring.ts';
import { decodeKeyring, encodeKeyring, type KeyringBody } from '../../src/lib/account/keyring-format.ts';
import { concat, toHex, utf8, type Bytes } from '../../src/lib/bytes.ts';
import { sealAad } from '../../src/lib/crypto/aad.ts';
import { sha256 } from '../../src/lib/crypto/digest.ts';
import { open, seal } from '../../src/lib/crypto/floe.ts';
import { randomBytes } from '../../src/lib/crypto/random.ts';
import { sign, signingKeyFromSeed, verify } from '../../src/lib/crypto/signing.ts';
import golden from '../vectors/keyring-v1.json' with { type: 'json' };
import { fromHex } from '../crypto/hex.ts';
import { refusalCode } from '../crypto/refusal.ts';

const ACCOUNT = 'q0dDsGUj3VPvKXqZQVZ3Ag';
const VAULT = 'eu-central-1:1b7b2ae5-3f4d-4b6e-9a67-0c8d5d7e9f10';
const PROFILE = { userName: 'ada', serverPublicKey: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8' };

async function make() {
  const exportKey = randomBytes(64);
  const recoveryEntropy = randomBytes(32);
  const input = { ...PROFILE, account: ACCOUNT, vault: VAULT, exportKey, recoveryEntropy };
  return { exportKey, recoveryEntropy, keyring: await createKeyring(input) };
}

/** Everything in it but the non-extractable key. */
function contents({ identity, ...rest }: OpenKeyring) {
  return { ...rest, identity: identity.publicKey };
}

describe('the golden keyring of version 1', () => {
  const bytes = fromHex(golden.bytesHex);
  const exportKey = fromHex(golden.exportKeyHex);
  const recoveryEntropy = fromHex(golden.recoveryEntropyHex);

  test.each([
    ['the export key', { exportKey }],
    ['the recovery entropy', { recoveryEntropy }],
  ])('opens with %s', async (_name, secret) => {
    const keyring = await openKeyring(bytes, golden.account, secret);
    expect(keyring.version).toBe(golden.version);
    expect(keyring.userName).toBe(golden.userName);
    expect(keyring.serverPublicKey).toBe(golden.serverPublicKey);
    expect(toHex(keyring.hash)).toBe(golden.sha256Hex);
    expect(toHex(keyring.accountKey)).toBe(golden.accountKeyHex);
    expect(toHex(keyring.identity.publicKey)).toBe(golden.identityPublicKeyHex);
    expect(toHex(keyring.sharing.privateKey)).toBe(golden.sharingPrivateKeyHex);
    expect(toHex(keyring.sharing.publicKey)).toBe(golden.sharingPublicKeyHex);
    expect(keyring.vaultKey.vault).toBe(golden.vault);
    expect(keyring.vaultKey.epoch).toBe(golden.epoch);
    expect(toHex(keyring.vaultKey.key)).toBe(golden.vaultKeyHex);
  });
});

describe('a keyring', () => {
  test('opens to the same keys with passphrase and kit', async () => {
    const { keyring, exportKey, recoveryEntropy } = await make();
    expect(contents(await openKeyring(keyring.bytes, ACCOUNT, { exportKey }))).toEqual(contents(keyring));
    expect(contents(await openKeyring(keyring.bytes, ACCOUNT, { recoveryEntropy }))).toEqual(
      contents(keyring),
    );
    expect(keyring).toMatchObject({ ...PROFILE, version: 1, account: ACCOUNT });
    expect(keyring.vaultKey).toMatchObject({ vault: VAULT, epoch: 0 });
    expect(keyring.hash).toEqual(await sha256(keyring.bytes));
  });

  test('has keys of its own each time', async () => {
    const [one, other] = [(await make()).keyring, (await make()).keyring];
    expect(one.accountKey).not.toEqual(other.accountKey);
    expect(one.vaultKey.key).not.toEqual(other.vaultKey.key);
    expect(one.identity.publicKey).not.toEqual(other.identity.publicKey);
    expect(one.sharing.privateKey).not.toEqual(other.sharing.privateKey);
  });

  test('shows neither user name nor key in its bytes', async () => {
    const { keyring, exportKey, recoveryEntropy } = await make();
    const hex = toHex(keyring.bytes);
    const { accountKey, vaultKey, sharing } = keyring;
    for (const secret of [accountKey, vaultKey.key, sharing.privateKey, exportKey, recoveryEntropy]) {
      expect(hex).not.toContain(toHex(secret));
    }
    expect(hex).not.toContain(toHex(utf8(PROFILE.userName)));
  });

  test('gives the identity’s private key to nobody, and not to the account key', async () => {
    const { keyring } = await make();
    expect(keyring.identity.privateKey.extractable).toBe(false);
    const { byExport, byRecovery } = await decodeKeyring(keyring.bytes);
    for (const [id, wraps] of [['export', byExport] as const, ['recovery', byRecovery] as const]) {
      const aad = sealAad('identity-key', ACCOUNT, id, 0);
      expect(await refusalCode(open(keyring.accountKey, aad, wraps.identity))).toBe('key_mismatch');
    }
  });

  test('carries the sharing key’s public half signed by the identity', async () => {
    const { keyring } = await make();
    const body = await decodeKeyring(keyring.bytes);
    const field = (bytes: Bytes) => concat(Uint8Array.of(0, 0, 0, bytes.length), bytes);
    const parts = [utf8('halfkey/sharing-key/1'), utf8(ACCOUNT), body.sharingPublicKey];
    const message = concat(...parts.map(field));
    expect(await verify(body.identityPublicKey, message, body.sharingSignature)).toBe(true);
  });

  test('refuses another secret and another account', async () => {
    const { keyring, exportKey } = await make();
    const wrong = [{ exportKey: randomBytes(64) }, { recoveryEntropy: randomBytes(32) }];
    for (const secret of wrong) {
      expect(await refusalCode(openKeyring(keyring.bytes, ACCOUNT, secret))).toBe('keyring_corrupt');
    }
    const other = openKeyring(keyring.bytes, 'BBBBBBBBBBBBBBBBBBBBBA', { exportKey });
    expect(await refusalCode(other)).toBe('keyring_corrupt');
  });
});

describe('a keyring that its own identity signed wrongly', () => {
  const resign = async (body: unknown, keyring: OpenKeyring) =>
    encodeKeyring(body as KeyringBody, keyring.identity);

  test.each<[string, (body: KeyringBody) => unknown]>([
    ['a field too many', (body) => ({ ...body, hint: 'x' })],
    ['a field too few', ({ profile: _, ...rest }) => rest],
    ['a text for a number', (body) => ({ ...body, version: '1' })],
    ['version 0', (body) => ({ ...body, version: 0 })],
    ['a short wrap', (body) => ({ ...body, sharingKey: body.sharingKey.slice(1) })],
    [
      'a long identity',
      (body) => ({ ...body, identityPublicKey: concat(body.identityPublicKey, Uint8Array.of(0)) }),
    ],
    ['no vault', (body) => ({ ...body, vault: null })],
    ['an epoch of 33 bits', (body) => ({ ...body, vault: { ...body.vault, epoch: 2 ** 32 } })],
    ['another epoch', (body) => ({ ...body, vault: { ...body.vault, epoch: 1 } })],
    ['another vault', (body) => ({ ...body, vault: { ...body.vault, id: `${body.vault.id}0` } })],
    ['wraps exchanged', (body) => ({ ...body, byExport: body.byRecovery, byRecovery: body.byExport })],
    [
      'account and identity exchanged',
      (body) => ({ ...body, byExport: { account: body.byExport.identity, identity: body.byExport.account } }),
    ],
    ['the vault key where the sharing key belongs', (body) => ({ ...body, sharingKey: body.vault.key })],
  ])('refuses %s', async (_name, change) => {
    const { keyring, exportKey } = await make();
    const bytes = await resign(change(await decodeKeyring(keyring.bytes)), keyring);
    expect(await refusalCode(openKeyring(bytes, ACCOUNT, { exportKey }))).toBe('keyring_corrupt');
  });

  test('refuses another spelling of the same content', async () => {
    const { keyring, exportKey } = await make();
    const body = keyring.bytes.slice(68);
    const value = decode(body) as Record<string, unknown>;
    const reversed = Object.fromEntries(Object.entries(value).reverse());
    const unsorted = new Uint8Array(encode(reversed, { mapSorter: () => 0 }));
    expect(unsorted).not.toEqual(body);
    const field = (bytes: Bytes) =>
      concat(new Uint8Array([0, 0, bytes.length >> 8, bytes.length & 255]), bytes);
    const message = concat(field(utf8('halfkey/keyring/1')), field(utf8(ACCOUNT)), field(unsorted));
    const signature = await sign(keyring.identity.privateKey, message);
    const bytes = concat(utf8('HKK1'), signature, unsorted);
    expect(await refusalCode(openKeyring(bytes, ACCOUNT, { exportKey }))).toBe('keyring_corrupt');
  });

  test('refuses the right wraps under another identity', async () => {
    const { keyring, exportKey } = await make();
    const other = await signingKeyFromSeed(randomBytes(32));
    const body = { ...(await decodeKeyring(keyring.bytes)), identityPublicKey: other.publicKey };
    const bytes = await encodeKeyring(body, other);
    expect(await refusalCode(openKeyring(bytes, ACCOUNT, { exportKey }))).toBe('keyring_corrupt');
  });

  test('refuses a profile with anything else in it', async () => {
    const { keyring, exportKey } = await make();
    const profile = encode({ ...PROFILE, admin: true });
    const sealed = await seal(keyring.accountKey, sealAad('keyring', ACCOUNT, 'profile', 0), profile);
    const bytes = await resign({ ...(await decodeKeyring(keyring.bytes)), profile: sealed }, keyring);
    expect(await refusalCode(openKeyring(bytes, ACCOUNT, { exportKey }))).toBe('keyring_corrupt');
  });
});

describe('rewrapping', () => {
  test.each([
    ['the kit for a new passphrase', 'recoveryEntropy', 'exportKey'],
    ['the passphrase for another one', 'exportKey', 'exportKey'],
    ['the passphrase for a new kit', 'exportKey', 'recoveryEntropy'],
  ] as const)(
    'by %s keeps every key, and opens with what is new and what was not replaced',
    async (_, by, renewed) => {
      const { keyring, exportKey, recoveryEntropy } = await make();
      const fresh =
        renewed === 'exportKey' ? { exportKey: randomBytes(64) } : { recoveryEntropy: randomBytes(32) };
      const opener = by === 'exportKey' ? { exportKey } : { recoveryEntropy };
      const next = await rewrapKeyring(keyring.bytes, ACCOUNT, opener, fresh);
      const kept = ({ bytes: _, hash: __, version: ___, ...rest }: ReturnType<typeof contents>) => rest;
      expect(next.version).toBe(2);
      expect(kept(contents(next))).toEqual(kept(contents(keyring)));
      const [other, replaced] =
        renewed === 'exportKey' ? [{ recoveryEntropy }, { exportKey }] : [{ exportKey }, { recoveryEntropy }];
      for (const secret of [fresh, other]) {
        expect(contents(await openKeyring(next.bytes, ACCOUNT, secret))).toEqual(contents(next));
      }
      expect(await refusalCode(openKeyring(next.bytes, ACCOUNT, replaced))).toBe('keyring_corrupt');
    },
  );

  test('refuses a wrong kit, and a wrong passphrase', async () => {
    const { keyring } = await make();
    const fresh = { exportKey: randomBytes(64) };
    for (const wrong of [{ recoveryEntropy: randomBytes(32) }, { exportKey: randomBytes(64) }]) {
      expect(await refusalCode(rewrapKeyring(keyring.bytes, ACCOUNT, wrong, fresh))).toBe('keyring_corrupt');
    }
  });
});
