import { createHash } from 'node:crypto';
import { Refusal, signatureMismatch } from '../refusal.ts';
import { ByteReader } from './byte-reader.ts';
import { EMPTY_SHA256_HEX, sameSignature, scopeText, sha256Hex, sign } from './canonical.ts';
import type { SignatureSeed } from './verify.ts';

/** The aws-chunked forms of a body, as `x-amz-content-sha256` announces them. */
export const STREAMING = {
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': { signed: false, trailer: true },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': { signed: true, trailer: false },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': { signed: true, trailer: true },
} as const satisfies Record<string, StreamingForm>;

export interface StreamingForm {
  /** Each chunk, and the trailer, carries a signature that continues from the one before. */
  readonly signed: boolean;
  readonly trailer: boolean;
}

/** A decoded body. */
export interface DecodedBody {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Trailing headers by lower-case name; filled in once `bytes` has ended. */
  readonly trailers: ReadonlyMap<string, string>;
}

const MAXIMUM_LINE_BYTES = 1024;
const MAXIMUM_TRAILERS = 8;

/**
 * Takes the aws-chunked framing off a body and verifies the signatures in it. What it yields may only be used once it
 * has ended: a chunk's signature is known to hold only after the chunk.
 * @param decodedBytes length that the client announced, `x-amz-decoded-content-length`
 */
export function decodeChunked(
  source: AsyncIterable<Uint8Array>,
  form: StreamingForm,
  seed: SignatureSeed | undefined,
  decodedBytes: number,
): DecodedBody {
  const trailers = new Map<string, string>();
  return { bytes: decode(new ByteReader(source), form, seed, decodedBytes, trailers), trailers };
}

async function* decode(
  reader: ByteReader,
  form: StreamingForm,
  seed: SignatureSeed | undefined,
  decodedBytes: number,
  trailers: Map<string, string>,
): AsyncGenerator<Uint8Array> {
  const chain = form.signed && seed ? new SignatureChain(seed) : undefined;
  let totalBytes = 0;
  for (;;) {
    const { sizeBytes, signature } = parseChunkHeader(await reader.line(MAXIMUM_LINE_BYTES));
    totalBytes += sizeBytes;
    if (totalBytes > decodedBytes) throw incomplete();
    const hash = chain && createHash('sha256');
    for await (const bytes of reader.take(sizeBytes)) {
      hash?.update(bytes);
      yield bytes;
    }
    if (hash) chain.check('PAYLOAD', `${EMPTY_SHA256_HEX}\n${hash.digest('hex')}`, signature);
    if (sizeBytes === 0) break;
    if ((await reader.line(MAXIMUM_LINE_BYTES)) !== '') throw malformed();
  }
  if (totalBytes !== decodedBytes) throw incomplete();
  await readTrailers(reader, form, chain, trailers);
  if (!(await reader.ended())) throw malformed();
}

async function readTrailers(
  reader: ByteReader,
  form: StreamingForm,
  chain: SignatureChain | undefined,
  trailers: Map<string, string>,
): Promise<void> {
  let canonical = '';
  let signature: string | undefined;
  // Some clients end the body without the empty line after the last trailer.
  while (!(await reader.ended())) {
    const line = await reader.line(MAXIMUM_LINE_BYTES);
    if (line === '') break;
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (!form.trailer || colon < 1 || trailers.has(name) || trailers.size >= MAXIMUM_TRAILERS)
      throw malformed();
    if (name === 'x-amz-trailer-signature') {
      signature = value;
    } else {
      trailers.set(name, value);
      canonical += `${name}:${value}\n`;
    }
  }
  if (chain && form.trailer) chain.check('TRAILER', sha256Hex(canonical), signature);
}

class SignatureChain {
  readonly #seed: SignatureSeed;
  #previous: string;

  constructor(seed: SignatureSeed) {
    this.#seed = seed;
    this.#previous = seed.signature;
  }

  check(kind: 'PAYLOAD' | 'TRAILER', hashes: string, signature: string | undefined): void {
    const { key, amzDate, scope } = this.#seed;
    const text = [`AWS4-HMAC-SHA256-${kind}`, amzDate, scopeText(scope), this.#previous, hashes].join('\n');
    const expected = sign(key, text);
    if (signature === undefined || !sameSignature(expected, signature)) throw signatureMismatch();
    this.#previous = expected;
  }
}

function parseChunkHeader(line: string): { sizeBytes: number; signature: string | undefined } {
  const match = /^([0-9a-fA-F]{1,10})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line);
  if (!match) throw malformed();
  return { sizeBytes: Number.parseInt(match[1] ?? '', 16), signature: match[2] };
}

const malformed = (): Refusal => new Refusal(400, 'InvalidRequest', 'the aws-chunked body is malformed');

const incomplete = (): Refusal =>
  new Refusal(400, 'IncompleteBody', 'the body is not as long as x-amz-decoded-content-length says');
