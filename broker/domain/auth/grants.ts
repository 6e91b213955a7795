import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import type { Grant } from '../../contract/accounts.ts';
import { Count, DeviceId, GrantId } from '../../contract/ids.ts';
import { LIMITS } from '../../contract/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import { BrokerProblem } from '../problem.ts';
import type { Records } from '../state/records.ts';
import type { Session } from '../account/session.ts';
import { stateKeys } from '../state/state-keys.ts';
import { UsedProofs, withProof } from './used-proofs.ts';

/** `release` is for making and releasing KMS halves, `purge` for deleting for good: neither does the other's. */
type GrantKind = 'release' | 'purge';

/** What is taken from a grant. Making a half opens nothing that there is, so it has a count of its own. */
type GrantUse = GrantKind | 'generate';

const KIND_OF_USE = {
  release: 'release',
  generate: 'release',
  purge: 'purge',
} as const satisfies Record<GrantUse, GrantKind>;

/** The session that a grant belongs to; a Session is one. */
type GrantHolder = Pick<Session, 'account' | 'device' | 'sessionId'>;

/** What a code bought: `g/<account>/<grant>`, counted down by conditional writes. */
export interface Grants {
  /**
   * To be called only after a code was accepted; nobody may be told of the grant before the event was logged.
   * @param options.releases at most; the operator's setting may be less
   * @param options.id where repeating a request must yield the same grant; else random
   */
  issue(
    holder: GrantHolder,
    options: { kind: GrantKind; releases?: number | undefined; id?: GrantId },
  ): Promise<Grant>;
  /**
   * Takes `count` of one use, all or none, BEFORE anything is asked of KMS.
   * @throws BrokerProblem `grant_missing` when it is unknown, over, ended, of another session or of another kind;
   *   `grant_spent` when fewer than `count` are left; `nonce_stale` for a request that was served before
   */
  spend(session: Session, grant: GrantId, use: GrantUse, count: number): Promise<void>;
  /**
   * Takes nothing: the grant only has to be live, be it with no releases left.
   * @throws BrokerProblem `grant_missing` as `spend`
   */
  require(session: Session, grant: GrantId, kind: GrantKind): Promise<void>;
  /**
   * Says where the account's event log has, or is to have, the notice that this grant was spent and more was wanted of
   * it.
   * @param from the seq that would be next in the log; the first caller's stays
   * @returns the seq (0-based) from which on the notice is to be looked for, or undefined when it is known to be there
   */
  refusedFrom(session: Session, grant: GrantId, from: number): Promise<number | undefined>;
  /** The notice is there: it need not be looked for again. */
  noteRefusal(session: Session, grant: GrantId): Promise<void>;
  /** Reads the grant, so that a request for it within a moment need not wait. Tells nothing, and never rejects. */
  readAhead(account: GrantHolder['account'], grant: GrantId): Promise<void>;
  /** Lock now. An unknown grant is none, and that is fine. */
  end(session: Session, grant: GrantId): Promise<void>;
}

export interface GrantSettings {
  /** Each at most as LIMITS says. */
  readonly grantSeconds: number;
  readonly grantReleases: number;
}

const GrantRecord = v.strictObject({
  kind: v.picklist(['release', 'purge']),
  session: v.string(),
  device: v.optional(DeviceId),
  expiresAtMs: Count,
  releases: Count,
  /** Halves that may still be made. */
  generations: Count,
  proofs: UsedProofs,
  /** Since more was wanted than there was left: see `Grants.refusedFrom`. */
  refusal: v.optional(v.strictObject({ from: Count, isLogged: v.boolean() })),
});
type GrantRecord = v.InferOutput<typeof GrantRecord>;

/** Requests that a grant remembers to have served. */
const MAX_PROOFS = 128;

export function createGrants(records: Records, clock: Clock, settings: GrantSettings): Grants {
  const answer = (id: GrantId, grant: GrantRecord): Grant => ({
    id,
    expiresAtMs: grant.expiresAtMs,
    releases: grant.releases,
  });

  /** The record when it is live and the session's; else it is as if there were none. */
  function live(session: Session, grant: GrantRecord | undefined): GrantRecord | undefined {
    if (grant?.session !== session.sessionId || grant.expiresAtMs <= clock()) return undefined;
    return grant;
  }

  return {
    async issue(holder, { kind, releases, id = v.parse(GrantId, randomBytes(16).toString('base64url')) }) {
      const record: GrantRecord = {
        kind,
        session: holder.sessionId,
        ...(holder.device && { device: holder.device }),
        expiresAtMs: clock() + settings.grantSeconds * 1000,
        releases: Math.min(releases ?? settings.grantReleases, settings.grantReleases),
        generations: kind === 'release' ? LIMITS.grantGenerations : 0,
      };
      const key = stateKeys.grant(holder.account, id);
      if ((await records.create(key, record)) === 'created') return answer(id, record);
      const before = await records.read(key, GrantRecord);
      if (before?.content.session !== holder.sessionId) throw new BrokerProblem('grant_missing');
      return answer(id, before.content);
    },
    async spend(session, id, use, count) {
      if (!Number.isSafeInteger(count) || count < 1) throw new RangeError(`expected to ${use} 1 or more`);
      const left = use === 'generate' ? 'generations' : 'releases';
      await records.update(stateKeys.grant(session.account, id), GrantRecord, (stored) => {
        const grant = live(session, stored);
        if (grant?.kind !== KIND_OF_USE[use]) throw new BrokerProblem('grant_missing');
        const proofs = withProof(grant.proofs, session, MAX_PROOFS);
        if (grant[left] < count) throw new BrokerProblem('grant_spent');
        return { ...grant, proofs, [left]: grant[left] - count };
      });
    },
    async require(session, id, kind) {
      const stored = await records.read(stateKeys.grant(session.account, id), GrantRecord);
      if (live(session, stored?.content)?.kind !== kind) throw new BrokerProblem('grant_missing');
    },
    async refusedFrom(session, id, from) {
      const stored = await records.update(stateKeys.grant(session.account, id), GrantRecord, (before) => {
        const grant = live(session, before);
        if (!grant) throw new BrokerProblem('grant_missing');
        return grant.refusal ? undefined : { ...grant, refusal: { from, isLogged: false } };
      });
      return stored?.refusal?.isLogged === false ? stored.refusal.from : undefined;
    },
    async noteRefusal(session, id) {
      await records.update(stateKeys.grant(session.account, id), GrantRecord, (stored) => {
        const grant = live(session, stored);
        if (!grant?.refusal || grant.refusal.isLogged) return undefined;
        return { ...grant, refusal: { ...grant.refusal, isLogged: true } };
      });
    },
    async readAhead(account, id) {
      await records.read(stateKeys.grant(account, id), GrantRecord).catch(() => undefined);
    },
    async end(session, id) {
      await records.update(stateKeys.grant(session.account, id), GrantRecord, (stored) => {
        const grant = live(session, stored);
        return grant && { ...grant, expiresAtMs: 0, releases: 0, generations: 0 };
      });
    },
  };
}
