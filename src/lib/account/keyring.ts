import { equalBytes, lengthPrefixed, type Bytes } from '../bytes.ts';
import { sealAad } from '../crypto/aad.ts';
import { generateAgreementKeyPair, isAgreementPair } from '../crypto/agreement.ts';
import { sha256 } from '../crypto/digest.ts';
import { open, seal } from '../crypto/floe.ts';
import { deriveKey } from '../crypto/hkdf.ts';
import { randomSecret } from '../crypto/random.ts';
import { generateSeed, sign, signingKeyFromSeed, verify, type SigningKeyPair } from '../crypto/signing.ts';
import { HalfkeyError } from '../errors.ts';
import {
  corruptKeyring,
  decodeKeyring,
  decodeProfile,
  encodeKeyring,
  encodeProfile,
  type KeyringBody,
  type KeyringProfile,
} from './keyring-format.ts';
import { recoveryKek } from './recovery.ts';
import { wipeAtEnd } from '../crypto/wipe.ts';

const KEY_BYTES = 32;

/** The key of one vault and epoch. */
interface VaultKey {
  readonly vault: string;
  readonly epoch: number;
  /** 32 bytes. */
  readonly key: Bytes;
}

/** A keyring with its wraps opened, as passphrase or kit do. */
export interface OpenKeyring extends KeyringProfile {
  /** As the broker keeps it. */
  readonly bytes: Bytes;
  /** SHA-256 of `bytes`: what the journal pins, with the version. */
  readonly hash: Bytes;
  readonly version: number;
  readonly account: string;
  /** Certifies devices and signs keyrings; its holder drops it as soon as that is done. */
  readonly identity: SigningKeyPair;
  /** 32 bytes. */
  readonly accountKey: Bytes;
  readonly sharing: { readonly publicKey: Bytes; readonly privateKey: Bytes };
  readonly vaultKey: VaultKey;
}

/** What wraps a keyring's keys: OPAQUE's export key (64 bytes), or the kit's secret (32 bytes). */
export type KeyringSecret = { readonly exportKey: Bytes } | { readonly recoveryEntropy: Bytes };

/** Makes every key of a new account, and the first version of its keyring. */
export async function createKeyring(
  input: KeyringProfile & {
    readonly account: string;
    readonly vault: string;
    readonly exportKey: Bytes;
    readonly recoveryEntropy: Bytes;
  },
): Promise<OpenKeyring> {
  const { account, vault } = input;
  const [accountKey, seed, key] = [randomSecret(KEY_BYTES), generateSeed(), randomSecret(KEY_BYTES)];
  using _seed = wipeAtEnd(seed);
  const [identity, sharing] = await Promise.all([signingKeyFromSeed(seed), generateAgreementKeyPair()]);
  const vaultKey: VaultKey = { vault, epoch: 0, key };
  const body: KeyringBody = {
    account,
    version: 1,
    identityPublicKey: identity.publicKey,
    sharingPublicKey: sharing.publicKey,
    sharingSignature: await sign(identity.privateKey, sharingMessage(account, sharing.publicKey)),
    byExport: await wrapRoots(account, { exportKey: input.exportKey }, accountKey, seed),
    byRecovery: await wrapRoots(account, { recoveryEntropy: input.recoveryEntropy }, accountKey, seed),
    sharingKey: await seal(accountKey, sharingAad(account), sharing.privateKey),
    vault: { id: vault, epoch: 0, key: await seal(accountKey, vaultKeyAad(account, vaultKey), key) },
    profile: await seal(accountKey, profileAad(account), encodeProfile(input)),
  };
  return await openBody(await encodeKeyring(body, identity), body, identity, accountKey);
}

/**
 * Opens a keyring that came from the broker.
 *
 * @param account the broker's answer; the keyring must say the same
 * @throws {HalfkeyError} `keyring_corrupt`, whatever the fault: a changed byte, another account's, keys that the secret
 *   does not open
 */
export async function openKeyring(
  bytes: Bytes,
  account: string,
  secret: KeyringSecret,
): Promise<OpenKeyring> {
  const body = await decodeKeyring(bytes);
  if (body.account !== account) throw corruptKeyring('it is of another account');
  return corruptUnlessOpen(async () => {
    const { accountKey, seed } = await unwrapRoots(body, secret);
    using _seed = wipeAtEnd(seed);
    const identity = await signingKeyFromSeed(seed);
    return await openBody(bytes, body, identity, accountKey);
  });
}

/**
 * The next version of a keyring, wrapped for a new passphrase or a new kit; the other one of the two stays good. All
 * other keys are the same.
 *
 * @param by opens the present one
 * @param forSecret what takes the place of the passphrase (`exportKey`), or of the kit (`recoveryEntropy`)
 * @throws {HalfkeyError} `keyring_corrupt` as `openKeyring`
 */
export async function rewrapKeyring(
  bytes: Bytes,
  account: string,
  by: KeyringSecret,
  forSecret: KeyringSecret,
): Promise<OpenKeyring> {
  const current = await openKeyring(bytes, account, by);
  const body = await decodeKeyring(bytes);
  const { seed } = await unwrapRoots(body, by);
  using _seed = wipeAtEnd(seed);
  const wraps = await wrapRoots(account, forSecret, current.accountKey, seed);
  const next: KeyringBody = {
    ...body,
    version: body.version + 1,
    ...('exportKey' in forSecret ? { byExport: wraps } : { byRecovery: wraps }),
  };
  return await openBody(
    await encodeKeyring(next, current.identity),
    next,
    current.identity,
    current.accountKey,
  );
}

async function openBody(
  bytes: Bytes,
  body: KeyringBody,
  identity: SigningKeyPair,
  accountKey: Bytes,
): Promise<OpenKeyring> {
  const { account, vault } = body;
  // The signature was checked against the key that the body names: it must be the one that the secret opens.
  if (!equalBytes(identity.publicKey, body.identityPublicKey))
    throw corruptKeyring('it names another identity');
  const aad = vaultKeyAad(account, { vault: vault.id, epoch: vault.epoch });
  const [hash, privateKey, key, profile] = await Promise.all([
    sha256(bytes),
    open(accountKey, sharingAad(account), body.sharingKey),
    open(accountKey, aad, vault.key),
    open(accountKey, profileAad(account), body.profile),
  ]);
  const signed = sharingMessage(account, body.sharingPublicKey);
  const isSigned = await verify(identity.publicKey, signed, body.sharingSignature);
  if (!isSigned || !(await isAgreementPair(privateKey, body.sharingPublicKey)))
    throw corruptKeyring('its sharing key is not its own');
  return {
    ...decodeProfile(profile),
    bytes,
    hash,
    version: body.version,
    account,
    identity,
    accountKey,
    sharing: { publicKey: body.sharingPublicKey, privateKey },
    vaultKey: { vault: vault.id, epoch: vault.epoch, key },
  };
}

type Roots = KeyringBody['byExport'];

/**
 * Account key and identity's seed, each straight under what the user holds: an unlocked profile has no way to the
 * second.
 */
async function wrapRoots(
  account: string,
  secret: KeyringSecret,
  accountKey: Bytes,
  seed: Bytes,
): Promise<Roots> {
  const { kek, id } = await wrappingKey(account, secret);
  using _kek = wipeAtEnd(kek);
  return {
    account: await seal(kek, sealAad('account-key', account, id, 0), accountKey),
    identity: await seal(kek, sealAad('identity-key', account, id, 0), seed),
  };
}

async function unwrapRoots(
  { account, byExport, byRecovery }: KeyringBody,
  secret: KeyringSecret,
): Promise<{ accountKey: Bytes; seed: Bytes }> {
  const { kek, id } = await wrappingKey(account, secret);
  const wraps = 'exportKey' in secret ? byExport : byRecovery;
  using _kek = wipeAtEnd(kek);
  return {
    accountKey: await open(kek, sealAad('account-key', account, id, 0), wraps.account),
    seed: await open(kek, sealAad('identity-key', account, id, 0), wraps.identity),
  };
}

async function wrappingKey(account: string, secret: KeyringSecret): Promise<{ kek: Bytes; id: string }> {
  if ('exportKey' in secret)
    return { kek: await deriveKey(secret.exportKey, 'export-wrap', account), id: 'export' };
  return { kek: await recoveryKek(secret.recoveryEntropy), id: 'recovery' };
}

function sharingMessage(account: string, publicKey: Bytes): Bytes {
  return lengthPrefixed('halfkey/sharing-key/1', account, publicKey);
}

function sharingAad(account: string): Bytes {
  return sealAad('sharing-key', account, 'account', 0);
}

function vaultKeyAad(account: string, { vault, epoch }: Omit<VaultKey, 'key'>): Bytes {
  return sealAad('vault-key', account, vault, epoch);
}

function profileAad(account: string): Bytes {
  return sealAad('keyring', account, 'profile', 0);
}

async function corruptUnlessOpen<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof HalfkeyError && error.family === 'corrupt') {
      throw corruptKeyring('what it wraps does not open');
    }
    throw error;
  }
}
