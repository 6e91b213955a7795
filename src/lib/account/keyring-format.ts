import { decode, encode, rfc8949EncodeOptions } from 'cborg';
import * as v from 'valibot';
import { concat, equalBytes, lengthPrefixed, utf8, type Bytes } from '../bytes.ts';
import { sealedSize } from '../crypto/floe.ts';
import { sign, verify, type SigningKeyPair } from '../crypto/signing.ts';
import { HalfkeyError } from '../errors.ts';

/** Keyring, version 1 of its format: magic, signature, then the body that is signed. docs/FORMAT.md, Keyring. */
const MAGIC = utf8('HKK1');
const SIGNATURE_OFFSET = MAGIC.length;
const BODY_OFFSET = SIGNATURE_OFFSET + 64;

const bytesOf = (sizeBytes: number) =>
  v.pipe(
    v.instance(Uint8Array),
    v.check((bytes) => bytes.length === sizeBytes, `expected ${String(sizeBytes)} bytes`),
    v.transform((bytes): Bytes => new Uint8Array(bytes)),
  );
const WrappedKey = bytesOf(sealedSize(32));
const Wraps = v.strictObject({ account: WrappedKey, identity: WrappedKey });

const Body = v.strictObject({
  account: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22}$/)),
  version: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  identityPublicKey: bytesOf(32),
  sharingPublicKey: bytesOf(32),
  sharingSignature: bytesOf(64),
  byExport: Wraps,
  byRecovery: Wraps,
  sharingKey: WrappedKey,
  vault: v.strictObject({
    id: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
    epoch: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff)),
    key: WrappedKey,
  }),
  profile: v.pipe(
    v.instance(Uint8Array),
    v.transform((bytes): Bytes => new Uint8Array(bytes)),
  ),
});

/** What a keyring says: public halves in the clear, everything else as FLOE ciphertexts. */
export type KeyringBody = v.InferOutput<typeof Body>;

const Profile = v.strictObject({
  userName: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  serverPublicKey: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,128}$/)),
});

/** What only the account key opens. */
export interface KeyringProfile {
  readonly userName: string;
  /** OPAQUE's static public key of the broker that the account was made at, base64url. */
  readonly serverPublicKey: string;
}

/** Signs a body and puts it into its bytes. */
export async function encodeKeyring(body: KeyringBody, identity: SigningKeyPair): Promise<Bytes> {
  const encoded = canonical(body);
  return concat(MAGIC, await sign(identity.privateKey, signedMessage(body.account, encoded)), encoded);
}

/**
 * The body of a keyring that its own identity key has signed. Whose identity that is, the caller must see.
 * @throws {HalfkeyError} `keyring_corrupt`, whatever the fault
 */
export async function decodeKeyring(bytes: Bytes): Promise<KeyringBody> {
  if (!equalBytes(bytes.subarray(0, SIGNATURE_OFFSET), MAGIC)) throw corruptKeyring('it has another magic');
  const encoded = bytes.slice(BODY_OFFSET);
  const body = parseCanonical(Body, encoded);
  const message = signedMessage(body.account, encoded);
  const signature = bytes.slice(SIGNATURE_OFFSET, BODY_OFFSET);
  if (!(await verify(body.identityPublicKey, message, signature))) {
    throw corruptKeyring('its signature is not of its identity');
  }
  return body;
}

export function encodeProfile({ userName, serverPublicKey }: KeyringProfile): Bytes {
  return canonical({ userName, serverPublicKey });
}

/** @throws {HalfkeyError} `keyring_corrupt` */
export function decodeProfile(bytes: Bytes): KeyringProfile {
  return parseCanonical(Profile, bytes);
}

/** Every fault of a keyring looks the same: who sent it learns nothing from which. */
export function corruptKeyring(message: string): HalfkeyError {
  return new HalfkeyError('keyring_corrupt', `the keyring is not as it was written: ${message}`);
}

function signedMessage(account: string, encoded: Bytes): Bytes {
  return lengthPrefixed('halfkey/keyring/1', account, encoded);
}

/** Deterministic CBOR (RFC 8949 §4.2.1). */
function canonical(value: unknown): Bytes {
  return new Uint8Array(encode(value, rfc8949EncodeOptions));
}

function parseCanonical<Schema extends v.GenericSchema>(
  schema: Schema,
  encoded: Bytes,
): v.InferOutput<Schema> {
  let value: unknown;
  try {
    value = decode(encoded, { strict: true, rejectDuplicateMapKeys: true, allowIndefinite: false });
  } catch {
    throw corruptKeyring('it is no CBOR');
  }
  const parsed = v.safeParse(schema, value);
  if (!parsed.success) throw corruptKeyring('a field is missing, unknown or malformed');
  // One value, one encoding: bytes that mean the same in another spelling are not what was written.
  if (!equalBytes(canonical(value), encoded)) throw corruptKeyring('its encoding is not canonical');
  return parsed.output;
}
