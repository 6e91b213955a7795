import { ed25519PublicKey, signWith, x25519PublicKey } from '../reader/ed25519.ts';
import { aad, concat, derive, NO_SALT, prefixed, utf8, type Bytes } from '../reader/primitives.ts';
import type { KeyringVector } from './kit.ts';
import { base64, bytesOf, filled, flipped, hex, idOf } from './writing/bytes.ts';
import { cbor, float64, Pairs, Raw, raw, type Item } from './writing/cbor.ts';
import { sealFloe } from './writing/floe.ts';

const ACCOUNT = idOf('account', 1);
const VAULT = 'eu-central-1:5b1f0c52-8a8e-4f0e-9b62-2d6f3a5c7e10';
const EXPORT_KEY = bytesOf('export key', 64);
const ENTROPY = bytesOf('recovery entropy', 32);
const ACCOUNT_KEY = bytesOf('account key', 32);
const SEED = bytesOf('identity seed', 32);
const SHARING = bytesOf('sharing key', 32);
const VAULT_KEY = bytesOf('vault key', 32);
const SERVER_KEY = Buffer.from(bytesOf('server key', 32)).toString('base64url');

const kekOf = (id: 'export' | 'recovery'): Bytes =>
  id === 'export'
    ? derive(EXPORT_KEY, NO_SALT, 'export-wrap', ACCOUNT)
    : derive(ENTROPY, NO_SALT, 'recovery-wrap');

const wrap = (key: Bytes, context: Bytes, what: Uint8Array, label: string): Bytes =>
  sealFloe(key, context, what, `keyring ${label}`);
const root = (
  type: 'account-key' | 'identity-key',
  id: 'export' | 'recovery',
  what: Bytes,
  by = kekOf(id),
): Bytes => wrap(by, aad(type, ACCOUNT, id, 0), what, `${type} ${id}`);
const wraps = (id: 'export' | 'recovery', seed = SEED): Pairs =>
  new Pairs(['account', root('account-key', id, ACCOUNT_KEY)], ['identity', root('identity-key', id, seed)]);
const profileOf = (...pairs: readonly (readonly [Item, Item])[]): Bytes =>
  wrap(ACCOUNT_KEY, aad('keyring', ACCOUNT, 'profile', 0), cbor(new Pairs(...pairs)), 'profile');
const sharingSignature = (
  publicKey: Bytes,
  account = ACCOUNT,
  label = 'halfkey/sharing-key/1',
  seed = SEED,
): Bytes => signWith(seed, prefixed(label, account, publicKey));
const vaultOf = (epoch: number, changes: { id?: Item; epoch?: Item; aadEpoch?: number } = {}): Pairs =>
  new Pairs(
    ['id', changes.id ?? VAULT],
    [
      'key',
      wrap(ACCOUNT_KEY, aad('vault-key', ACCOUNT, VAULT, changes.aadEpoch ?? epoch), VAULT_KEY, 'vault key'),
    ],
    ['epoch', changes.epoch ?? epoch],
  );

/** The right entries of the body; in the order of their encodings, the shorter first. */
const ENTRIES: Readonly<Record<string, Item>> = {
  vault: vaultOf(0),
  account: ACCOUNT,
  profile: profileOf(['userName', 'ada'], ['serverPublicKey', SERVER_KEY]),
  version: 3,
  byExport: wraps('export'),
  byRecovery: wraps('recovery'),
  sharingKey: wrap(ACCOUNT_KEY, aad('sharing-key', ACCOUNT, 'account', 0), SHARING, 'sharing key'),
  sharingPublicKey: x25519PublicKey(SHARING),
  sharingSignature: sharingSignature(x25519PublicKey(SHARING)),
  identityPublicKey: ed25519PublicKey(SEED),
};

const bodyOf = (changes: Readonly<Record<string, Item | undefined>> = {}): Pairs => {
  const merged = { ...ENTRIES, ...changes };
  const pairs = Object.entries(merged).flatMap(([key, value]): [Item, Item][] =>
    value === undefined ? [] : [[key, value]],
  );
  return new Pairs(...pairs);
};

interface Faults {
  readonly magic?: string;
  readonly account?: string;
  readonly label?: string;
  readonly seed?: Bytes;
  readonly after?: Bytes;
}

function keyring(body: Pairs | Bytes, faults: Faults = {}): Bytes {
  const bytes = body instanceof Uint8Array ? body : cbor(body);
  const message = prefixed(faults.label ?? 'halfkey/keyring/1', faults.account ?? ACCOUNT, bytes);
  const signature = signWith(faults.seed ?? SEED, message);
  return concat(utf8(faults.magic ?? 'HKK1'), signature, bytes, faults.after ?? new Uint8Array(0));
}

const FOUND = {
  version: 3,
  vaultKeyHex: hex(VAULT_KEY),
  userName: 'ada',
  sharingPrivateKeyHex: hex(SHARING),
};
const vector = (
  name: string,
  says: string,
  bytes: Uint8Array,
  expect: KeyringVector['expect'],
  opener: Pick<KeyringVector, 'exportKeyHex' | 'recoveryEntropyHex'> = { exportKeyHex: hex(EXPORT_KEY) },
  account = ACCOUNT,
): KeyringVector => ({ name, rule: '9', says, account, ...opener, keyringB64: base64(bytes), expect });
const corrupt = (
  name: string,
  says: string,
  bytes: Uint8Array,
  opener?: Parameters<typeof vector>[4],
): KeyringVector => vector(name, says, bytes, { refused: 'keyring_corrupt' }, opener);
const changed = (
  name: string,
  says: string,
  changes: Readonly<Record<string, Item | undefined>>,
): KeyringVector => corrupt(name, says, keyring(bodyOf(changes)));
const BY_KIT = { recoveryEntropyHex: hex(ENTROPY) };

export const keyringVectors = (): KeyringVector[] => {
  const right = keyring(bodyOf());
  const [first, ...others] = bodyOf().pairs;
  const unordered = new Pairs(...others, ...(first ? [first] : []));
  const twice = new Pairs(...bodyOf().pairs, ['version', 3]);
  return [
    vector('export', 'a keyring, opened by the passphrase’s export key', right, FOUND),
    vector('recovery', 'the same, opened by the kit', right, FOUND, BY_KIT),
    vector('version-1', 'the lowest version', keyring(bodyOf({ version: 1 })), { ...FOUND, version: 1 }),
    vector('version-greatest', 'the greatest version', keyring(bodyOf({ version: 2 ** 53 - 1 })), {
      ...FOUND,
      version: 2 ** 53 - 1,
    }),
    vector(
      'epoch-greatest',
      'a vault key of the greatest epoch',
      keyring(bodyOf({ vault: vaultOf(2 ** 32 - 1) })),
      FOUND,
    ),
    corrupt('magic', 'another magic', keyring(bodyOf(), { magic: 'HKK2' })),
    corrupt('empty', 'no byte', new Uint8Array(0)),
    corrupt('head-alone', 'no body', right.slice(0, 68)),
    corrupt('signature', 'a changed byte of the signature', flipped(right, 4)),
    corrupt(
      'signature-account',
      'a signature for another account',
      keyring(bodyOf(), { account: idOf('account', 2) }),
    ),
    corrupt(
      'signature-label',
      'a signature over another label',
      keyring(bodyOf(), { label: 'halfkey/keyring/2' }),
    ),
    corrupt(
      'signature-key',
      'a signature of another key',
      keyring(bodyOf(), { seed: bytesOf('another seed', 32) }),
    ),
    vector(
      'account-asked',
      'the keyring of another account than the one that was asked for',
      right,
      { refused: 'keyring_corrupt' },
      undefined,
      idOf('account', 2),
    ),
    changed('account-other', 'another account in the body', { account: idOf('account', 2) }),
    corrupt(
      'identity-other',
      'another identity key in the body, which signed it, and whose seed is in no wrap',
      keyring(
        bodyOf({
          identityPublicKey: ed25519PublicKey(filled(7)),
          sharingSignature: sharingSignature(
            x25519PublicKey(SHARING),
            ACCOUNT,
            'halfkey/sharing-key/1',
            filled(7),
          ),
        }),
        { seed: filled(7) },
      ),
    ),
    corrupt(
      'identity-not-the-wraps',
      'a seed in the wrap that is not the identity key’s; the kit’s wrap is right',
      keyring(bodyOf({ byExport: wraps('export', filled(7)) })),
    ),
    vector(
      'identity-by-kit',
      'the same, opened by the kit, which does not look at the other wrap',
      keyring(bodyOf({ byExport: wraps('export', filled(7)) })),
      FOUND,
      BY_KIT,
    ),
    corrupt('export-key', 'another export key', right, { exportKeyHex: hex(flipped(EXPORT_KEY, 0)) }),
    corrupt('entropy', 'another kit', right, { recoveryEntropyHex: hex(flipped(ENTROPY, 0)) }),
    changed('wraps-swapped', 'account key and identity seed in each other’s place', {
      byExport: new Pairs(
        ['account', root('identity-key', 'export', ACCOUNT_KEY)],
        ['identity', root('account-key', 'export', SEED)],
      ),
    }),
    changed('wraps-id', 'the kit’s wraps, sealed under the passphrase’s key with the kit’s id', {
      byExport: new Pairs(
        ['account', root('account-key', 'recovery', ACCOUNT_KEY, kekOf('export'))],
        ['identity', root('identity-key', 'recovery', SEED, kekOf('export'))],
      ),
    }),
    changed('wraps-more', 'a wrap more', {
      byExport: new Pairs(...wraps('export').pairs, ['sharing', filled(1, 138)]),
    }),
    changed('wraps-missing', 'a wrap less, of the other opener', {
      byRecovery: new Pairs(['account', root('account-key', 'recovery', ACCOUNT_KEY)]),
    }),
    changed('wraps-short', 'a wrap of 137 bytes, of the other opener', {
      byRecovery: new Pairs(
        ['account', root('account-key', 'recovery', ACCOUNT_KEY).slice(1)],
        ['identity', root('identity-key', 'recovery', SEED)],
      ),
    }),
    changed('wrap-damaged', 'a wrap with a changed byte', {
      byExport: new Pairs(
        ['account', flipped(root('account-key', 'export', ACCOUNT_KEY), -1)],
        ['identity', root('identity-key', 'export', SEED)],
      ),
    }),
    changed('missing', 'an entry less', { sharingSignature: undefined }),
    changed('more', 'an entry more', { zzzz: 1 }),
    changed('version-0', 'the version 0', { version: 0 }),
    changed('version-negative', 'a negative version', { version: -1 }),
    changed('version-beyond', 'the version 2^53', { version: raw('1b0020000000000000') }),
    changed('version-float', 'a version as a floating-point number', { version: float64(3) }),
    changed('version-fraction', 'a version that is no integer', { version: float64(3.5) }),
    changed('version-half', 'the same in the fewest bytes', { version: raw('f94300') }),
    changed('version-text', 'a version that is a text', { version: '3' }),
    changed('account-bytes', 'an account as a byte string', { account: utf8(ACCOUNT) }),
    changed('key-short', 'an identity key of 31 bytes', {
      identityPublicKey: ed25519PublicKey(SEED).slice(1),
    }),
    changed('sharing-signature', 'a signature of the sharing key by another key', {
      sharingSignature: sharingSignature(
        x25519PublicKey(SHARING),
        ACCOUNT,
        'halfkey/sharing-key/1',
        filled(7),
      ),
    }),
    changed('sharing-signature-account', 'a signature of the sharing key for another account', {
      sharingSignature: sharingSignature(x25519PublicKey(SHARING), idOf('account', 2)),
    }),
    changed('sharing-signature-label', 'a signature of the sharing key over another label', {
      sharingSignature: sharingSignature(x25519PublicKey(SHARING), ACCOUNT, 'halfkey/keyring/1'),
    }),
    changed('sharing-pair', 'a sharing key, rightly signed, whose private half is another’s', {
      sharingPublicKey: x25519PublicKey(filled(9)),
      sharingSignature: sharingSignature(x25519PublicKey(filled(9))),
    }),
    changed('sharing-key-damaged', 'a sharing key that does not open', {
      sharingKey: flipped(ENTRIES['sharingKey'] as Bytes, -1),
    }),
    changed('vault-epoch', 'a vault key that is sealed for another epoch', {
      vault: vaultOf(0, { aadEpoch: 1 }),
    }),
    changed('vault-epoch-beyond', 'the epoch 2^32', { vault: vaultOf(0, { epoch: 2 ** 32 }) }),
    changed('vault-epoch-negative', 'a negative epoch', { vault: vaultOf(0, { epoch: -1 }) }),
    changed('vault-id', 'another vault than the key is sealed for', { vault: vaultOf(0, { id: 'another' }) }),
    changed('vault-id-bytes', 'a vault as a byte string', { vault: vaultOf(0, { id: utf8(VAULT) }) }),
    changed('vault-missing', 'a vault without an epoch', {
      vault: new Pairs(...vaultOf(0).pairs.slice(0, 2)),
    }),
    changed('profile-damaged', 'a profile that does not open', {
      profile: flipped(ENTRIES['profile'] as Bytes, -1),
    }),
    changed('profile-more', 'an entry more in the profile', {
      profile: profileOf(['more', 1], ['userName', 'ada'], ['serverPublicKey', SERVER_KEY]),
    }),
    changed('profile-missing', 'an entry less in the profile', { profile: profileOf(['userName', 'ada']) }),
    changed('profile-order', 'a profile whose entries are not in order', {
      profile: profileOf(['serverPublicKey', SERVER_KEY], ['userName', 'ada']),
    }),
    changed('profile-name', 'a user name that is no text', {
      profile: profileOf(['userName', 7], ['serverPublicKey', SERVER_KEY]),
    }),
    corrupt('body-order', 'entries that are not in order', keyring(unordered)),
    corrupt('body-twice', 'an entry twice', keyring(twice)),
    corrupt(
      'body-after',
      'a byte behind the body, signed as well',
      keyring(concat(cbor(bodyOf()), Uint8Array.of(0))),
    ),
    corrupt('body-after-unsigned', 'a byte behind the body', keyring(bodyOf(), { after: Uint8Array.of(0) })),
    changed('body-long-integer', 'an integer in more bytes than it needs', { version: raw('1803') }),
    changed('body-long-length', 'a length in more bytes than it needs', {
      account: new Raw(concat(Uint8Array.of(0x79, 0, 22), utf8(ACCOUNT))),
    }),
    corrupt(
      'body-indefinite',
      'a map of indefinite length',
      keyring(concat(Uint8Array.of(0xbf), cbor(bodyOf()).slice(1), Uint8Array.of(0xff))),
    ),
    corrupt('body-list', 'a list instead of a map', keyring(cbor(bodyOf().pairs.flat()))),
    changed('body-mark', 'a text with a byte order mark, which is part of it', {
      account: `\ufeff${ACCOUNT}`,
    }),
  ];
};
