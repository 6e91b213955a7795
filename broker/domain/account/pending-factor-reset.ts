import * as v from 'valibot';
import type { PendingFactorReset } from '../../contract/accounts.ts';
import { Count } from '../../contract/ids.ts';

const HOUR_MS = 60 * 60 * 1000;
/** Time for anyone who the account belongs to, to hear of it. */
const WAIT_MS = 72 * HOUR_MS;
/** What was asked for so long ago has lapsed. */
const LAPSE_MS = 30 * 24 * HOUR_MS;

/** In the account's record: when it was asked for, and with what. */
export const FactorResetRecord = v.strictObject({
  askedAtMs: Count,
  sessionEpoch: Count,
  recoveryPublicKey: v.string(),
});

/** As far as it matters here, `a/<account>`. */
interface Asked {
  readonly sessionEpoch: number;
  readonly recoveryPublicKey: string;
  readonly factorReset?: v.InferOutput<typeof FactorResetRecord> | undefined;
}

/**
 * What was asked for, unless it has lapsed, or passphrase, recovery key or authenticator are others since: then it is
 * as if it had not been asked for, and anyone who still wants it begins anew.
 */
export function pendingFactorReset(record: Asked, nowMs: number): PendingFactorReset | undefined {
  const { factorReset: asked, sessionEpoch, recoveryPublicKey } = record;
  if (!asked || nowMs >= asked.askedAtMs + LAPSE_MS) return undefined;
  const isOvertaken = asked.sessionEpoch !== sessionEpoch || asked.recoveryPublicKey !== recoveryPublicKey;
  return isOvertaken ? undefined : { askedAtMs: asked.askedAtMs, dueAtMs: asked.askedAtMs + WAIT_MS };
}

/** Whether it may be gone through with. */
export function isFactorResetDue(record: Asked, nowMs: number): boolean {
  const pending = pendingFactorReset(record, nowMs);
  return pending !== undefined && nowMs >= pending.dueAtMs;
}
