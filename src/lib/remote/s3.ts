import { HalfkeyError } from '../errors.ts';

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

/** A part can be as long as 512 MiB on a slow line; what is measured is the time without any progress. */
const STALL_MS = 60_000;

/**
 * XMLHttpRequest, because fetch does not tell how much of a body has left.
 * @returns S3's ETag, quoted
 * @throws {HalfkeyError} `already_exists` (412), `url_expired` (403), `upload_lost` (404), `digest_mismatch` (400),
 * `store_full` (507), `store_unreachable` for the rest; AbortError when the signal fires
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
      else reject(refusal(request.status));
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
 * A range of a blob, as a stream.
 * @param fromByte first byte; `untilByte` is exclusive
 * @throws {HalfkeyError} `url_expired` (403), `upload_lost` (404), `ciphertext_truncated` (416), `store_unreachable`
 */
export async function getRange(
  url: string,
  { fromByte, untilByte }: { fromByte: number; untilByte: number },
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const headers = { range: `bytes=${String(fromByte)}-${String(untilByte - 1)}` };
  const response = await get(url, { headers, signal, cache: 'no-store' });
  if (response.status !== 206 || !response.body) throw refusal(response.status);
  return response.body;
}

/** A whole small object. @throws {HalfkeyError} as getRange; `input_too_large` beyond `maxBytes` */
export async function getWhole(
  url: string,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await get(url, { cache: 'no-store', ...(signal && { signal }) });
  if (response.status !== 200) throw refusal(response.status);
  const declared = Number(response.headers.get('content-length') ?? Number.NaN);
  if (!(declared <= maxBytes))
    throw new HalfkeyError('input_too_large', `expected at most ${String(maxBytes)} bytes`);
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw unreachable(cause, signal);
  }
}

async function get(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    throw unreachable(cause, init.signal ?? undefined);
  }
}

function unreachable(cause: unknown, signal?: AbortSignal): HalfkeyError {
  signal?.throwIfAborted();
  return new HalfkeyError('store_unreachable', 'the store gave no answer', { cause });
}

const STATUS = {
  400: 'digest_mismatch',
  403: 'url_expired',
  404: 'upload_lost',
  412: 'already_exists',
  416: 'ciphertext_truncated',
  507: 'store_full',
} as const;

function refusal(status: number): HalfkeyError {
  const code = status in STATUS ? STATUS[status as keyof typeof STATUS] : 'store_unreachable';
  return new HalfkeyError(code, `the store answered ${String(status)}`);
}
