import { Problem } from '$contract/problems.ts';
import type { VaultId } from '$contract/ids.ts';
import { type Route, TAB_HEADER } from '$contract/route.ts';
import * as v from 'valibot';
import { HalfkeyError } from '../errors.ts';
import { chunksOf } from './body.ts';
import { askSigned, type Prover } from './session-proof.ts';

type In<R extends Route> = v.InferInput<R['request']>;
type Out<R extends Route> = v.InferOutput<R['answer']>;

interface CallOptions {
  readonly vault?: VaultId;
  readonly signal?: AbortSignal;
  /** Until the answer begins, besides what the request takes to get there; 30 seconds when absent. */
  readonly timeoutMs?: number;
}

/** The key broker as the client sees it: the contract's routes, each answer parsed before anybody looks at it. */
export interface Broker {
  /** @throws {HalfkeyError} with the broker's code, or `broker_unreachable` when it gives no answer of its own */
  call<R extends Route>(route: R, request: In<R>, options?: CallOptions): Promise<Out<R>>;
}

const REQUEST_TIMEOUT_MS = 30_000;
/** A request leaves this slowly, and no slower: 64 kbit/s. */
const MIN_SENT_BYTES_PER_MS = 8;
/** More than the longest answer, which is segments: LIMITS.segmentBytesPerRead and one segment, in base64. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/**
 * @param origin of the app; the broker serves it, so every request is same-origin and carries the session's cookie
 * @param prover of the session's key, without which the cookie is worth nothing
 */
export function connectBroker(origin: string, prover: Prover): Broker {
  // Each tab has a worker, and each worker one of these.
  const tab = crypto.randomUUID();
  return {
    async call(route, request, { vault, signal, timeoutMs = REQUEST_TIMEOUT_MS } = {}) {
      const url = new URL(route.path.replace(':vault', encodeURIComponent(vault ?? '')), origin);
      const init: AskedInit = {
        method: route.method,
        credentials: 'same-origin',
        cache: 'no-store',
      };
      if (route.method === 'POST') {
        init.body = JSON.stringify(request);
        init.headers = { 'content-type': 'application/json', [TAB_HEADER]: tab };
      } else {
        for (const [name, value] of Object.entries(request as Record<string, string>)) {
          url.searchParams.set(name, value);
        }
      }
      const limitMs = timeoutMs + (init.body?.length ?? 0) / MIN_SENT_BYTES_PER_MS;
      const about = { limitMs, unreachable: 'broker_unreachable', ...(signal && { signal }) } as const;
      const { ok, status, body, sentAtMs } = await exchange(
        () => askSigned(prover, { stage: route.stage, url, init }, about),
        signal,
      );
      if (!ok) throw refusal(status, body, sentAtMs);
      const answer = v.safeParse(route.answer, body);
      if (!answer.success)
        throw new HalfkeyError('broker_unreachable', `answer of ${route.path} is malformed`);
      return answer.output;
    },
  };
}

type AskedInit = RequestInit & { method: string; body?: string; headers?: Record<string, string> };

async function exchange(
  ask: () => Promise<Response>,
  signal: AbortSignal | undefined,
): Promise<{ ok: boolean; status: number; body: unknown; sentAtMs: number | undefined }> {
  try {
    const response = await ask();
    const text = await textOf(response);
    const body: unknown = response.status === 204 ? undefined : JSON.parse(text);
    const sentAtMs = Date.parse(response.headers.get('date') ?? '');
    const { ok, status } = response;
    return { ok, status, body, sentAtMs: Number.isNaN(sentAtMs) ? undefined : sentAtMs };
  } catch (cause) {
    signal?.throwIfAborted();
    throw new HalfkeyError('broker_unreachable', 'the broker gave no answer', { cause });
  }
}

/** A slow line may take its time over a long answer, as long as it comes at all. */
async function textOf({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let sizeBytes = 0;
  if (!body) return text;
  for await (const chunk of chunksOf(body, 'broker_unreachable')) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_ANSWER_BYTES)
      throw new RangeError(`expected at most ${String(MAX_ANSWER_BYTES)} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** @param sentAtMs by the broker's clock */
function refusal(status: number, body: unknown, sentAtMs: number | undefined): HalfkeyError {
  const problem = v.safeParse(Problem, body);
  if (!problem.success)
    return new HalfkeyError('broker_unreachable', `status ${String(status)} without a problem`);
  const { code, title, retryAfterSeconds, triesLeft, fields } = problem.output;
  const detail = {
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    ...(triesLeft !== undefined && { triesLeft }),
    ...(fields !== undefined && { fields }),
    ...(code === 'code_wrong' && sentAtMs !== undefined && clockDetail(Date.now() - sentAtMs)),
  };
  // The broker's fault is not this code's, and may be over the next time.
  return new HalfkeyError(code === 'internal' ? 'broker_failed' : code, title, { detail });
}

/** The broker takes codes of a step, 30 s, before and after its own. */
const CODE_TOLERANCE_SECONDS = 60;

/** An authenticator on a device whose clock is wrong shows wrong codes, and nobody can see why. */
function clockDetail(aheadMs: number): { clockAheadSeconds?: number } {
  const clockAheadSeconds = Math.round(aheadMs / 1000);
  return Math.abs(clockAheadSeconds) > CODE_TOLERANCE_SECONDS ? { clockAheadSeconds } : {};
}
