import type { Bytes } from '../bytes.ts';
import { deriveKey } from './hkdf.ts';
import { wipeAtEnd } from './wipe.ts';

/** Tells whether some bytes are those that were seen before, without keeping them. */
export interface SourceTagger {
  /** HMAC-SHA-256 (RFC 2104), 32 bytes. */
  tag(bytes: Bytes): Promise<Bytes>;
  /** Whether a tag is of these bytes; compared in constant time. */
  matches(bytes: Bytes, tag: Bytes): Promise<boolean>;
}

/**
 * @param contentKey 32 bytes: anyone who does not have it learns nothing from a tag, not even that two contents are the
 * same
 */
export async function createSourceTagger(contentKey: Bytes): Promise<SourceTagger> {
  const raw = await deriveKey(contentKey, 'source-tag');
  using _raw = wipeAtEnd(raw);
  const algorithm = { name: 'HMAC', hash: 'SHA-256' } as const;
  const key = await crypto.subtle.importKey('raw', raw, algorithm, false, ['sign', 'verify']);
  return {
    tag: async (bytes) => new Uint8Array(await crypto.subtle.sign('HMAC', key, bytes)),
    matches: (bytes, tag) => crypto.subtle.verify('HMAC', key, tag, bytes),
  };
}
