import type { AccountRecord, FactorRecord } from '../account/accounts.ts';
import type { Session } from '../account/session.ts';
import { BrokerProblem } from '../problem.ts';

/** Backup codes that one session may try at once, and then one in each interval. */
const AT_ONCE = 5;
const INTERVAL_MS = 60_000;
/** However many are refused, the log tells of one in so much time. */
const TOLD_EVERY_MS = 60 * 60_000;

type BackupRefusals = NonNullable<FactorRecord['backupRefusals']>;

/**
 * The record with one backup code more tried. Each session has a pace of its own, so that a thief with a device keeps
 * nobody from getting in elsewhere; those who are on the way in share one.
 * @throws BrokerProblem `too_many_requests` with the seconds to wait
 */
export function countBackupCode(record: AccountRecord, session: Session, nowMs: number): AccountRecord {
  if (session.stage !== 'full') {
    const backupFullAtMs = oneMore(record.factor.backupFullAtMs, nowMs);
    return { ...record, factor: { ...record.factor, backupFullAtMs } };
  }
  const sessions = record.sessions.map((live) =>
    live.id === session.sessionId ? { ...live, backupFullAtMs: oneMore(live.backupFullAtMs, nowMs) } : live,
  );
  return { ...record, sessions };
}

/** @returns with `count` 1 where the log is to tell of this one */
export function countRefusal(before: BackupRefusals | undefined, nowMs: number): BackupRefusals {
  if (!before || nowMs >= before.toldAtMs + TOLD_EVERY_MS) return { toldAtMs: nowMs, count: 1 };
  return { ...before, count: before.count + 1 };
}

function oneMore(fullAtMs: number | undefined, nowMs: number): number {
  const next = Math.max(fullAtMs ?? 0, nowMs) + INTERVAL_MS;
  const overMs = next - nowMs - AT_ONCE * INTERVAL_MS;
  if (overMs > 0) {
    throw new BrokerProblem('too_many_requests', { retryAfterSeconds: Math.ceil(overMs / 1000) });
  }
  return next;
}
