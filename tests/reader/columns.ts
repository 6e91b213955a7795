import { equal, utf8 } from './primitives.ts';
import { demand } from './refused.ts';

const COLUMNS = 18;
const CODE = 'snapshot_wrong';
const WIDTHS = { u16: 2, i32: 4, f64: 8 } as const;

/** Section 12.1: the columns of an encoded state; the n-th of the document stands at n − 1. */
export function takeColumns(bytes: Uint8Array): Uint8Array[] {
  demand(equal(bytes.subarray(0, 8), utf8('HKS1\0\0\0\0')), CODE, 'another magic');
  const columns: Uint8Array[] = [];
  let at = 8;
  while (at < bytes.length) {
    demand(bytes.length - at >= 8, CODE, 'no whole column');
    const view = new DataView(bytes.buffer, bytes.byteOffset + at);
    const length = view.getUint32(0, true);
    const end = at + 8 + length;
    const next = Math.ceil(end / 8) * 8;
    demand(view.getUint32(4, true) === 0 && next <= bytes.length, CODE, 'a column with a wrong length');
    demand(
      bytes.subarray(end, next).every((byte) => byte === 0),
      CODE,
      'padding that is not zero',
    );
    columns.push(bytes.subarray(at + 8, end));
    at = next;
  }
  demand(columns.length === COLUMNS, CODE, `${String(columns.length)} columns, expected ${String(COLUMNS)}`);
  return columns;
}

/** The numbers of a column, which are exactly so many. */
export function numbersOf(
  kind: keyof typeof WIDTHS,
  column: Uint8Array | undefined,
  expected: number,
): number[] {
  const width = WIDTHS[kind];
  demand(column?.length === expected * width, CODE, 'a column with another count');
  const view = new DataView(column.buffer, column.byteOffset);
  return Array.from({ length: expected }, (_, index) => {
    if (kind === 'u16') return view.getUint16(index * 2, true);
    return kind === 'i32' ? view.getInt32(index * 4, true) : view.getFloat64(index * 8, true);
  });
}

/** The texts of a column, each of so many UTF-16 units. */
export function textsOf(column: Uint8Array | undefined, lengths: readonly number[]): string[] {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(column);
  let at = 0;
  const texts = lengths.map((length) => text.slice(at, (at += length)));
  demand(at === text.length, CODE, 'texts of another length');
  return texts;
}
