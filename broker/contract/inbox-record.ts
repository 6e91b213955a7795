/**
 * The fixed head of an inbox record (docs/FORMAT.md, Inbox): as much as the broker looks at, to take none that no
 * device of the account has signed. Integers big-endian.
 */
export const INBOX_RECORD = {
  magic: 'HKI1', // 4 bytes
  epochOffset: 4, // u32, of the inbox key
  deviceOffset: 8, // 16 bytes: the id of the device that signed
  signatureOffset: 24, // 64 bytes, Ed25519
  sealedOffset: 88, // HPKE
  sizeBytes: 1160,
} as const;

export interface InboxRecordHead {
  /** What is signed besides the sealed bytes' hash: all before the signature. */
  readonly head: Uint8Array;
  readonly device: Uint8Array;
  readonly signature: Uint8Array;
  readonly sealed: Uint8Array;
}

/** @returns undefined when the bytes are not a record of this version */
export function readInboxRecord(bytes: Uint8Array): InboxRecordHead | undefined {
  const { magic, deviceOffset, signatureOffset, sealedOffset, sizeBytes } = INBOX_RECORD;
  if (bytes.length !== sizeBytes) return undefined;
  if (String.fromCharCode(...bytes.subarray(0, magic.length)) !== magic) return undefined;
  return {
    head: bytes.slice(0, signatureOffset),
    device: bytes.slice(deviceOffset, signatureOffset),
    signature: bytes.slice(signatureOffset, sealedOffset),
    sealed: bytes.slice(sealedOffset),
  };
}
