import type { AccountId, DeviceId } from '../../contract/ids.ts';
import type { Stage } from '../../contract/route.ts';

/** Who a request is made by, after its token was verified (signature, audience, expiry, session epoch). */
export interface Session {
  readonly account: AccountId;
  /** Absent before a device is known: stages `enrol`, `setup`, `code`, `recovery-code`, `recovery`, `factor-reset`. */
  readonly device: DeviceId | undefined;
  /** Ed25519 of that device, base64url, as the account has it. */
  readonly deviceKey?: string;
  /** Random, per sign-in; grants belong to it. */
  readonly sessionId: string;
  readonly stage: Exclude<Stage, 'none'>;
  /** Thumbprint (RFC 7638) of the key that the session's tokens are bound to. */
  readonly jkt: string;
  /**
   * Of the proof that this request came with: a record that is written anyway remembers it, so that it is not
   * sent again.
   */
  readonly proofId?: string;
  /** The account's session epoch, as the token says; absent in a session that has no token yet. */
  readonly epoch?: number;
  /** What a recovery was begun with; in its two stages alone, which end when another kit takes its place. */
  readonly recoveryPublicKey?: string;
}
