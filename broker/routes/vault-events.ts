import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import type { Head } from '../contract/account.ts';
import type { AccountId } from '../contract/ids.ts';
import { VAULT_EVENTS_PATH } from '../contract/vault.ts';
import { BrokerProblem } from '../domain/problem.ts';
import { type Call, registerStream } from './frame.ts';
import { HeadInbox } from './head-inbox.ts';
import type { VaultRouteDeps } from './vault-route-deps.ts';

/** One per open tab; a browser has only six connections to a host anyway. */
const MAX_STREAMS_PER_ACCOUNT = 16;
/** Keeps proxies from taking the stream for dead; at each, session and membership are checked anew. */
const COMMENT_EVERY_MS = 15_000;

/** Server-sent events of new heads. */
export function createVaultEventRoute({ frame, side }: VaultRouteDeps): void {
  const streams = new Map<AccountId, number>();

  /** @throws BrokerProblem `too_many_requests` @returns what gives the place back */
  function takePlace(account: AccountId): () => void {
    const open = streams.get(account) ?? 0;
    if (open >= MAX_STREAMS_PER_ACCOUNT) {
      throw new BrokerProblem('too_many_requests', { retryAfterSeconds: COMMENT_EVERY_MS / 1000 });
    }
    streams.set(account, open + 1);
    return () => {
      const left = (streams.get(account) ?? 1) - 1;
      if (left === 0) streams.delete(account);
      else streams.set(account, left);
    };
  }

  async function stillAllowed({ session, vault, cookies }: Call<undefined>): Promise<boolean> {
    try {
      await frame.deps.verifySession(cookies.read('session'), session.stage);
      await side.requireMember(session.account, vault);
      return true;
    } catch (error) {
      // A store that does not answer says nothing about the session.
      return error instanceof BrokerProblem && error.code === 'store_unreachable';
    }
  }

  registerStream(frame, VAULT_EVENTS_PATH, 'full', async (call, context) => {
    const { vault, session } = call;
    const { head: known } = await side.requireMember(session.account, vault);
    const first = await side.log.head(vault, known);
    // The time for a request was over, and somebody else has answered: a stream begun now would have no reader, and no end.
    if (context.finalized) return context.res;
    const givePlaceBack = takePlace(session.account);
    const inbox = new HeadInbox(first);
    const unlisten = side.heads.listen(vault, first, inbox);
    return streamSSE(context, async (stream) => {
      stream.onAbort(() => {
        inbox.end();
      });
      try {
        await pump(stream, inbox, () => stillAllowed(call));
      } finally {
        unlisten();
        givePlaceBack();
      }
    });
  });
}

/** Ends with the client, the session, or the broker. */
async function pump(
  stream: SSEStreamingApi,
  inbox: HeadInbox,
  stillAllowed: () => Promise<boolean>,
): Promise<void> {
  for (let commentAtMs = Date.now() + COMMENT_EVERY_MS; !inbox.ended();) {
    const head = await inbox.next(commentAtMs - Date.now());
    if (head) {
      await writeHead(stream, head);
    } else if (!inbox.ended()) {
      if (!(await stillAllowed())) return;
      await stream.write(':\n\n');
      commentAtMs = Date.now() + COMMENT_EVERY_MS;
    }
  }
}

async function writeHead(stream: SSEStreamingApi, head: Head): Promise<void> {
  await stream.writeSSE({ event: 'head', data: JSON.stringify(head) });
}
