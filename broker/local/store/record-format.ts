import { fstatSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/**
 * Bytes before each record, all big endian: length of the JSON, length of the body (0xFFFFFFFF: none, as opposed to an
 * empty one), CRC-32 of these two and the JSON, CRC-32 of the body. So zeros, which a torn write leaves, are no record.
 */
const RECORD_HEADER_BYTES = 16;
/** A batch is never longer, so that no torn write reaches further back from the log's end than this. */
export const MAXIMUM_BATCH_BYTES = 8 * 1024 * 1024;

const NO_BODY = 0xffffffff;
const MAXIMUM_META_BYTES = 4 * 1024 * 1024;
const READ_AHEAD_BYTES = 256 * 1024;

/** Where a record's body is. Compaction moves it, so `position` changes and is read at the moment of use only. */
export interface Extent {
  position: number;
  readonly sizeBytes: number;
}

/** Header and JSON of a record; its body follows them in the file. */
export function encodeRecord(meta: object, body: Uint8Array | undefined): Buffer {
  const json = Buffer.from(JSON.stringify(meta));
  const header = Buffer.alloc(RECORD_HEADER_BYTES);
  header.writeUInt32BE(json.length, 0);
  header.writeUInt32BE(body ? body.length : NO_BODY, 4);
  header.writeUInt32BE(crc32(json, crc32(header.subarray(0, 8))), 8);
  header.writeUInt32BE(body ? crc32(body) : 0, 12);
  return Buffer.concat([header, json]);
}

/**
 * Hands every whole record of a log to `onRecord`, in order. Bodies are skipped, but for those near the end, which a
 * torn write may have left without content.
 * @returns where the last whole record ends, in bytes
 * @throws {Error} when a record is damaged further back than a torn write can reach, or a whole one comes after it:
 *   then something that was acknowledged may be lost, and what to do about it is not ours to decide
 */
export function scanRecords(
  fd: number,
  onRecord: (meta: unknown, extent: Extent | undefined) => void,
): number {
  const { size: fileBytes } = fstatSync(fd);
  const reader = new AheadReader(fd);
  let position = 0;
  while (position < fileBytes) {
    const record = readRecord(reader, position, fileBytes);
    if (!record) {
      const behindBytes = fileBytes - position;
      const mayBeTorn = behindBytes <= MAXIMUM_BATCH_BYTES + RECORD_HEADER_BYTES + MAXIMUM_META_BYTES;
      if (mayBeTorn && !holdsRecord(fd, position + 1, fileBytes)) return position;
      throw new Error(
        `log is damaged at byte ${String(position)}, ${String(behindBytes)} bytes before its end, and no torn write: ` +
          `restore the data folder from a backup, or cut the log off there to go on without what follows`,
      );
    }
    onRecord(record.meta, record.extent);
    position = record.endBytes;
  }
  return position;
}

interface FoundRecord {
  readonly meta: unknown;
  readonly extent: Extent | undefined;
  readonly endBytes: number;
}

function readRecord(reader: AheadReader, position: number, fileBytes: number): FoundRecord | undefined {
  const header = reader.read(position, RECORD_HEADER_BYTES);
  if (header.length < RECORD_HEADER_BYTES) return undefined;
  const metaBytes = header.readUInt32BE(0);
  const bodyBytes = header.readUInt32BE(4);
  const lengthsCrc = crc32(header.subarray(0, 8));
  const metaCrc = header.readUInt32BE(8);
  const bodyCrc = header.readUInt32BE(12);
  const bodyPosition = position + RECORD_HEADER_BYTES + metaBytes;
  const endBytes = bodyPosition + (bodyBytes === NO_BODY ? 0 : bodyBytes);
  if (metaBytes > MAXIMUM_META_BYTES || endBytes > fileBytes) return undefined;
  const json = reader.read(position + RECORD_HEADER_BYTES, metaBytes);
  if (json.length < metaBytes || crc32(json, lengthsCrc) !== metaCrc) return undefined;
  const meta: unknown = JSON.parse(json.toString());
  if (bodyBytes === NO_BODY) return { meta, extent: undefined, endBytes };
  const mayBeTorn = fileBytes - endBytes < MAXIMUM_BATCH_BYTES;
  if (mayBeTorn && crc32(reader.read(bodyPosition, bodyBytes)) !== bodyCrc) return undefined;
  return { meta, extent: { position: bodyPosition, sizeBytes: bodyBytes }, endBytes };
}

/** True when a whole record begins anywhere from `start` on; without lengths to go by, every byte may be the first. */
function holdsRecord(fd: number, start: number, fileBytes: number): boolean {
  const reader = new AheadReader(fd);
  // Read at once, so that what follows finds it all in memory.
  const tail = reader.read(start, fileBytes - start);
  // Where the JSON of a record begins; its header comes before it.
  for (let json = tail.indexOf('{', RECORD_HEADER_BYTES); json >= 0; json = tail.indexOf('{', json + 1)) {
    if (readRecord(reader, start + json - RECORD_HEADER_BYTES, fileBytes)) return true;
  }
  return false;
}

/** Synchronous reads of a growing position, few of which reach the disk. */
class AheadReader {
  readonly #fd: number;
  #start = 0;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** A view that is valid until the next call; shorter than asked for at the end of the file. */
  read(position: number, sizeBytes: number): Buffer {
    const offset = position - this.#start;
    if (offset < 0 || offset + sizeBytes > this.#bytes.length) {
      const buffer = Buffer.allocUnsafe(Math.max(sizeBytes, READ_AHEAD_BYTES));
      let filled = 0;
      while (filled < buffer.length) {
        const count = readSync(this.#fd, buffer, filled, buffer.length - filled, position + filled);
        if (count === 0) break;
        filled += count;
      }
      this.#start = position;
      this.#bytes = buffer.subarray(0, filled);
    }
    return this.#bytes.subarray(position - this.#start, position - this.#start + sizeBytes);
  }
}
