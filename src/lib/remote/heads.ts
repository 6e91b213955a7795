import { Head } from '$contract/accounts.ts';
import type { VaultId } from '$contract/ids.ts';
import { VAULT_EVENTS_PATH } from '$contract/vault-events.ts';
import { headRead } from '$contract/vault-log.ts';
import * as v from 'valibot';
import { HalfkeyError } from '../errors.ts';
import { inTime } from './body.ts';
import type { Broker } from './broker.ts';
import { askSigned, type Prover } from './session-proof.ts';
import { EventStreamParser, type StreamedEvent } from './event-stream.ts';

/**
 * The broker says something every 15 s. Anyone who says nothing for three times as long is not there, or somebody on
 * the way keeps it.
 */
export const SILENT_MS = 45_000;

/** What the broker tells of a vault. */
export type HeadNews =
  | { readonly kind: 'head'; readonly head: Head }
  /** This broker has put something into the inbox. */
  | { readonly kind: 'inbox' };

/**
 * Asks for the newest head once, where a stream may not come through.
 * @param known seq of the newest segment that this device has
 * @returns undefined when there is nothing newer
 */
export function askHead(broker: Broker, vault: VaultId, known: number): Promise<Head | undefined> {
  return broker.call(headRead, { known: String(known) }, { vault });
}

/**
 * Listens to one stream of what is new, until it ends. Read by fetch: an EventSource tells of no comments, and so of no
 * life.
 * @param onNews hears of a head perhaps twice
 * @throws {HalfkeyError} `broker_unreachable` when the stream is refused, cut, or silent for 45 s; `too_many_requests`;
 *   the signal's reason. It never resolves
 */
export async function readHeads(
  { origin, prover }: { readonly origin: string; readonly prover: Prover },
  vault: VaultId,
  onNews: (news: HeadNews) => void,
  signal: AbortSignal,
): Promise<never> {
  const url = new URL(VAULT_EVENTS_PATH.replace(':vault', encodeURIComponent(vault)), origin);
  const about = { limitMs: SILENT_MS, unreachable: 'broker_unreachable', signal } as const;
  const headers = { accept: 'text/event-stream' };
  const init = { method: 'GET', headers, credentials: 'same-origin', cache: 'no-store' } as const;
  const { status, body } = await askSigned(prover, { stage: 'full', url, init }, about);
  const reader = body?.getReader();
  try {
    if (status !== 200 || !reader) throw refusal(status);
    const parser = new EventStreamParser();
    for (;;) {
      const { done, value } = await inTime(reader.read(), SILENT_MS, 'broker_unreachable');
      if (done) throw new HalfkeyError('broker_unreachable', 'the stream of news has ended');
      for (const event of parser.push(value)) for (const news of newsOf(event)) onNews(news);
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof HalfkeyError) throw cause;
    throw new HalfkeyError('broker_unreachable', 'the stream of news is none', { cause });
  } finally {
    void reader?.cancel().catch(() => undefined);
  }
}

function newsOf({ name, data }: StreamedEvent): HeadNews[] {
  if (name === 'inbox') return [{ kind: 'inbox' }];
  if (name !== 'head') return [];
  const head = v.safeParse(v.pipe(v.string(), v.parseJson(), Head), data);
  return head.success ? [{ kind: 'head', head: head.output }] : [];
}

function refusal(status: number): HalfkeyError {
  const code = status === 429 ? 'too_many_requests' : 'broker_unreachable';
  return new HalfkeyError(code, `the stream of news was answered with ${String(status)}`);
}
