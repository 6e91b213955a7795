/**
 * The fixed head of a journal segment (docs/FORMAT.md, Journal): as much as the broker looks at, to refuse a segment
 * that does not follow the one before it. All integers big-endian.
 */
export const SEGMENT_HEAD = {
  magic: 'HKJ1', // 4 bytes
  epochOffset: 4, // u32
  seqOffset: 8, // u64
  prevHashOffset: 16, // 32 bytes: SHA-256 of the whole object before; zeros at seq 0
  writerOffset: 48, // 16 bytes: the device's id; zeros where the identity key signs
  signatureOffset: 64, // 64 bytes, Ed25519
  ciphertextOffset: 128, // FLOE
} as const;

export interface SegmentHead {
  readonly epoch: number;
  readonly seq: number;
  readonly prevHash: Uint8Array;
  readonly writer: Uint8Array;
}

/** @returns undefined when the bytes are not a segment of this version */
export function readSegmentHead(bytes: Uint8Array): SegmentHead | undefined {
  if (bytes.length <= SEGMENT_HEAD.ciphertextOffset) return undefined;
  const magic = String.fromCharCode(...bytes.subarray(0, 4));
  if (magic !== SEGMENT_HEAD.magic) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const seq = view.getBigUint64(SEGMENT_HEAD.seqOffset);
  if (seq > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return {
    epoch: view.getUint32(SEGMENT_HEAD.epochOffset),
    seq: Number(seq),
    prevHash: bytes.slice(SEGMENT_HEAD.prevHashOffset, SEGMENT_HEAD.writerOffset),
    writer: bytes.slice(SEGMENT_HEAD.writerOffset, SEGMENT_HEAD.signatureOffset),
  };
}
