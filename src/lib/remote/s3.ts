import { OBJECT_DISPOSITION, OBJECT_TYPE } from '$contract/limits.ts';
import { HalfkeyError, type ErrorCode } from '../errors.ts';
import { AnswerPace, STALL_MS } from './answer-pace.ts';
import { answerTo, gather } from './body.ts';

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

/** A body that leaves by fetch is not heard of before all of it has: this slow it may be, and no slower. */
const MIN_SENT_BYTES_PER_MS = 1;
/** What is read of an answer that is about an error: S3's own are some hundred bytes. */
const MAX_ERROR_BYTES = 16 * 1024;

/**
 * PUTs by XMLHttpRequest, because fetch does not tell how much of a body has left. What is measured is the time without
 * any progress: a part may be 512 MiB long, and a line can die silently. Once all of it has left, it may still be with
 * a proxy on a slow line.
 *
 * @param pace of the line, which all PUTs over it share
 * @returns a PUT, which gives S3's ETag, quoted
 * @throws {HalfkeyError} `already_exists` (412), `url_expired` (403), `upload_lost` (404), `upload_mismatch` (other
 *   bytes arrived than were signed for), `store_full` (507), `store_refused` where S3 gives a reason that lasts,
 *   `store_unreachable` for the rest; AbortError when the signal fires
 */
export function putAt(pace: AnswerPace): (put: Put) => Promise<string> {
  return ({ url, body, sha256B64, createOnly, signal, onProgress }) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const request = new XMLHttpRequest();
      const asked = pace.ask(body.size);
      let stall: ReturnType<typeof setTimeout>;
      const watch = (limitMs: number) => {
        clearTimeout(stall);
        stall = setTimeout(() => {
          asked.isLate();
          request.abort();
          reject(new HalfkeyError('store_unreachable', `no progress for ${String(limitMs)} ms`));
        }, limitMs);
      };
      const abort = () => {
        request.abort();
        reject(signal.reason as Error);
      };
      request.upload.onprogress = ({ loaded }) => {
        watch(loaded < body.size ? asked.stallMs : asked.answerMs);
        onProgress?.(loaded);
      };
      request.onprogress = ({ loaded }) => {
        if (loaded <= MAX_ERROR_BYTES) return;
        request.abort();
        reject(new HalfkeyError('store_unreachable', 'the answer to a PUT is too long'));
      };
      request.onload = () => {
        const etag = request.getResponseHeader('etag');
        if (request.status === 200 && etag) {
          asked.isAnswered();
          resolve(etag);
        } else reject(refusal(PUT_STATUS, request.status, request.responseText));
      };
      request.onerror = () => {
        reject(new HalfkeyError('store_unreachable', 'the connection to the store was cut'));
      };
      request.onloadend = () => {
        clearTimeout(stall);
        signal.removeEventListener('abort', abort);
      };
      signal.addEventListener('abort', abort);
      watch(asked.stallMs);
      request.open('PUT', url);
      for (const [name, value] of signedHeaders({ sha256B64, createOnly }))
        request.setRequestHeader(name, value);
      request.send(body);
    });
}

/** Over this device's line. */
export const put = putAt(new AnswerPace());

/**
 * The same by fetch, for where there is no XMLHttpRequest: a service worker. Nothing is heard before all has left.
 * @throws {HalfkeyError} as `putAt`; AbortError when the signal fires
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
  return createOnly
    ? [
        checksum,
        ['content-type', OBJECT_TYPE],
        ['content-disposition', OBJECT_DISPOSITION],
        ['if-none-match', '*'],
      ]
    : [checksum];
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
  const response = await get(url, signal, headers);
  if (response.status !== 206 || !response.body) throw await refusalOf(GET_STATUS, response);
  return response.body;
}

/** A whole small object. @throws {HalfkeyError} as getRange; `input_too_large` beyond `maxBytes` */
export async function getWhole(
  url: string,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await get(url, signal);
  if (response.status !== 200 || !response.body) throw await refusalOf(GET_STATUS, response);
  const declared = Number(response.headers.get('content-length') ?? Number.NaN);
  if (!(declared <= maxBytes)) {
    void response.body.cancel().catch(() => undefined);
    throw new HalfkeyError('input_too_large', `expected at most ${String(maxBytes)} bytes`);
  }
  return gather(response.body, maxBytes, 'store_unreachable');
}

function get(url: string, signal: AbortSignal | undefined, headers: HeadersInit = {}): Promise<Response> {
  const about = { limitMs: STALL_MS, unreachable: 'store_unreachable', ...(signal && { signal }) } as const;
  return answerTo(url, { headers, cache: 'no-store' }, about);
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
/** What a status says little about: S3's own word for it stands in the body. */
const BY_WORD: Partial<Record<string, ErrorCode>> = {
  BadDigest: 'upload_mismatch',
  InvalidDigest: 'upload_mismatch',
  ExpiredToken: 'url_expired', // The credentials behind the URL: the next one has others.
  RequestTimeout: 'store_unreachable',
};
/** A client's fault that waiting mends: a timeout, a conflict with a request that is under way, too many requests. */
const PASSING_STATUS = new Set([408, 409, 425, 429]);

/** Reads no more of the answer than says why: it may be the whole file where a part of it was asked for. */
async function refusalOf(
  codes: Partial<Record<number, ErrorCode>>,
  { status, body }: Response,
): Promise<HalfkeyError> {
  if (status !== 400 || !body) {
    void body?.cancel().catch(() => undefined);
    return refusal(codes, status, '');
  }
  const bytes = await gather(body, MAX_ERROR_BYTES, 'store_unreachable').catch(() => undefined);
  return refusal(codes, status, new TextDecoder().decode(bytes));
}

function refusal(codes: Partial<Record<number, ErrorCode>>, status: number, xml: string): HalfkeyError {
  const reason = /<Code>(\w{1,64})<\/Code>/.exec(xml)?.[1];
  const byWord = status === 400 && reason !== undefined ? BY_WORD[reason] : undefined;
  const code = byWord ?? codes[status];
  // What S3 gives a reason for it would refuse again; without one it may be anybody on the way who answers.
  const isLasting = reason !== undefined && status >= 400 && status < 500 && !PASSING_STATUS.has(status);
  const message = `the store answered ${String(status)}`;
  const detail = reason === undefined ? {} : { reason };
  return new HalfkeyError(code ?? (isLasting ? 'store_refused' : 'store_unreachable'), message, { detail });
}
