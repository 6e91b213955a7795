import { invalidRequest, notImplemented, Refusal } from '../refusal.ts';
import type { BodyDigestValues } from '../store/body-digests.ts';
import type { Checksum, ChecksumAlgorithm } from '../store/version.ts';

/** Header that carries each checksum, and its length in bytes. */
const HEADERS = [
  ['SHA256', 'x-amz-checksum-sha256', 32],
  ['CRC32', 'x-amz-checksum-crc32', 4],
] as const satisfies readonly (readonly [ChecksumAlgorithm, string, number])[];

const UNSUPPORTED = ['x-amz-checksum-crc32c', 'x-amz-checksum-crc64nvme', 'x-amz-checksum-sha1'];

/** What a client says the checksum of a body is. */
export interface ExpectedChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Undefined while it is still to come in a trailer. */
  readonly valueB64: string | undefined;
}

/** The header that carries a checksum of this algorithm. */
export const checksumHeader = (algorithm: ChecksumAlgorithm): string =>
  `x-amz-checksum-${algorithm.toLowerCase()}`;

/**
 * Reads the checksum that comes with a body, in a header or announced for a trailer.
 * @throws {Refusal} 400 when it is malformed or there are several, 501 for algorithms that are not supported
 */
export function expectedChecksum(header: (name: string) => string | undefined): ExpectedChecksum | undefined {
  const trailer =
    header('x-amz-trailer')
      ?.toLowerCase()
      .split(',')
      .map((name) => name.trim()) ?? [];
  for (const name of UNSUPPORTED)
    if (header(name) !== undefined || trailer.includes(name)) throw notImplemented(name);
  const found: ExpectedChecksum[] = [];
  for (const [algorithm, name, sizeBytes] of HEADERS) {
    const valueB64 = header(name);
    if (valueB64 !== undefined) found.push({ algorithm, valueB64: checked(valueB64, name, sizeBytes) });
    else if (trailer.includes(name)) found.push({ algorithm, valueB64: undefined });
  }
  if (found.length > 1) throw invalidRequest('expected a single x-amz-checksum- header');
  return found[0];
}

function checked(valueB64: string, name: string, sizeBytes: number): string {
  const bytes = Buffer.from(valueB64, 'base64');
  if (bytes.length !== sizeBytes || bytes.toString('base64') !== valueB64)
    throw invalidRequest(`value for ${name} header is invalid`);
  return valueB64;
}

/**
 * Holds what was computed against what was expected.
 * @param trailers by lower-case name, for a checksum that was announced
 * @returns the checksum to keep with the object; undefined when the client gave none
 * @throws {Refusal} 400 `BadDigest`
 */
export function verifyChecksum(
  expected: ExpectedChecksum | undefined,
  trailers: ReadonlyMap<string, string>,
  digests: BodyDigestValues,
): Checksum | undefined {
  if (!expected) return undefined;
  const { algorithm } = expected;
  const actual = algorithm === 'SHA256' ? digests.sha256B64 : digests.crc32B64;
  const value = expected.valueB64 ?? trailers.get(checksumHeader(algorithm));
  if (value === undefined) throw invalidRequest(`the trailer ${checksumHeader(algorithm)} is missing`);
  if (actual !== value)
    throw new Refusal(
      400,
      'BadDigest',
      `the ${algorithm} you specified did not match the calculated checksum`,
    );
  return { algorithm, value, type: 'FULL_OBJECT' };
}

/** Response headers that tell an object's or a part's checksum. */
export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (!checksum) return {};
  return { [checksumHeader(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type };
}
