import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import { VAULT_EVENTS_PATH } from '../contract/vault-events.ts';
import { BrokerProblem } from '../domain/problem.ts';
import type { Session } from '../domain/account/session.ts';
import type { VaultEvent } from '../domain/vault/events.ts';
import { type Call, registerStream, verifiedSession } from './frame.ts';
import { EventBuffer } from './event-buffer.ts';
import type { VaultRouteDeps } from './vault-route-deps.ts';

/**
 * One per browser profile: its tabs share it. More come about while one takes another's place, and before a broken line
 * is noticed here. Counted by session, so that a device that somebody else uses takes no place of another.
 */
const MAX_STREAMS_PER_SESSION = 16;
/** Keeps proxies from taking the stream for dead; at each, session and membership are checked anew. */
const COMMENT_EVERY_MS = 15_000;

/** Server-sent events of new heads and of the inbox. */
export function createVaultEventRoute({ frame, side }: VaultRouteDeps): void {
  const streams = new Map<string, number>();

  /** @throws BrokerProblem `too_many_requests` @returns what gives the place back */
  function takePlace({ sessionId }: Session): () => void {
    const open = streams.get(sessionId) ?? 0;
    if (open >= MAX_STREAMS_PER_SESSION) {
      throw new BrokerProblem('too_many_requests', { retryAfterSeconds: COMMENT_EVERY_MS / 1000 });
    }
    streams.set(sessionId, open + 1);
    return () => {
      const left = (streams.get(sessionId) ?? 1) - 1;
      if (left === 0) streams.delete(sessionId);
      else streams.set(sessionId, left);
    };
  }

  async function stillAllowed({ session, vault, cookies }: Call<undefined>): Promise<boolean> {
    try {
      await verifiedSession(frame.deps, cookies, session.stage);
      await side.requireMember(session.account, vault);
      return true;
    } catch (error) {
      // A store that does not answer says nothing about the session.
      return error instanceof BrokerProblem && error.code === 'store_unreachable';
    }
  }

  registerStream(
    frame,
    { method: 'GET', path: VAULT_EVENTS_PATH, stage: 'full' },
    'text/event-stream',
    async (call, context) => {
      const { vault, session, record } = call;
      const first = await side.log.head(vault, record.head);
      // The time for a request was over, and somebody else has answered: a stream begun now would have no reader, and
      // no end.
      if (context.finalized) return context.res;
      const givePlaceBack = takePlace(session);
      const untold = new EventBuffer(first);
      const unlisten = side.news.listen(vault, first, untold);
      return streamSSE(context, async (stream) => {
        stream.onAbort(() => {
          untold.end();
        });
        try {
          await pump(stream, untold, () => stillAllowed(call));
        } finally {
          unlisten();
          givePlaceBack();
        }
      });
    },
  );
}

/** Ends with the client, the session, or the broker. */
async function pump(
  stream: SSEStreamingApi,
  untold: EventBuffer,
  stillAllowed: () => Promise<boolean>,
): Promise<void> {
  for (let commentAtMs = Date.now() + COMMENT_EVERY_MS; !untold.ended();) {
    const news = await untold.next(commentAtMs - Date.now());
    if (news) {
      await write(stream, news);
    } else if (!untold.ended()) {
      if (!(await stillAllowed())) return;
      await stream.write(':\n\n');
      commentAtMs = Date.now() + COMMENT_EVERY_MS;
    }
  }
}

async function write(stream: SSEStreamingApi, news: VaultEvent): Promise<void> {
  // Browsers pass over an event that has no data at all: an empty line of it is enough.
  const data = news.kind === 'head' ? JSON.stringify(news.head) : '';
  await stream.writeSSE({ event: news.kind, data });
}
