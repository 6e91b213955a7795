import { timingSafeEqual } from 'node:crypto';
import { generateSecret, generateURI, verify } from 'otplib';
import type { AccountId, BackupCode, Code, Factor, UserName } from '../../contract/ids.ts';
import { LIMITS } from '../../contract/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { BrokerKms } from '../../ports/kms.ts';
import {
  type AccountRecord,
  type Accounts,
  backupCodeHash,
  type FactorRecord,
  sameEpoch,
} from '../account/accounts.ts';
import type { EventLog } from '../state/event-log.ts';
import { BrokerProblem } from '../problem.ts';
import type { Session } from '../account/session.ts';
import { countBackupCode, countRefusal } from './backup-code-pace.ts';
import { withProof } from './used-proofs.ts';

/** RFC 6238's X. */
const STEP_SECONDS = 30;
const FIRST_LOCK_MS = 60 * 60 * 1000;
const LONGEST_LOCK_MS = 24 * 60 * 60 * 1000;
/** Requests with a code that a session remembers. */
const MAX_PROOFS = 8;

/** A change of the account that takes effect together with the code, in one write. */
type AlongWith = (record: AccountRecord) => AccountRecord;

export interface SecondFactor {
  /** A new secret: base32 and otpauth URI for the user, a record for the account. */
  enrol(
    account: AccountId,
    userName: UserName,
  ): Promise<{ secret: string; otpauthUri: string; record: FactorRecord }>;
  /**
   * Gives an account its next secret, which waits for its first code (`change`); the present one stays good until then.
   * @param userName the account's own
   * @param allowed throws where the account is to have none, now or when it is written
   * @throws BrokerProblem `input_malformed` for another name, `session_missing` where there is no such account
   */
  offer(
    account: AccountId,
    userName: UserName,
    allowed: (record: AccountRecord) => void,
  ): Promise<{ totpSecret: string; otpauthUri: string }>;
  /**
   * Accepts a code once across all brokers, or throws. The attempt is counted before anything is compared, and the step
   * is recorded by a conditional write before anything is said: only its writer is accepted.
   * @returns the account as it is with the code accepted
   * @throws BrokerProblem `code_wrong` and `code_used`, from the seventh in a row on with the tries that are left;
   *   `code_locked` with the seconds to wait; `backup_code_refused`, `too_many_requests` for backup codes in quick
   *   succession, `nonce_stale` for a request that was served before, `store_unreachable`, `kms_unreachable`
   */
  accept(session: Session, factor: Factor, along?: AlongWith): Promise<AccountRecord>;
  /**
   * The same, with something that is written at the same time as the acceptance, once the code was found to be right:
   * it must be worth nothing without it.
   * @throws BrokerProblem as `accept`; what `beside` throws, when the code was accepted
   */
  acceptBeside<Beside>(
    session: Session,
    factor: Factor,
    beside: () => Promise<Beside>,
    along?: AlongWith,
  ): Promise<{ record: AccountRecord; beside: Beside }>;
  /**
   * Accepts the first code of the account's next secret, which takes the place of the present one in the same write.
   * Counted as any attempt, and logged before it takes effect.
   * @param along what takes effect with it; may throw
   * @throws BrokerProblem `code_wrong`, also where there is no next secret any more; `code_locked` and others as
   *   `accept`
   */
  change(session: Session, code: Code, along: AlongWith): Promise<AccountRecord>;
}

export function createSecondFactor(
  accounts: Accounts,
  kms: BrokerKms,
  events: EventLog,
  clock: Clock,
): SecondFactor {
  const contextOf = (account: AccountId) => ({ app: 'halfkey', purpose: 'totp', account });

  /** Throttle and count in one conditional write: of any number of parallel guesses, ten get further. */
  function countAttempt(session: Session): Promise<AccountRecord> {
    return accounts.update(session.account, (before) => {
      const now = clock();
      const record = served(before, session);
      const { failures, locks, lockedUntilMs } = record.factor;
      if (lockedUntilMs > now) throw locked(lockedUntilMs - now);
      const counted = failures + 1;
      if (counted < LIMITS.wrongCodes) return withFactor(record, { failures: counted });
      // The tenth: it may still be right, and then lifts the lock that it brings.
      const lockMs = Math.min(FIRST_LOCK_MS * 2 ** locks, LONGEST_LOCK_MS);
      return withFactor(record, { failures: 0, locks: locks + 1, lockedUntilMs: now + lockMs });
    });
  }

  async function refuse(session: Session, code: 'code_wrong' | 'code_used', counted: FactorRecord) {
    const kind = counted.lockedUntilMs > clock() ? 'code-locked' : 'code-refused';
    await events.append(session.account, { kind, device: session.device });
    return notTaken(code, counted);
  }

  /** The refusal of an attempt that was counted; near the lock it says how near. */
  function notTaken(code: 'code_wrong' | 'code_used', { failures, lockedUntilMs }: FactorRecord) {
    const triesLeft = lockedUntilMs > clock() ? 0 : LIMITS.wrongCodes - failures;
    return new BrokerProblem(code, triesLeft <= LIMITS.triesAnnounced ? { triesLeft } : {});
  }

  /** RFC 6238's T that a code stands for, one step early or late at most; undefined for none. */
  async function stepOf(account: AccountId, sealedSecret: string, code: Code): Promise<number | undefined> {
    const secret = await kms.decrypt(Buffer.from(sealedSecret, 'base64url'), contextOf(account));
    const result = await verify({
      secret: Buffer.from(secret).toString('latin1'),
      token: code,
      epoch: Math.floor(clock() / 1000),
      epochTolerance: STEP_SECONDS,
    });
    return result.valid && 'timeStep' in result ? result.timeStep : undefined;
  }

  async function acceptCode<Beside>(
    session: Session,
    code: Code,
    along: AlongWith,
    beside: () => Promise<Beside>,
  ): Promise<{ record: AccountRecord; beside: Beside }> {
    const { factor } = await countAttempt(session);
    const step = await stepOf(session.account, factor.sealedSecret, code);
    if (step === undefined) throw await refuse(session, 'code_wrong', factor);
    if (step <= factor.lastStep) throw await refuse(session, 'code_used', factor);
    try {
      const accepting = accounts.update(session.account, (record) => {
        if (step <= record.factor.lastStep) throw new BrokerProblem('code_used');
        // The authenticator was another one when the attempt was counted.
        if (record.factor.sealedSecret !== factor.sealedSecret) throw notTaken('code_wrong', factor);
        sameEpoch(record, session);
        return along(withHint(session.account, withFactor(record, { ...OPEN, lastStep: step })));
      });
      // The refusal of the code is told rather than a failure beside it.
      const [accepted, done] = await Promise.allSettled([accepting, beside()]);
      if (accepted.status === 'rejected') throw accepted.reason;
      if (done.status === 'rejected') throw done.reason;
      return { record: accepted.value, beside: done.value };
    } catch (problem) {
      const raced = problem instanceof BrokerProblem && problem.code === 'code_used';
      throw raced ? await refuse(session, 'code_used', factor) : problem;
    }
  }

  /**
   * 80 random bits, which nobody guesses: the pace is for the noise, and a lock of the factor does not hold them up.
   */
  async function acceptBackupCode<Beside>(
    session: Session,
    backupCode: BackupCode,
    along: AlongWith,
    beside: () => Promise<Beside>,
  ): Promise<{ record: AccountRecord; beside: Beside }> {
    const hash = Buffer.from(backupCodeHash(session.account, backupCode), 'base64url');
    const tried = { isTaken: false, isTold: false };
    const written = await accounts.update(session.account, (before) => {
      const record = countBackupCode(served(before, session), session, clock());
      const left = record.factor.backupCodes.filter(
        (stored) => !timingSafeEqual(Buffer.from(stored, 'base64url'), hash),
      );
      tried.isTaken = left.length < record.factor.backupCodes.length;
      if (tried.isTaken) {
        sameEpoch(record, session);
        return along(withHint(session.account, withFactor(record, { ...OPEN, backupCodes: left })));
      }
      const refusal = countRefusal(record.factor.backupRefusals, clock());
      tried.isTold = refusal.count === 1;
      return withFactor(record, { backupRefusals: refusal });
    });
    if (tried.isTaken) return { record: written, beside: await beside() };
    if (tried.isTold) {
      await events.append(session.account, { kind: 'code-refused', device: session.device });
    }
    throw new BrokerProblem('backup_code_refused');
  }

  /** With the event log's head, as far as this broker knows it: anyone who reads the account need not search for it. */
  function withHint(account: AccountId, record: AccountRecord): AccountRecord {
    const known = events.known(account);
    return known ? { ...record, events: known } : record;
  }

  async function newSecret(account: AccountId, userName: UserName) {
    const secret = generateSecret();
    const sealed = await kms.encrypt(Buffer.from(secret, 'latin1'), contextOf(account));
    return {
      secret,
      otpauthUri: generateURI({ issuer: 'Halfkey', label: userName, secret }),
      sealedSecret: Buffer.from(sealed).toString('base64url'),
    };
  }

  const acceptBeside: SecondFactor['acceptBeside'] = (session, factor, beside, along = same) =>
    'code' in factor
      ? acceptCode(session, factor.code, along, beside)
      : acceptBackupCode(session, factor.backupCode, along, beside);

  return {
    async enrol(account, userName) {
      const { secret, otpauthUri, sealedSecret } = await newSecret(account, userName);
      return { secret, otpauthUri, record: { ...OPEN, sealedSecret, lastStep: 0, backupCodes: [] } };
    },
    async offer(account, userName, allowed) {
      const now = await accounts.read(account);
      if (!now) throw new BrokerProblem('session_missing');
      allowed(now);
      if (accounts.nameIdOf(userName) !== now.nameId) {
        throw new BrokerProblem('input_malformed', { fields: ['userName'] });
      }
      const { secret, otpauthUri, sealedSecret } = await newSecret(account, userName);
      await accounts.update(account, (stored) => {
        allowed(stored);
        return withFactor(stored, { nextSecret: sealedSecret });
      });
      return { totpSecret: secret, otpauthUri };
    },
    accept: async (session, factor, along) => (await acceptBeside(session, factor, nothing, along)).record,
    acceptBeside,
    async change(session, code, along) {
      const { factor } = await countAttempt(session);
      const { nextSecret } = factor;
      const step = nextSecret === undefined ? undefined : await stepOf(session.account, nextSecret, code);
      if (nextSecret === undefined || step === undefined) throw await refuse(session, 'code_wrong', factor);
      await events.append(session.account, { kind: 'authenticator-renewed', device: session.device });
      return accounts.update(session.account, (record) => {
        // Another one was asked for meanwhile: that one's codes count now.
        if (record.factor.nextSecret !== nextSecret) throw notTaken('code_wrong', factor);
        sameEpoch(record, session);
        const renewed = { ...record.factor, ...OPEN, sealedSecret: nextSecret, lastStep: step };
        delete renewed.nextSecret;
        return along({ ...record, factor: renewed });
      });
    },
  };
}

/** The record after this request, which a session that has begun serves once. */
function served(record: AccountRecord, session: Session): AccountRecord {
  return {
    ...record,
    sessions: record.sessions.map((live) =>
      live.id === session.sessionId
        ? { ...live, usedProofs: withProof(live.usedProofs, session, MAX_PROOFS) }
        : live,
    ),
  };
}

const nothing = (): Promise<void> => Promise.resolve();
const same: AlongWith = (record) => record;

const OPEN = { failures: 0, locks: 0, lockedUntilMs: 0 };

function withFactor(record: AccountRecord, change: Partial<FactorRecord>): AccountRecord {
  return { ...record, factor: { ...record.factor, ...change } };
}

function locked(remainingMs: number): BrokerProblem {
  return new BrokerProblem('code_locked', { retryAfterSeconds: Math.ceil(remainingMs / 1000) });
}
