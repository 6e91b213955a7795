import * as v from 'valibot';

// 128 bits are 21 characters and one that carries two bits: its last four are zero in canonical form.
const ID = /^[A-Za-z0-9_-]{21}[AQgw]$/;
const id = v.pipe(v.string(), v.regex(ID, 'expected 22 characters of canonical base64url'));

/** 128 random bits, base64url, 22 characters: one sealed version of a file in S3. */
export const BlobId = v.pipe(id, v.brand('BlobId'));
export type BlobId = v.InferOutput<typeof BlobId>;

export const AccountId = v.pipe(id, v.brand('AccountId'));
export type AccountId = v.InferOutput<typeof AccountId>;

export const DeviceId = v.pipe(id, v.brand('DeviceId'));
export type DeviceId = v.InferOutput<typeof DeviceId>;

export const GrantId = v.pipe(id, v.brand('GrantId'));
export type GrantId = v.InferOutput<typeof GrantId>;

/** The id of the vault's Cognito identity, `region:uuid`. */
export const VaultId = v.pipe(
  v.string(),
  v.regex(/^[a-z]{2}(?:-[a-z]+)+-\d:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'expected region:uuid'),
  v.brand('VaultId'),
);
export type VaultId = v.InferOutput<typeof VaultId>;

/** The authenticator's six digits (RFC 6238, 30 s). */
export const Code = v.pipe(v.string(), v.regex(/^\d{6}$/, 'expected six digits'), v.brand('Code'));
export type Code = v.InferOutput<typeof Code>;

/** 80 random bits as 16 characters of base32 (RFC 4648 §6), without the groups' dashes. */
export const BackupCode = v.pipe(
  v.string(),
  v.regex(/^[A-Z2-7]{16}$/, 'expected 16 characters of base32'),
  v.brand('BackupCode'),
);
export type BackupCode = v.InferOutput<typeof BackupCode>;

/** What stands for the second factor: a code, or a one-time backup code in its place. */
export const Factor = v.union([v.strictObject({ code: Code }), v.strictObject({ backupCode: BackupCode })]);
export type Factor = v.InferOutput<typeof Factor>;

/** Of any text of Unicode 17 the third time changes nothing. */
const MAX_FOLDS = 8;

/** NFKC, then lower case, until that changes nothing more: what one of them makes, the other may take apart (`J̌`). */
function folded(name: string): string {
  let before = name;
  for (let count = 0; count < MAX_FOLDS; count += 1) {
    const after = before.normalize('NFKC').toLowerCase();
    if (after === before) return after;
    before = after;
  }
  return '';
}

/** NFKC and lower case, no white space or control characters at all. */
export const UserName = v.pipe(
  v.string(),
  v.maxLength(256),
  v.transform(folded),
  v.regex(/^[^\s\p{C}]{1,64}$/u, 'expected 1 to 64 characters without spaces'),
  v.brand('UserName'),
);
export type UserName = v.InferOutput<typeof UserName>;

// Of a last group of two characters the second carries two bits, of one of three the third carries four; the rest are
// zero.
const CANONICAL_END = /^(?:|[A-Za-z0-9_-][AQgw]|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])$/;

/**
 * Canonical base64url without padding of exactly, or at most, so many bytes. Readers differ in what they make of
 * another form of the same bytes, and two texts of one value are two keys.
 */
export function b64url(sizeBytes: { exactly: number } | { atMost: number }) {
  const characters = (bytes: number) => Math.ceil((bytes * 4) / 3);
  return v.pipe(
    v.string(),
    'exactly' in sizeBytes
      ? v.length(characters(sizeBytes.exactly))
      : v.maxLength(characters(sizeBytes.atMost)),
    v.regex(/^[A-Za-z0-9_-]*$/, 'expected base64url'),
    v.check(
      (text) => CANONICAL_END.test(text.slice(text.length - (text.length % 4))),
      'expected canonical base64url',
    ),
  );
}

/** A SHA-256 as S3's checksum headers write it: base64 with padding, 44 characters. */
export const Sha256B64 = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/, 'expected a SHA-256 in base64'),
);

/** What S3 gives out as a name, and gets back as it was: printable ASCII, which survives a URL and an XML document. */
export const s3Name = (atMostCharacters: number) =>
  v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(atMostCharacters),
    v.regex(/^[!-~]*$/, 'expected printable ASCII'),
  );

export const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
