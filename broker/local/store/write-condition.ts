import { Refusal } from '../refusal.ts';
import type { Version } from './version.ts';

/** What a writer demands of the key's current version. */
export interface WriteCondition {
  /** `If-None-Match: *`: the key must not exist. */
  readonly mustBeAbsent: boolean;
  /** `If-Match`: the ETag, without quotes, that the current version must have; `*`: any. */
  readonly mustMatch: string | undefined;
}

/** No demand. */
export const UNCONDITIONAL: WriteCondition = { mustBeAbsent: false, mustMatch: undefined };

/**
 * Holds a write against the current version; a delete marker counts as absent. Called under the key's lock, at the
 * moment of commit, which is what makes exactly one of several writers win.
 * @throws {Refusal} 412 `PreconditionFailed`; 404 `NoSuchKey` for `If-Match` on an absent key
 */
export function checkWriteCondition(condition: WriteCondition, current: Version | undefined): void {
  const present = current && !current.facts.deleteMarker ? current : undefined;
  if (condition.mustBeAbsent && present) throw preconditionFailed('If-None-Match');
  if (condition.mustMatch === undefined) return;
  if (!present) throw new Refusal(404, 'NoSuchKey', 'the key to match does not exist');
  if (condition.mustMatch !== '*' && condition.mustMatch !== present.facts.etag)
    throw preconditionFailed('If-Match');
}

/** 412, naming the header. */
export function preconditionFailed(condition: string): Refusal {
  return new Refusal(412, 'PreconditionFailed', 'at least one of the preconditions did not hold', {
    details: { Condition: condition },
  });
}
