import { concat } from '../bytes.ts';
import { HalfkeyError, type ErrorCode } from '../errors.ts';

/** What is needed to put one part, or one whole blob, at a presigned URL. */
export interface Put {
  readonly url: string;
  /** Without a type: a type would be one more header than is signed. */
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
    request.setRequestHeader('x-amz-checksum-sha256', sha256B64);
    if (createOnly) request.setRequestHeader('if-none-match', '*');
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
  const headers = { 'x-amz-checksum-sha256': sha256B64, ...(createOnly && { 'if-none-match': '*' }) };
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'PUT',
      body,
      headers,
      signal,
      credentials: 'omit',
      cache: 'no-store',
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw new HalfkeyError('store_unreachable', 'the connection to the store was cut', { cause });
  }
  const etag = response.headers.get('etag');
  const text = await response.text().catch(() => '');
  if (response.status !== 200 || !etag) throw refusal(PUT_STATUS, response.status, text);
  onProgress?.(body.size);
  return etag;
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
  if (response.status !== 206 || !response.body) throw await refusalOf(response);
  return response.body;
}

/** A whole small object. @throws {HalfkeyError} as getRange; `input_too_large` beyond `maxBytes` */
export async function getWhole(
  url: string,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await get(url, { cache: 'no-store', ...(signal && { signal }) });
  if (response.status !== 200 || !response.body) throw await refusalOf(response);
  const declared = Number(response.headers.get('content-length') ?? Number.NaN);
  if (!(declared <= maxBytes))
    throw new HalfkeyError('input_too_large', `expected at most ${String(maxBytes)} bytes`);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of chunksOf(response.body)) chunks.push(chunk);
  return concat(...chunks);
}

/**
 * What a stream of the store gives, as it comes.
 * @throws {HalfkeyError} `store_unreachable` when it is cut, or when nothing has come for a minute; the reason of the signal that
 *   the stream was asked for with
 */
export async function* chunksOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await inTime(reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
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
async function inTime<Result>(moving: Promise<Result>): Promise<Result> {
  let stall: ReturnType<typeof setTimeout> | undefined;
  const stalled = new Promise<never>((_, reject) => {
    stall = setTimeout(() => {
      reject(new HalfkeyError('store_unreachable', `nothing came for ${String(STALL_MS)} ms`));
    }, STALL_MS);
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

async function refusalOf(response: Response): Promise<HalfkeyError> {
  return refusal(GET_STATUS, response.status, await response.text().catch(() => ''));
}

function refusal(codes: Partial<Record<number, ErrorCode>>, status: number, xml: string): HalfkeyError {
  const word = status === 400 ? /<Code>(\w+)<\/Code>/.exec(xml)?.[1] : undefined;
  const code = word === undefined ? codes[status] : BAD_REQUEST[word];
  return new HalfkeyError(code ?? 'store_unreachable', `the store answered ${String(status)}`);
}
