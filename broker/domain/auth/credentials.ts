import type * as v from 'valibot';
import type { AccountEventKind } from '../../contract/accounts.ts';
import type { AccountId } from '../../contract/ids.ts';
import type * as contract from '../../contract/credentials.ts';
import type { Clock } from '../../ports/clock.ts';
import { type AccountRecord, type Accounts, requireNext, withoutDevice } from '../account/accounts.ts';
import type { EventLog } from '../state/event-log.ts';
import { BrokerProblem } from '../problem.ts';
import { type KeptProof, keptProof, newProof, type Prover, requireProof as requireProofAt } from './proof.ts';
import type { SecondFactor } from './second-factor.ts';
import type { Session } from '../account/session.ts';
import { FULL_SECONDS, type Sessions } from './sessions.ts';
import type { Issued } from './signed-in.ts';
import { finishLogin, type LoginDeps } from './signin.ts';

type Request<R extends { request: v.GenericSchema }> = v.InferOutput<R['request']>;
type Answer<R extends { answer: v.GenericSchema }> = v.InferInput<R['answer']>;

export interface CredentialsDeps extends LoginDeps {
  readonly accounts: Accounts;
  readonly secondFactor: SecondFactor;
  readonly sessions: Sessions;
  readonly events: EventLog;
  readonly clock: Clock;
  /** Deletes the versions of `a/<account>` before the newest: they hold what was replaced. */
  readonly forgetOldRecords: (account: AccountId) => Promise<void>;
}

interface Admission {
  readonly answer: Record<string, never>;
  readonly issued: Issued;
}

/**
 * New backup codes, authenticator, kit and passphrase (contract/credentials.ts), for somebody who has the passphrase
 * and a code at hand.
 */
export function createCredentials(deps: CredentialsDeps) {
  const { accounts, opaque, secondFactor, events, clock } = deps;

  const requireProof = (record: AccountRecord, prover: Prover): void => {
    requireProofAt(record, prover, clock());
  };

  async function proven(prover: Prover): Promise<AccountRecord> {
    const record = await accounts.read(prover.session.account);
    if (!record) throw new BrokerProblem('session_missing');
    requireProof(record, prover);
    return record;
  }

  /**
   * Logs what is about to be replaced, replaces it, and forgets what it was. What is refused is not logged, nor what
   * was done already, where `change` yields undefined.
   * @param device that the log names: by which it was done, or with which
   */
  async function renew(
    prover: Prover,
    kind: AccountEventKind,
    change: (record: AccountRecord) => AccountRecord | undefined,
    device = prover.session.device,
  ): Promise<AccountRecord> {
    const { account } = prover.session;
    let record = await proven(prover);
    if (change(record) !== undefined) {
      await events.append(account, { kind, device });
      record = await accounts.update(account, (stored) => {
        requireProof(stored, prover);
        return change(stored);
      });
    }
    await forgetOld(account);
    return record;
  }

  /**
   * It has taken effect: that old versions could not be erased now is not a reason to say that it has not. The sweeper
   * erases them.
   */
  async function forgetOld(account: AccountId): Promise<void> {
    await deps.forgetOldRecords(account).catch(() => undefined);
  }

  /**
   * A factor is another now: whatever was issued before is good for nothing, in any stage, and this session goes on
   * with a new token.
   */
  function endOthers(record: AccountRecord, { sessionId }: Session): AccountRecord {
    const expiresAtMs = clock() + FULL_SECONDS * 1000;
    const own = record.sessions.filter(({ id }) => id === sessionId);
    return {
      ...withoutNextSecret(record),
      sessionEpoch: record.sessionEpoch + 1,
      sessions: own.map((session) => ({ ...session, expiresAtMs })),
    };
  }

  async function admit(session: Session, { sessionEpoch }: AccountRecord): Promise<Admission> {
    const token = await deps.sessions.issue(session, sessionEpoch);
    const { stage, sessionId } = session;
    return { answer: {}, issued: { token, seconds: FULL_SECONDS, stage, sessionId } };
  }

  return {
    async prove(
      session: Session,
      { finishLoginRequest, factor }: Request<typeof contract.credentialsProve>,
      sealedStates: readonly string[],
    ): Promise<Answer<typeof contract.credentialsProve>> {
      const { account, epoch } = await finishLogin(deps, finishLoginRequest, sealedStates);
      if (account !== session.account) throw new BrokerProblem('login_refused');
      const proof = newProof();
      const record = await secondFactor.accept(session, factor, (stored) => {
        // What was proven may have been replaced since.
        if (stored.sessionEpoch !== epoch) throw new BrokerProblem('login_refused');
        return withProof(stored, session, keptProof(proof, clock()));
      });
      if (!record.keyring) throw new BrokerProblem('record_corrupt');
      return { keyring: record.keyring, proof };
    },

    async backupCodes(
      session: Session,
      { proof, backupCodeHashes }: Request<typeof contract.backupCodesRenew>,
    ) {
      await renew({ session, proof }, 'backup-codes-renewed', (stored) => {
        const left = stored.factor.backupCodes;
        // A repeated request makes none good again that was used meanwhile.
        const isRepeated = left.length > 0 && left.every((hash) => backupCodeHashes.includes(hash));
        if (isRepeated) return undefined;
        return { ...stored, factor: { ...stored.factor, backupCodes: [...backupCodeHashes] } };
      });
      return {};
    },

    /** Nothing is replaced yet, so nothing is logged. */
    authenticator(
      session: Session,
      { proof, userName }: Request<typeof contract.authenticatorRenew>,
    ): Promise<Answer<typeof contract.authenticatorRenew>> {
      return secondFactor.offer(session.account, userName, (record) => {
        requireProof(record, { session, proof });
      });
    },

    async confirmAuthenticator(
      session: Session,
      { proof, code }: Request<typeof contract.authenticatorConfirm>,
    ): Promise<Admission> {
      await proven({ session, proof });
      const record = await secondFactor.change(session, code, (stored) => {
        requireProof(stored, { session, proof });
        return endOthers(stored, session);
      });
      await forgetOld(session.account);
      return admit(session, record);
    },

    async kit(session: Session, { proof, recoveryPublicKey, keyring }: Request<typeof contract.kitRenew>) {
      await proven({ session, proof });
      await accounts.claimRecoveryKey(recoveryPublicKey, session.account);
      await renew({ session, proof }, 'kit-renewed', (stored) => {
        const isRepeated =
          stored.recoveryPublicKey === recoveryPublicKey && stored.keyring?.bytes === keyring.bytes;
        if (isRepeated) return undefined;
        requireNext(stored, keyring);
        return { ...stored, recoveryPublicKey, keyring };
      });
      return {};
    },

    async revokeDevice(session: Session, { proof, device }: Request<typeof contract.deviceRevoke>) {
      if (device === session.device) throw new BrokerProblem('input_malformed', { fields: ['device'] });
      await renew({ session, proof }, 'device-revoked', (stored) => withoutDevice(stored, device), device);
      return {};
    },

    async startPassphrase(
      session: Session,
      { proof, registrationRequest }: Request<typeof contract.passphraseStart>,
    ) {
      const { credentialId } = await proven({ session, proof });
      return { registrationResponse: opaque.register(credentialId, registrationRequest) };
    },

    /** One write replaces record and keyring and ends every session but this one. */
    async passphrase(
      session: Session,
      { proof, registrationRecord, keyring }: Request<typeof contract.passphraseRenew>,
    ): Promise<Admission> {
      const { credentialId } = await proven({ session, proof });
      opaque.checkRecord(credentialId, registrationRecord);
      const record = await renew({ session, proof }, 'passphrase-renewed', (stored) => {
        requireNext(stored, keyring);
        return endOthers({ ...stored, opaqueRecord: registrationRecord, keyring }, session);
      });
      return admit(session, record);
    },
  };
}

/** What an earlier proof had begun is over with it. */
function withProof(record: AccountRecord, { sessionId }: Session, proof: KeptProof): AccountRecord {
  if (!record.sessions.some(({ id }) => id === sessionId)) throw new BrokerProblem('session_missing');
  return {
    ...withoutNextSecret(record),
    sessions: record.sessions.map((live) => (live.id === sessionId ? { ...live, proof } : live)),
  };
}

function withoutNextSecret(record: AccountRecord): AccountRecord {
  const factor = { ...record.factor };
  delete factor.nextSecret;
  return { ...record, factor };
}
