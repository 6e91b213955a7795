import type { Accounts } from '../account/accounts.ts';
import type { Session } from '../account/session.ts';
import { BrokerProblem } from '../problem.ts';
import { createQueue } from '../queue.ts';
import type { EventLog } from '../state/event-log.ts';

/** Ends a session, everywhere at once. */
export type SignOut = (session: Session) => Promise<void>;

/**
 * A cookie alone may do this, as often and as fast as it likes: so one request comes after the other, and those that
 * find the session ended log nothing.
 */
export function createSignOut(
  accounts: Pick<Accounts, 'read' | 'update'>,
  events: Pick<EventLog, 'append'>,
): SignOut {
  const queue = createQueue();
  return ({ account, sessionId, device }) =>
    queue(sessionId, async () => {
      const record = await accounts.read(account);
      if (!record?.sessions.some(({ id }) => id === sessionId)) throw new BrokerProblem('session_missing');
      await events.append(account, { kind: 'signed-out', device });
      // Grants belong to a session: without it no route takes them any more.
      await accounts.update(account, (stored) => ({
        ...stored,
        sessions: stored.sessions.filter(({ id }) => id !== sessionId),
      }));
    });
}
