import { equalBytes, type Bytes } from '../../../src/lib/bytes.ts';

const SLICE = 8 * 1024 ** 2;

/** Whether two files hold the same. @throws {Error} where they differ: a rate of wrong bytes is none */
export async function sameBytes(expected: Blob, got: Blob): Promise<true> {
  if (expected.size !== got.size)
    throw new Error(`expected ${String(expected.size)} bytes, got ${String(got.size)}`);
  for (let offset = 0; offset < expected.size; offset += SLICE) {
    const [one, other] = await Promise.all([slice(expected, offset), slice(got, offset)]);
    if (!equalBytes(one, other)) throw new Error(`the bytes differ behind ${String(offset)}`);
  }
  return true;
}

async function slice(blob: Blob, offset: number): Promise<Bytes> {
  return new Uint8Array(await blob.slice(offset, offset + SLICE).arrayBuffer());
}
