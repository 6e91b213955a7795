/** What one can do about an error; the second column of the table in docs/SECURITY.md. */
export type Family = 'corrupt' | 'refused' | 'changed' | 'unreachable' | 'unable' | 'unexpected';

/**
 * Every way in which Halfkey's client fails, by remedy. Codes are stable: they survive `postMessage` (subclasses do
 * not), the UI keys its texts by them, and the broker's problems use the same ones.
 */
export const FAMILIES = {
  // corrupt: what came is not what was written; never retried, nothing released
  key_mismatch: 'corrupt', // the key does not open this (FLOE's header tag)
  segment_corrupt: 'corrupt', // a segment fails its tag
  ciphertext_truncated: 'corrupt',
  ciphertext_overlong: 'corrupt', // bytes after the last segment
  format_unknown: 'corrupt', // another version or suite
  format_malformed: 'corrupt',
  kms_half_wrong: 'corrupt', // the released half does not open the envelope
  envelope_corrupt: 'corrupt',
  keyring_corrupt: 'corrupt',
  content_stale: 'corrupt', // an older or other version's bytes
  digest_mismatch: 'corrupt',
  journal_corrupt: 'corrupt',
  journal_gap: 'corrupt',
  device_untrusted: 'corrupt',
  snapshot_wrong: 'corrupt',
  rollback: 'corrupt',
  fork: 'corrupt',
  vault_missing: 'corrupt', // the broker says there is none, we know better
  record_corrupt: 'corrupt',
  update_rejected: 'corrupt', // a file of a new version of the app is not the one that was built
  inbox_refused: 'corrupt', // a waiting upload that no trusted device signed
  // refused: ask, or wait
  input_malformed: 'refused',
  input_too_large: 'refused',
  login_refused: 'refused',
  login_expired: 'refused',
  recovery_refused: 'refused',
  recovery_words_malformed: 'refused',
  session_missing: 'refused',
  code_malformed: 'refused',
  code_wrong: 'refused',
  code_used: 'refused',
  code_locked: 'refused',
  backup_code_refused: 'refused',
  device_revoked: 'refused',
  proof_missing: 'refused',
  too_many_requests: 'refused',
  grant_missing: 'refused',
  grant_spent: 'refused',
  locked: 'refused',
  not_a_member: 'refused',
  origin_refused: 'refused',
  name_taken: 'refused',
  name_malformed: 'refused',
  passphrase_weak: 'refused',
  passphrase_wrong: 'refused', // on this device, without the broker
  signup_closed: 'refused',
  store_full: 'refused',
  inbox_full: 'refused', // so many captures of this device wait already that the next one waits on it, for a code
  store_refused: 'refused', // S3 says no, to a URL that was just signed or for good
  not_found: 'refused',
  folder_within: 'refused', // a folder was to go into itself, or into what is in it
  zip_too_large: 'refused', // more files than one zip can have, or than one code opens
  key_absent: 'refused',
  purged: 'refused', // the broker has deleted it for good
  server_unknown: 'refused', // OPAQUE: another server's key than the pinned one
  kdf_downgrade: 'refused',
  file_too_large: 'refused',
  // changed: start again
  head_changed: 'changed',
  already_exists: 'changed',
  upload_lost: 'changed',
  upload_mismatch: 'changed',
  keyring_changed: 'changed',
  source_changed: 'changed', // the file changed, or went away, while it was read
  download_cut: 'changed', // the browser stopped taking, or writing, what it was given
  // unreachable: backoff, fresh URLs
  broker_unreachable: 'unreachable',
  store_unreachable: 'unreachable',
  kms_unreachable: 'unreachable',
  kms_key_unusable: 'unreachable',
  url_expired: 'unreachable',
  app_unreachable: 'unreachable', // a script of the app could not be fetched
  nonce_stale: 'unreachable', // the broker takes no nonce, not even the one that it has just given
  broker_failed: 'unreachable', // it answered that something went wrong in it: what was asked may have been done
  // unable: say what the browser lacks
  browser_lacks: 'unable',
  storage_refused: 'unable', // the browser has a file system for this origin, and keeps nothing in it: private windows
  device_full: 'unable',
  device_state_lost: 'unable',
  epoch_key_missing: 'unable', // the vault has another key now, and this device does not have it
  // unexpected: a fault in this code; trying again by itself would only meet it again
  internal: 'unexpected',
} as const satisfies Record<string, Family>;

/** Stable snake_case name of a failure. */
export type ErrorCode = keyof typeof FAMILIES;

/** Numbers and names that explain a failure without giving anything away. */
export interface ErrorDetail {
  readonly retryAfterSeconds?: number;
  readonly segmentIndex?: number;
  readonly partNumber?: number;
  readonly seq?: number;
  /** The browser's missing feature. */
  readonly feature?: string;
  /** S3's own word for why it refused something: `AccessDenied`. */
  readonly reason?: string;
  /**
   * With `code_wrong`: by how much this device's clock is ahead of the broker's (behind when negative), where that
   * spoils codes.
   */
  readonly clockAheadSeconds?: number;
  /** With `code_wrong`: how many more may be wrong before codes are refused for a while; told once they are few. */
  readonly triesLeft?: number;
  /** Of what was found. */
  readonly count?: number;
  /** How many there may be. */
  readonly most?: number;
  /** Paths of what the broker found at fault in a request, `records.3` say. */
  readonly fields?: readonly string[];
}

/** The only class of error that Halfkey's client throws by intent. `message` is for logs, never for people. */
export class HalfkeyError extends Error {
  override readonly name = 'HalfkeyError';
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;

  constructor(code: ErrorCode, message: string, options: { detail?: ErrorDetail; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = options.detail ?? {};
  }

  get family(): Family {
    return FAMILIES[this.code];
  }
}
