import type { SignedIn } from '../../contract/accounts.ts';
import type { DeviceId, GrantId } from '../../contract/ids.ts';
import type { AccountRecord, AccountVaults } from '../account/accounts.ts';
import type { EventLog } from '../state/event-log.ts';
import type { Grants } from './grants.ts';
import { BrokerProblem } from '../problem.ts';
import type { Session } from '../account/session.ts';
import { FULL_SECONDS, type Sessions, STAGE_SECONDS } from './sessions.ts';

/** What a flow hands to its route besides the answer. */
export interface Issued {
  readonly token: string;
  readonly seconds: number;
  readonly stage: Session['stage'];
  readonly sessionId: string;
  /** Present once a device is known: its token, for the cookie. */
  readonly deviceToken?: string;
}

/** The token of a stage on the way in. */
export async function issueStage(
  sessions: Pick<Sessions, 'issue'>,
  session: Session,
  epoch: number,
): Promise<Issued> {
  const { stage, sessionId } = session;
  return { token: await sessions.issue(session, epoch), seconds: STAGE_SECONDS, stage, sessionId };
}

export interface WelcomeDeps {
  readonly sessions: Sessions;
  readonly grants: Grants;
  readonly events: EventLog;
  readonly vaults: AccountVaults;
}

/**
 * Ends a sign-up, sign-in or recovery: a full session, its first grant, and what the client needs to begin. The session has
 * to stand in the account already.
 * @param options.proof whose hash the session in the account keeps
 * @param options.grant where repeating the request must yield the same grant
 */
export async function welcome(
  deps: WelcomeDeps,
  session: Session & { readonly device: DeviceId },
  record: AccountRecord,
  { proof, ...options }: { readonly proof: string; readonly grant?: GrantId },
): Promise<{ answer: SignedIn; issued: Issued }> {
  if (!record.keyring) throw new BrokerProblem('record_corrupt');
  const { account, device } = session;
  await deps.events.append(account, { kind: 'granted', device });
  const grant = await deps.grants.issue(session, {
    kind: 'release',
    ...(options.grant && { id: options.grant }),
  });
  const vaults = await deps.vaults.memberships(account);
  const events = await deps.events.head(account);
  return {
    answer: { account, keyring: record.keyring, vaults, grant, proof, ...(events && { events }) },
    issued: {
      token: await deps.sessions.issue(session, record.sessionEpoch),
      seconds: FULL_SECONDS,
      stage: 'full',
      sessionId: session.sessionId,
      deviceToken: await deps.sessions.issueDevice(record.nameId, device),
    },
  };
}
