import * as v from 'valibot';
import { concat, fromUtf8, lengthPrefixed, utf8, type Bytes } from '../bytes.ts';
import { sealAad } from '../crypto/aad.ts';
import { open, seal } from '../crypto/floe.ts';
import type { Stretching } from '../crypto/stretching.ts';
import { HalfkeyError } from '../errors.ts';
import { ONLY, writing, type Database, type DeviceRecord, type StoredAccount } from './database.ts';
import { openEarlierKeys } from './earlier-account.ts';

/** An account's record with its secrets opened. */
export interface AccountRecord extends Omit<StoredAccount, 'sealedSecrets' | 'stretching'>, Secrets {}

/** What only the device's wrap key opens, and where the passphrase is asked for at each start, only with it. */
interface Secrets {
  /** 32 bytes. */
  readonly accountKey: Bytes;
  /** 32 bytes. */
  readonly vaultKey: Bytes;
  /** As it was typed at sign-in; empty where an earlier build, which did not keep it, wrote the record. */
  readonly userName: string;
}

/** What closes a record to anyone who does not know the passphrase. */
export interface StartLock {
  readonly stretching: Stretching;
  /** What the passphrase gives, 32 bytes. */
  readonly key: Bytes;
}

/** What of a record is readable without opening anything, and so is nothing but a claim. */
export type Owner = Pick<StoredAccount, 'account' | 'serverPublicKey' | 'keyring' | 'stretching'>;

const KEY_BYTES = 32;
const bytes = v.custom<Bytes>((value) => value instanceof Uint8Array);
const number = v.number();
const Stored = v.object({
  account: v.string(),
  vault: v.string(),
  epoch: v.pipe(number, v.integer(), v.minValue(0), v.maxValue(0xffffffff)),
  identityPublicKey: bytes,
  serverPublicKey: v.string(),
  keyring: v.object({ version: number, hash: bytes }),
  sealedSecrets: bytes,
  stretching: v.optional(v.object({ salt: bytes, memoryKib: number, passes: number, lanes: number })),
});

/**
 * Writes the record in place of the one that is there.
 * @param lock present: from now on the record opens with it alone
 * @throws {HalfkeyError} `device_full`
 */
export async function saveAccount(
  database: Database,
  device: DeviceRecord,
  record: AccountRecord,
  lock?: StartLock,
): Promise<void> {
  const { accountKey, vaultKey, userName, ...rest } = record;
  const plaintext = concat(accountKey, vaultKey, utf8(userName));
  const inner = lock ? await seal(lock.key, innerAad(record), plaintext) : plaintext;
  const sealedSecrets = await seal(device.wrapKey, outerAad(device, rest, lock?.stretching), inner);
  const stored: StoredAccount = { ...rest, sealedSecrets, ...(lock && { stretching: lock.stretching }) };
  await writing(() => database.put('account', stored, ONLY));
}

/**
 * @param startKey what the passphrase gives with the `stretching` that `readOwner` told; only where there is one
 * @returns undefined on a device without an account
 * @throws {HalfkeyError} `device_state_lost` when the device's wrap key does not open the record, or any field of it is
 *   another than was written: sign in again; `passphrase_wrong` when only the start key does not
 */
export async function readAccount(
  database: Database,
  device: DeviceRecord,
  startKey?: Bytes,
): Promise<AccountRecord | undefined> {
  const found: unknown = await database.get('account', ONLY);
  if (found === undefined) return undefined;
  const earlier = await lostUnless(() => openEarlierKeys(found, device.wrapKey));
  const { sealedSecrets, stretching, ...rest } = parse(found);
  if (earlier) return { ...rest, ...earlier, userName: '' };
  const inner = await lostUnless(() =>
    open(device.wrapKey, outerAad(device, rest, stretching), sealedSecrets),
  );
  if (!stretching) return { ...rest, ...readSecrets(inner) };
  if (!startKey) throw new TypeError('expected a start key for a record that asks for the passphrase');
  return { ...rest, ...readSecrets(await openWithStartKey(startKey, rest, inner)) };
}

/**
 * What of the record can be read without a key: nothing of it is known to be true.
 * @returns undefined on a device without an account
 * @throws {HalfkeyError} `device_state_lost` when it is no record at all
 */
export async function readOwner(database: Database): Promise<Owner | undefined> {
  const found: unknown = await database.get('account', ONLY);
  if (found === undefined) return undefined;
  const { account, serverPublicKey, keyring, stretching } = parse(found);
  return { account, serverPublicKey, keyring, ...(stretching && { stretching }) };
}

function parse(found: unknown): StoredAccount {
  // A record of version 1 has no such field.
  const parsed = v.safeParse(Stored, { sealedSecrets: new Uint8Array(), ...(found as object) });
  if (!parsed.success) throw lost();
  const { stretching, ...rest } = parsed.output;
  return { ...rest, ...(stretching && { stretching }) };
}

function readSecrets(plaintext: Bytes): Secrets {
  return {
    accountKey: plaintext.slice(0, KEY_BYTES),
    vaultKey: plaintext.slice(KEY_BYTES, 2 * KEY_BYTES),
    userName: fromUtf8(plaintext.subarray(2 * KEY_BYTES)),
  };
}

async function openWithStartKey(key: Bytes, rest: Settled, sealed: Bytes): Promise<Bytes> {
  try {
    return await open(key, innerAad(rest), sealed);
  } catch (error) {
    // Under the device's seal it is as it was written: only the key can be another one.
    if (!(error instanceof HalfkeyError) || error.code !== 'key_mismatch') throw lost(error);
    throw new HalfkeyError('passphrase_wrong', 'the passphrase does not open what is stored on this device');
  }
}

async function lostUnless<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (cause) {
    throw lost(cause);
  }
}

function lost(cause?: unknown): HalfkeyError {
  return new HalfkeyError('device_state_lost', 'the record that is stored on this device does not open', {
    cause,
  });
}

type Settled = Omit<StoredAccount, 'sealedSecrets' | 'stretching'>;

/** Everything else of the record, and whose keys sign here: a record whose parts were exchanged does not open. */
function outerAad(device: DeviceRecord, rest: Settled, stretching: Stretching | undefined): Bytes {
  const { account, vault, epoch, identityPublicKey, serverPublicKey, keyring } = rest;
  const aad = concat(
    sealAad('device-wrap', account, stretching ? 'closed' : 'secrets', epoch),
    lengthPrefixed(vault, device.id, device.publicKey, identityPublicKey, serverPublicKey),
    lengthPrefixed(String(keyring.version), keyring.hash),
  );
  if (!stretching) return aad;
  const { salt, memoryKib, passes, lanes } = stretching;
  return concat(aad, lengthPrefixed(salt, String(memoryKib), String(passes), String(lanes)));
}

function innerAad({ account, vault, epoch }: Pick<Settled, 'account' | 'vault' | 'epoch'>): Bytes {
  return concat(sealAad('start-wrap', account, 'secrets', epoch), lengthPrefixed(vault));
}
