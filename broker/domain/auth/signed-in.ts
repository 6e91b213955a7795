import type { Grant, SignedIn } from '../../contract/accounts.ts';
import type { DeviceId } from '../../contract/ids.ts';
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

/** What opens an account's vaults: where they stand, and the newest of their journals. */
export type Opened = Pick<SignedIn, 'vaults' | 'opening'>;

export interface WelcomeDeps {
  readonly sessions: Sessions;
  readonly grants: Grants;
  readonly events: EventLog;
  readonly vaults: AccountVaults;
}

/**
 * Ends a sign-up, sign-in or recovery: a full session, its first grant, and what the client needs to begin. The session
 * has to stand in the account already.
 * @param options.proof whose hash the session in the account keeps
 * @param options.grant the grant, where it is issued already
 * @param options.opened what opens the vaults, where that is known or on its way already
 */
export async function welcome(
  deps: WelcomeDeps,
  session: Session & { readonly device: DeviceId },
  record: AccountRecord,
  {
    proof,
    ...known
  }: { readonly proof: string; readonly grant?: Grant; readonly opened?: Opened | Promise<Opened> },
): Promise<{ answer: SignedIn; issued: Issued }> {
  if (!record.keyring) throw new BrokerProblem('record_corrupt');
  const { account, device } = session;
  // Side by side: nobody is told of the grant before it was logged.
  const [grant, events, opened] = await Promise.all([
    known.grant ?? deps.grants.issue(session, { kind: 'release' }),
    deps.events.append(account, { kind: 'granted', device }),
    known.opened ?? deps.vaults.open(account),
  ]);
  return {
    answer: { account, keyring: record.keyring, ...opened, grant, proof, events },
    issued: {
      token: await deps.sessions.issue(session, record.sessionEpoch),
      seconds: FULL_SECONDS,
      stage: 'full',
      sessionId: session.sessionId,
      deviceToken: await deps.sessions.issueDevice(record.nameId, device),
    },
  };
}
