import { bytesAt, countAt, fromCbor, mapOf, textAt } from './cbor.ts';
import { ed25519PublicKey, x25519PublicKey } from './ed25519.ts';
import { openFloe } from './floe.ts';
import { aad, derive, equal, isSignedBy, NO_SALT, prefixed, utf8, type Bytes } from './primitives.ts';
import { demand, Refused } from './refused.ts';
import { recoveryKek } from './kit.ts';

const CODE = 'keyring_corrupt';
const ENTRIES = [
  'account',
  'version',
  'identityPublicKey',
  'sharingPublicKey',
  'sharingSignature',
  'byExport',
  'byRecovery',
  'sharingKey',
  'vault',
  'profile',
];

/** Everything that a keyring holds, opened. */
export interface Keyring {
  readonly version: number;
  readonly accountKey: Bytes;
  readonly identitySeed: Bytes;
  readonly identityPublicKey: Bytes;
  readonly sharingPrivateKey: Bytes;
  readonly sharingPublicKey: Bytes;
  readonly vault: string;
  readonly epoch: number;
  readonly vaultKey: Bytes;
  readonly userName: string;
  readonly serverPublicKey: string;
}

/** What opens a keyring: OPAQUE's export key (64 bytes), or the recovery entropy (32 bytes). */
export type Opener = { readonly exportKey: Uint8Array } | { readonly recoveryEntropy: Uint8Array };

/** Section 9. */
export function readKeyring(bytes: Uint8Array, account: string, opener: Opener): Keyring {
  demand(equal(bytes.subarray(0, 4), utf8('HKK1')) && bytes.length > 68, CODE, 'another magic');
  const [signature, body] = [bytes.subarray(4, 68), bytes.subarray(68)];
  const map = mapOf(fromCbor(body, CODE), ENTRIES, CODE);
  demand(textAt(map, 'account', CODE) === account, CODE, 'of another account');
  const identityPublicKey = bytesAt(map, 'identityPublicKey', 32, CODE);
  const keys = openWraps(map, account, opener);
  demand(equal(ed25519PublicKey(keys.identitySeed), identityPublicKey), CODE, 'another identity key');
  const signed = prefixed('halfkey/keyring/1', account, body);
  demand(isSignedBy(identityPublicKey, signature, signed), CODE, 'not signed by the identity key');
  const version = countAt(map, 'version', CODE);
  demand(version >= 1, CODE, 'a version below 1');
  return {
    version,
    identityPublicKey,
    ...keys,
    ...readSharing(map, account, identityPublicKey, keys.accountKey),
    ...readVault(map, account, keys.accountKey),
    ...readProfile(map, account, keys.accountKey),
  };
}

function open(key: Uint8Array, context: Uint8Array, sealed: Uint8Array): Bytes {
  try {
    return openFloe(key, context, sealed);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw new Refused(CODE, 'a wrap does not open');
  }
}

type Body = ReadonlyMap<string, unknown>;

function openWraps(map: Body, account: string, opener: Opener): Pick<Keyring, 'accountKey' | 'identitySeed'> {
  const [entry, id, kek] =
    'exportKey' in opener
      ? ['byExport', 'export', derive(opener.exportKey, NO_SALT, 'export-wrap', account)]
      : ['byRecovery', 'recovery', recoveryKek(opener.recoveryEntropy)];
  // The other opener's wraps must have their form, too.
  const wraps = new Map(
    ['byExport', 'byRecovery'].map((name) => {
      const pair = mapOf(map.get(name), ['account', 'identity'], CODE);
      const of = (key: string): Bytes => bytesAt(pair, key, 138, CODE);
      return [name, { account: of('account'), identity: of('identity') }] as const;
    }),
  ).get(entry);
  demand(wraps !== undefined, CODE, 'no wraps');
  const unwrap = (key: 'account' | 'identity', type: string): Bytes =>
    open(kek, aad(type, account, id, 0), wraps[key]);
  return { accountKey: unwrap('account', 'account-key'), identitySeed: unwrap('identity', 'identity-key') };
}

function readSharing(
  map: Body,
  account: string,
  identityPublicKey: Uint8Array,
  accountKey: Uint8Array,
): Pick<Keyring, 'sharingPrivateKey' | 'sharingPublicKey'> {
  const sharingPublicKey = bytesAt(map, 'sharingPublicKey', 32, CODE);
  const signed = prefixed('halfkey/sharing-key/1', account, sharingPublicKey);
  const signature = bytesAt(map, 'sharingSignature', 64, CODE);
  demand(isSignedBy(identityPublicKey, signature, signed), CODE, 'a sharing key that is not signed');
  const sealed = bytesAt(map, 'sharingKey', 138, CODE);
  const sharingPrivateKey = open(accountKey, aad('sharing-key', account, 'account', 0), sealed);
  demand(equal(x25519PublicKey(sharingPrivateKey), sharingPublicKey), CODE, 'halves of two sharing keys');
  return { sharingPrivateKey, sharingPublicKey };
}

function readVault(
  map: Body,
  account: string,
  accountKey: Uint8Array,
): Pick<Keyring, 'vault' | 'epoch' | 'vaultKey'> {
  const entries = mapOf(map.get('vault'), ['id', 'epoch', 'key'], CODE);
  const [vault, epoch] = [textAt(entries, 'id', CODE), countAt(entries, 'epoch', CODE)];
  demand(epoch < 2 ** 32, CODE, 'an epoch beyond 32 bits');
  const vaultKey = open(
    accountKey,
    aad('vault-key', account, vault, epoch),
    bytesAt(entries, 'key', 138, CODE),
  );
  return { vault, epoch, vaultKey };
}

function readProfile(
  map: Body,
  account: string,
  accountKey: Uint8Array,
): Pick<Keyring, 'userName' | 'serverPublicKey'> {
  const sealed = bytesAt(map, 'profile', undefined, CODE);
  const profile = fromCbor(open(accountKey, aad('keyring', account, 'profile', 0), sealed), CODE);
  const entries = mapOf(profile, ['userName', 'serverPublicKey'], CODE);
  return {
    userName: textAt(entries, 'userName', CODE),
    serverPublicKey: textAt(entries, 'serverPublicKey', CODE),
  };
}
