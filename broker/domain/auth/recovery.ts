import type * as v from 'valibot';
import type * as contract from '../../contract/accounts.ts';
import type { AccountId } from '../../contract/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import {
  type AccountRecord,
  type Accounts,
  requireNext,
  requireUnrevoked,
  sameEpoch,
  withSession,
} from '../account/accounts.ts';
import type { OneTimeState } from './one-time-state.ts';
import type { OpaqueServer } from './opaque-server.ts';
import { BrokerProblem } from '../problem.ts';
import { challengeRecoveryKey, provenRecoveryKey } from './recovery-key.ts';
import { keptProof, newProof } from './proof.ts';
import type { SecondFactor } from './second-factor.ts';
import type { Session } from '../account/session.ts';
import { FULL_SECONDS, newSessionId } from './sessions.ts';
import { type Issued, issueStage, welcome, type WelcomeDeps } from './signed-in.ts';

type Request<R extends { request: v.GenericSchema }> = v.InferOutput<R['request']>;
type Answer<R extends { answer: v.GenericSchema }> = v.InferInput<R['answer']>;

export interface RecoveryDeps extends WelcomeDeps {
  readonly accounts: Accounts;
  readonly opaque: OpaqueServer;
  readonly secondFactor: SecondFactor;
  readonly state: OneTimeState;
  readonly clock: Clock;
  /** Deletes the versions of `a/<account>` before the newest: they hold the old OPAQUE record. */
  readonly forgetOldRecords: (account: AccountId) => Promise<void>;
}

/** Back in without the passphrase: recovery key, then a code, then a new OPAQUE record. */
export function createRecovery(deps: RecoveryDeps) {
  const { accounts, opaque, state, secondFactor, clock } = deps;

  return {
    start: ({ recoveryPublicKey }: Request<typeof contract.recoveryStart>) =>
      challengeRecoveryKey(state, recoveryPublicKey),

    async prove(
      { signature }: Request<typeof contract.recoveryProve>,
      sealedStates: readonly string[],
      jkt: string,
    ): Promise<{ answer: { account: AccountId }; issued: Issued }> {
      const recoveryPublicKey = await provenRecoveryKey(state, 'recovery', signature, sealedStates);
      const account = await accounts.withRecoveryKey(recoveryPublicKey);
      const record = account && (await accounts.read(account));
      const fits = record?.phase === 'active' && record.recoveryPublicKey === recoveryPublicKey;
      if (!account || !fits) throw new BrokerProblem('recovery_refused');
      const session: Session = {
        account,
        device: undefined,
        sessionId: newSessionId(),
        stage: 'recovery-code',
        jkt,
        recoveryPublicKey,
      };
      return { answer: { account }, issued: await issueStage(deps.sessions, session, record.sessionEpoch) };
    },

    async code(
      before: Session,
      { factor, registrationRequest }: Request<typeof contract.recoveryCode>,
    ): Promise<{ answer: Answer<typeof contract.recoveryCode>; issued: Issued }> {
      const record = await secondFactor.accept(before, factor, (stored) => sameEpoch(stored, before));
      if (!record.keyring) throw new BrokerProblem('record_corrupt');
      return {
        answer: {
          registrationResponse: opaque.register(record.credentialId, registrationRequest),
          keyring: record.keyring,
        },
        issued: await issueStage(deps.sessions, { ...before, stage: 'recovery' }, record.sessionEpoch),
      };
    },

    /** One write replaces record and keyring and ends every older session, this request's own with them. */
    async complete(before: Session, request: Request<typeof contract.recoveryComplete>) {
      const { account, sessionId, jkt } = before;
      const { device, keyring, registrationRecord } = request;
      const now = await accounts.read(account);
      if (!now) throw new BrokerProblem('session_missing');
      opaque.checkRecord(now.credentialId, registrationRecord);
      requireUnrevoked(sameEpoch(now, before), device); // Before it is logged.
      await deps.events.append(account, { kind: 'recovered', device: device.id });
      const proof = newProof();
      const live = {
        ...{ id: sessionId, device: device.id, expiresAtMs: clock() + FULL_SECONDS * 1000 },
        proof: keptProof(proof, clock()),
      };
      const record = await accounts.update(account, (stored) => {
        // Whatever was renewed since the token was issued, be it a moment ago, ends this recovery.
        sameEpoch(stored, before);
        if (stored.recoveryPublicKey !== before.recoveryPublicKey) throw new BrokerProblem('session_missing');
        requireNext(stored, keyring);
        const renewed: AccountRecord = {
          ...stored,
          opaqueRecord: registrationRecord,
          keyring,
          sessionEpoch: stored.sessionEpoch + 1,
          sessions: [],
        };
        return withSession(renewed, live, device, clock());
      });
      await deps.forgetOldRecords(account);
      return welcome(deps, { account, sessionId, device: device.id, stage: 'full', jkt }, record, { proof });
    },
  };
}
