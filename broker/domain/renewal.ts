import type * as v from 'valibot';
import type { AccountEventKind, KeyringRecord } from '../contract/account.ts';
import type { AccountId } from '../contract/ids.ts';
import type * as contract from '../contract/renewal.ts';
import type { Clock } from '../ports/clock.ts';
import type { AccountRecord, Accounts } from './accounts.ts';
import type { EventLog } from './event-log.ts';
import { BrokerProblem } from './problem.ts';
import type { SecondFactor } from './second-factor.ts';
import type { Session } from './session.ts';
import { FULL_SECONDS, type Sessions } from './sessions.ts';
import type { Issued } from './signed-in.ts';
import { finishLogin, type LoginDeps } from './signin.ts';

type Request<R extends { request: v.GenericSchema }> = v.InferOutput<R['request']>;
type Answer<R extends { answer: v.GenericSchema }> = v.InferInput<R['answer']>;

export interface RenewalDeps extends LoginDeps {
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

/** For so long after passphrase and code a session may renew. */
const PROOF_MS = 10 * 60 * 1000;

/** New backup codes, authenticator, kit and passphrase (contract/renewal.ts), for who has the passphrase and a code at hand. */
export function createRenewal(deps: RenewalDeps) {
  const { accounts, opaque, secondFactor, events, clock } = deps;

  function requireProof({ sessions }: AccountRecord, { sessionId }: Session): void {
    const provenAtMs = sessions.find(({ id }) => id === sessionId)?.provenAtMs;
    if (provenAtMs === undefined || clock() - provenAtMs >= PROOF_MS)
      throw new BrokerProblem('proof_missing');
  }

  async function proven(session: Session): Promise<AccountRecord> {
    const record = await accounts.read(session.account);
    if (!record) throw new BrokerProblem('session_missing');
    requireProof(record, session);
    return record;
  }

  /**
   * Logs what is about to be replaced, replaces it, and forgets what it was. What is refused is not logged, nor what was done
   * already, where `change` yields undefined.
   */
  async function renew(
    session: Session,
    kind: AccountEventKind,
    change: (record: AccountRecord) => AccountRecord | undefined,
  ): Promise<AccountRecord> {
    const { account, device } = session;
    let record = await proven(session);
    if (change(record) !== undefined) {
      await events.append(account, { kind, device });
      record = await accounts.update(account, (stored) => {
        requireProof(stored, session);
        return change(stored);
      });
    }
    await deps.forgetOldRecords(account);
    return record;
  }

  /** A factor is another now: whatever was issued before is good for nothing, in any stage, and this session goes on with a new token. */
  function endOthers(record: AccountRecord, { sessionId }: Session): AccountRecord {
    const expiresAtMs = clock() + FULL_SECONDS * 1000;
    const own = record.sessions.filter(({ id }) => id === sessionId);
    return {
      ...record,
      sessionEpoch: record.sessionEpoch + 1,
      sessions: own.map((session) => ({ ...session, expiresAtMs })),
    };
  }

  async function admit(session: Session, { sessionEpoch }: AccountRecord): Promise<Admission> {
    const token = await deps.sessions.issue(session, sessionEpoch);
    return { answer: {}, issued: { token, seconds: FULL_SECONDS } };
  }

  return {
    async prove(
      session: Session,
      { finishLoginRequest, factor }: Request<typeof contract.renewalProve>,
      sealedState: string | undefined,
    ): Promise<Answer<typeof contract.renewalProve>> {
      const { account, epoch } = await finishLogin(deps, finishLoginRequest, sealedState);
      if (account !== session.account) throw new BrokerProblem('login_refused');
      const record = await secondFactor.accept(session, factor, (stored) => {
        // What was proven may have been replaced since.
        if (stored.sessionEpoch !== epoch) throw new BrokerProblem('login_refused');
        return withProof(stored, session, clock());
      });
      if (!record.keyring) throw new BrokerProblem('record_corrupt');
      return { keyring: record.keyring };
    },

    async backupCodes(session: Session, { backupCodeHashes }: Request<typeof contract.backupCodesRenew>) {
      await renew(session, 'backup-codes-renewed', (stored) => {
        const left = stored.factor.backupCodes;
        // A repeated request makes none good again that was used meanwhile.
        const isRepeated = left.length > 0 && left.every((hash) => backupCodeHashes.includes(hash));
        if (isRepeated) return undefined;
        return { ...stored, factor: { ...stored.factor, backupCodes: [...backupCodeHashes] } };
      });
      return {};
    },

    /** Nothing is replaced yet, so nothing is logged. */
    async authenticator(
      session: Session,
      { userName }: Request<typeof contract.authenticatorRenew>,
    ): Promise<Answer<typeof contract.authenticatorRenew>> {
      const { nameId } = await proven(session);
      if (accounts.nameIdOf(userName) !== nameId)
        throw new BrokerProblem('input_malformed', { fields: ['userName'] });
      const { secret, otpauthUri, record } = await secondFactor.enrol(session.account, userName);
      await accounts.update(session.account, (stored) => {
        requireProof(stored, session);
        return { ...stored, factor: { ...stored.factor, nextSecret: record.sealedSecret } };
      });
      return { totpSecret: secret, otpauthUri };
    },

    async confirmAuthenticator(
      session: Session,
      { code }: Request<typeof contract.authenticatorConfirm>,
    ): Promise<Admission> {
      await proven(session);
      const record = await secondFactor.change(session, code, (stored) => {
        requireProof(stored, session);
        return endOthers(stored, session);
      });
      await deps.forgetOldRecords(session.account);
      return admit(session, record);
    },

    async kit(session: Session, { recoveryPublicKey, keyring }: Request<typeof contract.kitRenew>) {
      await proven(session);
      await accounts.claimRecoveryKey(recoveryPublicKey, session.account);
      await renew(session, 'kit-renewed', (stored) => {
        const isRepeated =
          stored.recoveryPublicKey === recoveryPublicKey && stored.keyring?.bytes === keyring.bytes;
        if (isRepeated) return undefined;
        requireNewer(stored, keyring);
        return { ...stored, recoveryPublicKey, keyring };
      });
      return {};
    },

    async startPassphrase(
      session: Session,
      { registrationRequest }: Request<typeof contract.passphraseStart>,
    ) {
      const { nameId } = await proven(session);
      return { registrationResponse: opaque.register(nameId, registrationRequest) };
    },

    /** One write replaces record and keyring and ends every session but this one. */
    async passphrase(
      session: Session,
      { registrationRecord, keyring }: Request<typeof contract.passphraseRenew>,
    ): Promise<Admission> {
      const { nameId } = await proven(session);
      opaque.checkRecord(nameId, registrationRecord);
      const record = await renew(session, 'passphrase-renewed', (stored) => {
        requireNewer(stored, keyring);
        return endOthers({ ...stored, opaqueRecord: registrationRecord, keyring }, session);
      });
      return admit(session, record);
    },
  };
}

function withProof(record: AccountRecord, { sessionId }: Session, provenAtMs: number): AccountRecord {
  if (!record.sessions.some(({ id }) => id === sessionId)) throw new BrokerProblem('session_missing');
  const sessions = record.sessions.map((live) => (live.id === sessionId ? { ...live, provenAtMs } : live));
  return { ...record, sessions };
}

/** Two devices that renew at once must not undo each other. */
function requireNewer({ keyring: stored }: AccountRecord, keyring: KeyringRecord): void {
  if (keyring.version <= (stored?.version ?? 0)) throw new BrokerProblem('keyring_changed');
}
