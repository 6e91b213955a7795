import { OBJECT_TYPE } from '$contract/limits.ts';
import { concat } from '../bytes.ts';
import { HalfkeyError, type ErrorCode } from '../errors.ts';

/** What is needed to put one part, or one whole blob, at a presigned URL. */
export interface Put {
  readonly url: string;
  /** Without a type of its own: which one is sent is part of what was signed. */
  readonly body: Blob;
  readonly sha256B64: string;
  /** True for a whole blob: S3 refuses to overwrite. A part takes no condition. */
  readonly createOnly: boolean;
  readonly signal: AbortSignal;
  /** Bytes of this body that have left so far. */
  readonly onProgress?: (sentBytes: number) => void;
}

/** A part can be as long as 512 MiB on a slow line; what is measured is the time without any progress. A line can die silently. */
const STALL_MS = 60_000;
/** Less than this in so much time is no progress, else a byte a minute would hold its reader for ever. */
const MIN_BYTES_PER_STALL = 1024;
/** A body that leaves by fetch is not heard of before all of it has: this slow it may be, and no slower. */
const MIN_SENT_BYTES_PER_MS = 1;
/** What is read of an answer that is about an error: S3's own are some hundred bytes. */
const MAX_ERROR_BYTES = 16 * 1024;

/**
 * XMLHttpRequest, because fetch does not tell how much of a body has left.
 * @returns S3's ETag, quoted
 * @throws {HalfkeyError} `already_exists` (412), `url_expired` (403), `upload_lost` (404), `upload_mismatch` (other bytes arrived
 * than were signed for), `store_full` (507), `store_unreachable` for the rest; AbortError when the signal fires
 */
export function put({ url, body, sha256B64, createOnly, signal, onProgress }: Put): Promise<string> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    let stall: ReturnType<typeof setTimeout>;
    const watch = () => {
      clearTimeout(stall);
      stall = setTimeout(() => {
        request.abort();
        reject(new HalfkeyError('store_unreachable', `no progress for ${String(STALL_MS)} ms`));
      }, STALL_MS);
    };
    const abort = () => {
      request.abort();
      reject(signal.reason as Error);
    };
    request.upload.onprogress = ({ loaded }) => {
      watch();
      onProgress?.(loaded);
    };
    request.onprogress = ({ loaded }) => {
      if (loaded <= MAX_ERROR_BYTES) return;
      request.abort();
      reject(new HalfkeyError('store_unreachable', 'the answer to a PUT is too long'));
    };
    request.onload = () => {
      const etag = request.getResponseHeader('etag');
      if (request.status === 200 && etag) resolve(etag);
      else reject(refusal(PUT_STATUS, request.status, request.responseText));
    };
    request.onerror = () => {
      reject(new HalfkeyError('store_unreachable', 'the connection to the store was cut'));
    };
    request.onloadend = () => {
      clearTimeout(stall);
      signal.removeEventListener('abort', abort);
    };
    signal.addEventListener('abort', abort);
    watch();
    request.open('PUT', url);
    for (const [name, value] of signedHeaders({ sha256B64, createOnly }))
      request.setRequestHeader(name, value);
    request.send(body);
  });
}

/**
 * The same by fetch, for where there is no XMLHttpRequest: a service worker. Nothing is heard before all has left.
 * @throws {HalfkeyError} as `put`; AbortError when the signal fires
 */
export async function putByFetch({
  url,
  body,
  sha256B64,
  createOnly,
  signal,
  onProgress,
}: Put): Promise<string> {
  const headers = signedHeaders({ sha256B64, createOnly });
  const late = AbortSignal.timeout(STALL_MS + body.size / MIN_SENT_BYTES_PER_MS);
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'PUT',
      body,
      headers,
      signal: AbortSignal.any([signal, late]),
      credentials: 'omit',
      cache: 'no-store',
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw new HalfkeyError('store_unreachable', 'the connection to the store was cut', { cause });
  }
  const etag = response.headers.get('etag');
  if (response.status !== 200 || !etag) throw await refusalOf(PUT_STATUS, response);
  void response.body?.cancel().catch(() => undefined);
  onProgress?.(body.size);
  return etag;
}

/** What the broker has signed into the URL of a whole blob, or of a part: S3 refuses a PUT that lacks one of them. */
function signedHeaders({ sha256B64, createOnly }: Pick<Put, 'sha256B64' | 'createOnly'>): [string, string][] {
  const checksum: [string, string] = ['x-amz-checksum-sha256', sha256B64];
  return createOnly ? [checksum, ['content-type', OBJECT_TYPE], ['if-none-match', '*']] : [checksum];
}

/**
 * A range of a blob, as a stream; to be read by `chunksOf`.
 * @param fromByte first byte; `untilByte` is exclusive
 * @throws {HalfkeyError} `url_expired` (403), `not_found` (404), `ciphertext_truncated` (416), `store_unreachable`
 */
export async function getRange(
  url: string,
  { fromByte, untilByte }: { fromByte: number; untilByte: number },
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const headers = { range: `bytes=${String(fromByte)}-${String(untilByte - 1)}` };
  const response = await get(url, { headers, signal, cache: 'no-store' });
  if (response.status !== 206 || !response.body) throw await refusalOf(GET_STATUS, response);
  return response.body;
}

/** A whole small object. @throws {HalfkeyError} as getRange; `input_too_large` beyond `maxBytes` */
export async function getWhole(
  url: string,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await get(url, { cache: 'no-store', ...(signal && { signal }) });
  if (response.status !== 200 || !response.body) throw await refusalOf(GET_STATUS, response);
  const declared = Number(response.headers.get('content-length') ?? Number.NaN);
  if (!(declared <= maxBytes)) {
    void response.body.cancel().catch(() => undefined);
    throw new HalfkeyError('input_too_large', `expected at most ${String(maxBytes)} bytes`);
  }
  return concat(...(await gather(response.body, maxBytes)));
}

/**
 * What a stream of the store gives, as it comes.
 * @throws {HalfkeyError} `store_unreachable` when it is cut, or when next to nothing has come for a minute of waiting; the reason of
 *   the signal that the stream was asked for with
 */
export async function* chunksOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  // Of waiting alone: how long the reader of these takes over one is its own affair.
  let leftMs = STALL_MS;
  let cameBytes = 0;
  try {
    for (;;) {
      const askedAtMs = performance.now();
      const { done, value } = await inTime(reader.read(), leftMs);
      if (done) return;
      cameBytes += value.length;
      leftMs -= performance.now() - askedAtMs;
      if (cameBytes >= MIN_BYTES_PER_STALL) [leftMs, cameBytes] = [STALL_MS, 0];
      yield value;
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

/** @throws {HalfkeyError} as chunksOf; `input_too_large` beyond `maxBytes`, whatever length was declared: an encoding may hide it */
async function gather(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let sizeBytes = 0;
  for await (const chunk of chunksOf(stream)) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes)
      throw new HalfkeyError('input_too_large', `expected at most ${String(maxBytes)} bytes`);
    chunks.push(chunk);
  }
  return chunks;
}

async function get(url: string, init: RequestInit): Promise<Response> {
  try {
    return await inTime(fetch(url, init));
  } catch (cause) {
    init.signal?.throwIfAborted();
    throw cause;
  }
}

/** fetch waits for ever on a line that has died without a word. */
async function inTime<Result>(moving: Promise<Result>, limitMs = STALL_MS): Promise<Result> {
  let stall: ReturnType<typeof setTimeout> | undefined;
  const stalled = new Promise<never>((_, reject) => {
    stall = setTimeout(() => {
      reject(new HalfkeyError('store_unreachable', `nothing came for ${String(STALL_MS)} ms`));
    }, limitMs);
  });
  try {
    return await Promise.race([moving, stalled]);
  } catch (cause) {
    if (cause instanceof HalfkeyError || isAbort(cause)) throw cause;
    throw new HalfkeyError('store_unreachable', 'the connection to the store was cut', { cause });
  } finally {
    clearTimeout(stall);
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

const PUT_STATUS: Partial<Record<number, ErrorCode>> = {
  403: 'url_expired',
  404: 'upload_lost',
  412: 'already_exists',
  507: 'store_full',
};
const GET_STATUS: Partial<Record<number, ErrorCode>> = {
  403: 'url_expired',
  404: 'not_found',
  416: 'ciphertext_truncated',
};
/** A status of 400 says little: S3's own word for it stands in the body. */
const BAD_REQUEST: Partial<Record<string, ErrorCode>> = {
  BadDigest: 'upload_mismatch',
  InvalidDigest: 'upload_mismatch',
  ExpiredToken: 'url_expired', // The credentials behind the URL: the next one has others.
};

/** Reads no more of the answer than says why: it may be the whole file where a part of it was asked for. */
async function refusalOf(
  codes: Partial<Record<number, ErrorCode>>,
  { status, body }: Response,
): Promise<HalfkeyError> {
  if (status !== 400 || !body) {
    void body?.cancel().catch(() => undefined);
    return refusal(codes, status, '');
  }
  const chunks = await gather(body, MAX_ERROR_BYTES).catch(() => []);
  return refusal(codes, status, new TextDecoder().decode(concat(...chunks)));
}

function refusal(codes: Partial<Record<number, ErrorCode>>, status: number, xml: string): HalfkeyError {
  const word = status === 400 ? /<Code>(\w+)<\/Code>/.exec(xml)?.[1] : undefined;
  const code = word === undefined ? codes[status] : BAD_REQUEST[word];
  return new HalfkeyError(code ?? 'store_unreachable', `the store answered ${String(status)}`);
}
