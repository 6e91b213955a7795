import type * as v from 'valibot';
import type { AccountId } from '../../contract/ids.ts';
import type * as contract from '../../contract/factor-reset.ts';
import type { Clock } from '../../ports/clock.ts';
import {
  type AccountRecord,
  type Accounts,
  requireUnrevoked,
  sameEpoch,
  withSession,
} from '../account/accounts.ts';
import type { OneTimeState } from './one-time-state.ts';
import { isFactorResetDue, pendingFactorReset } from '../account/pending-factor-reset.ts';
import { BrokerProblem } from '../problem.ts';
import { createQueue } from '../queue.ts';
import { provenRecoveryKey } from './recovery-key.ts';
import { keptProof, newProof } from './proof.ts';
import type { SecondFactor } from './second-factor.ts';
import type { Session } from '../account/session.ts';
import { FULL_SECONDS, newSessionId } from './sessions.ts';
import { type Issued, issueStage, welcome, type WelcomeDeps } from './signed-in.ts';

type Request<R extends { request: v.GenericSchema }> = v.InferOutput<R['request']>;
type Answer<R extends { answer: v.GenericSchema }> = v.InferInput<R['answer']>;

export interface FactorResetDeps extends WelcomeDeps {
  readonly accounts: Accounts;
  readonly secondFactor: SecondFactor;
  readonly state: OneTimeState;
  readonly clock: Clock;
  /** Deletes the versions of `a/<account>` before the newest: they hold what was replaced. */
  readonly forgetOldRecords: (account: AccountId) => Promise<void>;
}

/**
 * Back in without an authenticator (contract/factor-reset.ts): passphrase and recovery key, a wait that everybody hears
 * of, and both again.
 */
export function createFactorReset(deps: FactorResetDeps) {
  const { accounts, secondFactor, state, events, clock } = deps;

  /** Of all that ask one broker at the same moment, the first begins or stops the wait: the log tells of no other. */
  const queue = createQueue();

  /** Begins the wait, unless it has begun; logged before. */
  async function begin(session: Session, recoveryPublicKey: string): Promise<AccountRecord> {
    const { account } = session;
    const fit = (record: AccountRecord): AccountRecord => {
      if (record.recoveryPublicKey !== recoveryPublicKey) throw new BrokerProblem('recovery_refused');
      return sameEpoch(record, session);
    };
    const now = await accounts.read(account);
    if (!now) throw new BrokerProblem('session_missing');
    if (pendingFactorReset(fit(now), clock())) return now;
    await events.append(account, { kind: 'factor-reset-asked' });
    return accounts.update(account, (stored) => {
      if (pendingFactorReset(fit(stored), clock())) return undefined;
      const { sessionEpoch } = stored;
      return { ...stored, factorReset: { askedAtMs: clock(), sessionEpoch, recoveryPublicKey } };
    });
  }

  /** The record, if what this session was issued for still stands. @throws BrokerProblem `session_missing` */
  function stillDue(record: AccountRecord, session: Session): AccountRecord {
    if (!isFactorResetDue(sameEpoch(record, session), clock())) throw new BrokerProblem('session_missing');
    return record;
  }

  return {
    /** @returns with `issued` once the wait is over */
    async ask(
      before: Session,
      { signature }: Request<typeof contract.factorResetAsk>,
      sealedStates: readonly string[],
    ): Promise<{ answer: Answer<typeof contract.factorResetAsk>; issued?: Issued }> {
      const recoveryPublicKey = await provenRecoveryKey(state, 'factor-reset', signature, sealedStates);
      const record = await queue(before.account, () => begin(before, recoveryPublicKey));
      const pending = pendingFactorReset(record, clock());
      if (!pending) throw new BrokerProblem('login_expired'); // It lapsed just now.
      const waitSeconds = Math.max(0, Math.ceil((pending.dueAtMs - clock()) / 1000));
      if (waitSeconds > 0) return { answer: { waitSeconds } };
      const session: Session = { ...before, sessionId: newSessionId(), stage: 'factor-reset' };
      const issued = await issueStage(deps.sessions, session, record.sessionEpoch);
      return { answer: { waitSeconds }, issued };
    },

    /** Nothing is replaced yet, so nothing is logged. */
    secret(
      session: Session,
      { userName }: Request<typeof contract.factorResetSecret>,
    ): Promise<Answer<typeof contract.factorResetSecret>> {
      return secondFactor.offer(session.account, userName, (record) => {
        stillDue(record, session);
      });
    },

    /**
     * One write replaces the authenticator and ends every session of before, and every backup code: nobody knows who
     * has them.
     */
    async confirm(before: Session, { code, device }: Request<typeof contract.factorResetConfirm>) {
      const { account, sessionId, jkt } = before;
      const now = await accounts.read(account);
      if (now) requireUnrevoked(now, device); // Before the code counts.
      const full = { account, sessionId, device: device.id, stage: 'full', jkt } as const;
      const proof = newProof();
      const live = {
        ...{ id: sessionId, device: device.id, expiresAtMs: clock() + FULL_SECONDS * 1000 },
        proof: keptProof(proof, clock()),
      };
      const record = await secondFactor.change({ ...before, device: device.id }, code, (stored) => {
        const { sessionEpoch, factor } = stillDue(stored, before);
        const renewed: AccountRecord = {
          ...stored,
          factor: { ...factor, backupCodes: [] },
          sessionEpoch: sessionEpoch + 1,
          sessions: [],
        };
        delete renewed.factorReset;
        return withSession(renewed, live, device, clock());
      });
      // It has taken effect: what cannot be erased now, the sweeper erases.
      await deps.forgetOldRecords(account).catch(() => undefined);
      return welcome(deps, full, record, { proof });
    },

    stop({ account, device }: Session) {
      return queue(account, async () => {
        const record = await accounts.read(account);
        if (!record || !pendingFactorReset(record, clock())) return {};
        await events.append(account, { kind: 'factor-reset-stopped', device });
        await accounts.update(account, (stored) => {
          const stopped = { ...stored };
          delete stopped.factorReset;
          return stopped;
        });
        return {};
      });
    },

    /** What everybody who is signed in hears of. */
    async pending({ account }: Session) {
      const record = await accounts.recall(account);
      return record && pendingFactorReset(record, clock());
    },
  };
}
