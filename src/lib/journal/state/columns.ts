import { concat, fromUtf8, utf8, type Bytes } from '../../bytes.ts';

// Numbers are little-endian, as every machine that browsers run on: columns are copied out of memory as they are laid
// out there.

const ALIGNMENT_BYTES = 8;
const FRAME_BYTES = 8;
/** Characters of an id. */
const ID_CHARACTERS = 22;

/** Byte strings one after the other, each preceded by its length (u32le, then four zeros) and filled up to 8 bytes. */
export function frameColumns(columns: readonly Uint8Array[]): Bytes {
  return concat(
    ...columns.flatMap((column) => {
      const frame = new Uint8Array(FRAME_BYTES);
      new DataView(frame.buffer).setUint32(0, column.length, true);
      return [frame, column, new Uint8Array(-column.length & (ALIGNMENT_BYTES - 1))];
    }),
  );
}

/** Views into the bytes. @throws {RangeError} unless they are exactly so many framed columns */
export function unframeColumns(bytes: Bytes, count: number): Bytes[] {
  // Typed arrays want their elements aligned in the buffer.
  const aligned = bytes.byteOffset % ALIGNMENT_BYTES === 0 ? bytes : new Uint8Array(bytes);
  const view = new DataView(aligned.buffer, aligned.byteOffset, aligned.length);
  const columns: Bytes[] = [];
  let offset = 0;
  for (let column = 0; column < count; column++) {
    const sizeBytes = view.getUint32(offset, true);
    const start = offset + FRAME_BYTES;
    offset = start + sizeBytes + (-sizeBytes & (ALIGNMENT_BYTES - 1));
    if (view.getUint32(start - 4, true) !== 0 || offset > aligned.length) {
      throw new RangeError(`column ${String(column)} ends beyond ${String(aligned.length)} bytes`);
    }
    columns.push(aligned.subarray(start, start + sizeBytes));
  }
  if (offset !== aligned.length) throw new RangeError(`${String(aligned.length - offset)} bytes are left`);
  return columns;
}

const bytesOf = (array: Int32Array | Float64Array | Uint16Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Integers of 32 bits, signed. */
export function int32Column(values: readonly number[]): Uint8Array {
  return bytesOf(Int32Array.from(values));
}

/** @throws {RangeError} unless there are exactly so many */
export function readInt32Column(column: Bytes, count: number): number[] {
  expectSize(column, count * Int32Array.BYTES_PER_ELEMENT);
  return listOf(new Int32Array(column.buffer, column.byteOffset, count));
}

/** IEEE 754 doubles. */
export function float64Column(values: readonly number[]): Uint8Array {
  return bytesOf(Float64Array.from(values));
}

/** @throws {RangeError} unless there are exactly so many */
export function readFloat64Column(column: Bytes, count: number): number[] {
  expectSize(column, count * Float64Array.BYTES_PER_ELEMENT);
  return listOf(new Float64Array(column.buffer, column.byteOffset, count));
}

/** Ids, 22 characters of ASCII each. */
export function idColumn(ids: readonly string[]): Uint8Array {
  return utf8(ids.join(''));
}

/** @throws {RangeError} unless there are exactly so many */
export function readIdColumn(column: Bytes, count: number): string[] {
  expectSize(column, count * ID_CHARACTERS);
  const text = fromUtf8(column);
  if (text.length !== column.length) throw new RangeError('expected ids of ASCII');
  const ids: string[] = [];
  for (let end = ID_CHARACTERS; end <= text.length; end += ID_CHARACTERS) {
    ids.push(text.slice(end - ID_CHARACTERS, end));
  }
  return ids;
}

/** Texts of any length: their lengths in UTF-16 units (u16), and all of them in UTF-8. */
export function textColumns(texts: readonly string[]): [lengths: Uint8Array, texts: Uint8Array] {
  return [bytesOf(Uint16Array.from(texts.map(({ length }) => length))), utf8(texts.join(''))];
}

/** @throws {RangeError} unless there are exactly so many, {TypeError} when they are not UTF-8 */
export function readTextColumns(lengths: Bytes, texts: Bytes, count: number): string[] {
  expectSize(lengths, count * Uint16Array.BYTES_PER_ELEMENT);
  const whole = fromUtf8(texts);
  let offset = 0;
  const found: string[] = [];
  for (const length of new Uint16Array(lengths.buffer, lengths.byteOffset, count)) {
    found.push(whole.slice(offset, offset + length));
    offset += length;
  }
  if (offset !== whole.length)
    throw new RangeError(`texts of ${String(offset)} units, got ${String(whole.length)}`);
  return found;
}

/** `Array.from` goes through the iterator: ten times slower over all columns of a large vault. */
function listOf(array: Int32Array | Float64Array): number[] {
  const list: number[] = [];
  for (const value of array) list.push(value);
  return list;
}

function expectSize(column: Bytes, sizeBytes: number): void {
  if (column.length === sizeBytes) return;
  throw new RangeError(`expected a column of ${String(sizeBytes)} bytes, got ${String(column.length)}`);
}
