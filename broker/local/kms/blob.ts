import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { EncryptionContext } from './encryption-context.ts';
import { contextBytes } from './encryption-context.ts';
import type { RootKey } from './root-key.ts';

const FORMAT = 1;
const KEY_ID_BYTES = 16;
const SALT_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** format ‖ key id ‖ key version (u32be) ‖ salt: what the key of a blob is derived from. */
const HEADER_BYTES = 1 + KEY_ID_BYTES + 4 + SALT_BYTES;

/** Bytes that a blob is longer than its plaintext: 65, so a blob of a 32-byte key has 97. */
const BLOB_OVERHEAD_BYTES = HEADER_BYTES + IV_BYTES + TAG_BYTES;

/**
 * Seals under a key of this blob's own: HKDF-SHA-256 of the root key over 128 random bits of salt, then AES-256-GCM
 * with 96 random bits of IV. One root key under GCM alone would be good for 2^32 random IVs (SP 800-38D §8.3); here key
 * and IV repeat together only when 224 random bits do, so neither restarts nor restored backups need a counter.
 */
export function sealBlob(root: RootKey, plaintext: Uint8Array, context: EncryptionContext): Buffer {
  const header = Buffer.concat([blobPrefix(root), randomBytes(SALT_BYTES)]);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', blobKey(root, header), iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(blobAad(header, context));
  return Buffer.concat([header, iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** What came of opening a blob; `other_key`: well-formed, but made by a key that is not this one. */
export type OpenedBlob =
  | { readonly kind: 'opened'; readonly plaintext: Buffer }
  | { readonly kind: 'other_key' }
  | { readonly kind: 'invalid' };

/** Opens a blob; damaged, cut, lengthened or under another context is `invalid` alike. */
export function openBlob(root: RootKey, blob: Uint8Array, context: EncryptionContext): OpenedBlob {
  if (blob.length < BLOB_OVERHEAD_BYTES || blob[0] !== FORMAT) return { kind: 'invalid' };
  const prefix = blobPrefix(root);
  if (!prefix.equals(blob.subarray(0, prefix.length))) return { kind: 'other_key' };
  const header = blob.subarray(0, HEADER_BYTES);
  const iv = blob.subarray(HEADER_BYTES, HEADER_BYTES + IV_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', blobKey(root, header), iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(blobAad(header, context));
  decipher.setAuthTag(blob.subarray(-TAG_BYTES));
  const plaintext = decipher.update(blob.subarray(HEADER_BYTES + IV_BYTES, -TAG_BYTES));
  try {
    decipher.final();
  } catch {
    return { kind: 'invalid' };
  }
  return { kind: 'opened', plaintext };
}

function blobPrefix(root: RootKey): Buffer {
  const prefix = Buffer.alloc(HEADER_BYTES - SALT_BYTES);
  prefix[0] = FORMAT;
  prefix.write(root.keyId.replaceAll('-', ''), 1, 'hex');
  prefix.writeUInt32BE(root.keyVersion, 1 + KEY_ID_BYTES);
  return prefix;
}

function blobKey(root: RootKey, header: Uint8Array): Buffer {
  const info = Buffer.concat([Buffer.from('halfkey/local-cloud/kms/1'), header.subarray(0, -SALT_BYTES)]);
  return Buffer.from(hkdfSync('sha256', root.secret, header.subarray(-SALT_BYTES), info, 32));
}

function blobAad(header: Uint8Array, context: EncryptionContext): Buffer {
  return Buffer.concat([header, contextBytes(context)]);
}
