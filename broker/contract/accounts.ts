import * as v from 'valibot';
import { EnvelopeName, EnvelopeRecord } from './envelope.ts';
import { AccountId, b64url, BlobId, Count, DeviceId, Factor, GrantId, UserName, VaultId } from './ids.ts';
import { LIMITS } from './limits.ts';
import { ReleasedKeys } from './released-keys.ts';
import { batchOf, eachOf, Empty, route } from './route.ts';
import { Url } from './vault-blobs.ts';

/** OPAQUE's messages (RFC 9807) as the library writes them: base64url, sizes fixed by the ciphersuite. */
export const OpaqueMessage = v.pipe(b64url({ atMost: 768 }), v.nonEmpty());

/** The public half of a device's key pair, as the broker knows it; its certificate is in the journal. */
export const DeviceKey = v.strictObject({ id: DeviceId, publicKey: b64url({ exactly: 32 }) });
export type DeviceKey = v.InferOutput<typeof DeviceKey>;

/** Sealed and signed on the client; to the broker bytes with a version. */
export const KeyringRecord = v.strictObject({
  version: Count,
  bytes: b64url({ atMost: LIMITS.maxKeyringBytes }),
});
export type KeyringRecord = v.InferOutput<typeof KeyringRecord>;

/** What a code bought; besides, LIMITS.grantGenerations halves for new blobs. */
export const Grant = v.object({ id: GrantId, expiresAtMs: Count, releases: Count });
export type Grant = v.InferOutput<typeof Grant>;

/** The newest journal segment that the broker knows: `hash` is the SHA-256 of its bytes, base64url. */
export const Head = v.object({ seq: Count, hash: b64url({ exactly: 32 }) });
export type Head = v.InferOutput<typeof Head>;

export const Membership = v.object({ vault: VaultId, role: v.literal('owner'), head: Head });
export type Membership = v.InferOutput<typeof Membership>;

/** Head of the account's event log. */
export const EventHead = v.object({ seq: Count, hash: b64url({ exactly: 32 }) });
export type EventHead = v.InferOutput<typeof EventHead>;

/**
 * What a device without a copy of a vault's journal begins from: segments from a place on, and the pages of the
 * snapshot before it.
 */
export const Opening = v.object({
  vault: VaultId,
  /** Place of the first segment; 0 where there is no snapshot. */
  from: Count,
  segments: v.array(b64url({ atMost: LIMITS.maxSegmentBytes })),
  /** Signed URLs, by page; `seq` is the snapshot's. */
  pages: v.array(v.object({ seq: Count, page: BlobId, url: v.string() })),
});
export type Opening = v.InferOutput<typeof Opening>;

/** What a flow ends with that leads into the account. */
export const SignedIn = v.object({
  account: AccountId,
  keyring: KeyringRecord,
  vaults: v.array(Membership),
  /** Of each vault. */
  opening: v.array(Opening),
  grant: Grant,
  /** For ten minutes, as `credentialsProve` answers it: what enrols this device in the journal is taken with it. */
  proof: b64url({ exactly: 32 }),
  events: v.optional(EventHead),
});
export type SignedIn = v.InferOutput<typeof SignedIn>;

/** 1: OPAQUE registration. Nothing is stored yet; `name_taken`, `signup_closed`. */
export const signupStart = route({
  method: 'POST',
  path: '/api/signup/start',
  stage: 'none',
  request: v.strictObject({ userName: UserName, registrationRequest: OpaqueMessage }),
  answer: v.object({ registrationResponse: OpaqueMessage }),
});

/** 2: an account that waits for its first code (a day). `login_expired` a minute after 1. Issues stage `enrol`. */
export const signupFinish = route({
  method: 'POST',
  path: '/api/signup/finish',
  stage: 'none',
  beginsSession: true,
  request: v.strictObject({
    userName: UserName,
    registrationRecord: OpaqueMessage,
    /** Ed25519, from the recovery entropy. */
    recoveryPublicKey: b64url({ exactly: 32 }),
  }),
  answer: v.object({
    account: AccountId,
    /** base32, 32 characters. */
    totpSecret: v.string(),
    otpauthUri: v.string(),
  }),
});

/**
 * 3: the first code. Issues stage `setup`, the vault that the account will own, and the KMS half for its first inbox
 * key.
 */
export const signupVerify = route({
  method: 'POST',
  path: '/api/signup/verify',
  stage: 'enrol',
  request: v.strictObject({ factor: Factor }),
  answer: v.object({
    vault: VaultId,
    inbox: v.object({ blob: BlobId, kmsHalf: b64url({ exactly: 32 }), kmsBlob: b64url({ atMost: 1024 }) }),
  }),
});

/**
 * 4: everything the account needs, at once: only now the name is claimed and the account is active. Repeating it with
 * the same bytes is answered as the first time. Issues stage `full` and a grant.
 */
export const signupComplete = route({
  method: 'POST',
  path: '/api/signup/complete',
  stage: 'setup',
  request: v.strictObject({
    keyring: KeyringRecord,
    /** Ed25519: whose signature the journal goes back to. It stays what it is. */
    identityPublicKey: b64url({ exactly: 32 }),
    /** Segment 0. */
    genesis: b64url({ atMost: LIMITS.maxSegmentBytes }),
    inboxEnvelope: EnvelopeRecord,
    device: DeviceKey,
    /** SHA-256 of `halfkey/backup-code/1` ‖ account ‖ code, each length-prefixed (u32be). */
    backupCodeHashes: v.pipe(v.array(b64url({ exactly: 32 })), v.length(LIMITS.backupCodes)),
  }),
  answer: SignedIn,
  bulk: true,
});

/** OPAQUE login, first message. A user that does not exist is answered alike. */
export const signinStart = route({
  method: 'POST',
  path: '/api/signin/start',
  stage: 'none',
  request: v.strictObject({ userName: UserName, startLoginRequest: OpaqueMessage }),
  answer: v.object({ loginResponse: OpaqueMessage }),
});

/** OPAQUE login, last message; `login_refused`, `login_expired`. Issues stage `code`. */
export const signinFinish = route({
  method: 'POST',
  path: '/api/signin/finish',
  stage: 'none',
  beginsSession: true,
  request: v.strictObject({ finishLoginRequest: OpaqueMessage }),
  answer: v.object({ account: AccountId }),
});

/** Only now the keyring. `device_revoked`, and then the code is good still. Issues stage `full` and a grant. */
export const signinCode = route({
  method: 'POST',
  path: '/api/signin/code',
  stage: 'code',
  request: v.strictObject({ factor: Factor, device: DeviceKey }),
  answer: SignedIn,
});

/** A challenge for the holder of a recovery key; the words name the account, an unknown key is answered alike. */
export const recoveryStart = route({
  method: 'POST',
  path: '/api/recovery/start',
  stage: 'none',
  request: v.strictObject({ recoveryPublicKey: b64url({ exactly: 32 }) }),
  answer: v.object({ challenge: b64url({ exactly: 32 }) }),
});

/**
 * Ed25519 over `halfkey/recovery/1` ‖ recovery public key ‖ challenge, each length-prefixed. Issues `recovery-code`.
 */
export const recoveryProve = route({
  method: 'POST',
  path: '/api/recovery/prove',
  stage: 'none',
  beginsSession: true,
  request: v.strictObject({ signature: b64url({ exactly: 64 }) }),
  answer: v.object({ account: AccountId }),
});

/** The code, and the first message of a new OPAQUE registration. Issues stage `recovery` (10 minutes). */
export const recoveryCode = route({
  method: 'POST',
  path: '/api/recovery/code',
  stage: 'recovery-code',
  request: v.strictObject({ factor: Factor, registrationRequest: OpaqueMessage }),
  answer: v.object({ registrationResponse: OpaqueMessage, keyring: KeyringRecord }),
});

/**
 * New OPAQUE record and keyring, new session epoch: every older session ends. `device_revoked`. Issues stage `full` and
 * a grant.
 */
export const recoveryComplete = route({
  method: 'POST',
  path: '/api/recovery/complete',
  stage: 'recovery',
  request: v.strictObject({
    registrationRecord: OpaqueMessage,
    keyring: KeyringRecord,
    device: DeviceKey,
  }),
  answer: SignedIn,
});

/**
 * Another authenticator, asked for without a code (factor-reset.ts), and neither stopped nor overtaken: ms since 1970,
 * the broker's.
 */
export const PendingFactorReset = v.object({ askedAtMs: Count, dueAtMs: Count });
export type PendingFactorReset = v.InferOutput<typeof PendingFactorReset>;

/** Who is signed in here; `session_missing` when nobody is. */
export const sessionRead = route({
  method: 'GET',
  path: '/api/session',
  stage: 'full',
  request: Empty,
  answer: v.object({
    account: AccountId,
    device: DeviceId,
    vaults: v.array(Membership),
    factorReset: v.optional(PendingFactorReset),
  }),
});

/**
 * Signs out: the cookie goes, the session's grants end. Asked with the cookie alone, too: a device that was wiped has
 * no key any more.
 */
export const sessionEnd = route({
  method: 'POST',
  path: '/api/session/end',
  stage: 'full',
  cookieAlone: true,
  request: Empty,
  answer: Empty,
});

/** What opens files without another request: their keys, and URLs of their ciphertext. */
const ReleasedFiles = v.object({
  ...ReleasedKeys.entries,
  urls: eachOf(v.object({ blob: BlobId, url: Url })),
});

/**
 * A code buys a grant: 5 minutes, 1,000 releases, or fewer where the user asks each time, and 10,000 new halves.
 * `release` names files that the code was typed for: they are released as by `keysRelease`, and charged to this grant.
 * `released` is absent where that was refused or failed; the grant is as good.
 */
export const grantBuy = route({
  method: 'POST',
  path: '/api/grants',
  stage: 'full',
  request: v.strictObject({
    factor: Factor,
    releases: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(LIMITS.grantReleases))),
    release: v.optional(v.strictObject({ vault: VaultId, names: batchOf(EnvelopeName) })),
  }),
  answer: v.object({ ...Grant.entries, released: v.optional(ReleasedFiles) }),
});

/** Lock now. */
export const grantEnd = route({
  method: 'POST',
  path: '/api/grants/end',
  stage: 'full',
  request: v.strictObject({ grant: GrantId }),
  answer: Empty,
});

/** What is logged. */
export type AccountEventKind =
  | 'signed-up'
  | 'signed-in'
  | 'recovered'
  | 'code-refused'
  | 'code-locked'
  | 'granted'
  | 'released'
  | 'generated'
  /**
   * A grant's releases were spent, and somebody wanted more of them; once for each grant, with the blobs that were
   * asked for first.
   */
  | 'release-refused'
  | 'purged'
  | 'inbox-removed'
  | 'backup-codes-renewed'
  | 'authenticator-renewed'
  | 'device-revoked'
  | 'factor-reset-asked'
  | 'factor-reset-stopped'
  | 'kit-renewed'
  | 'passphrase-renewed'
  | 'signed-out';

/**
 * One line of the broker's event log. `hash` is of `eventFields`, `prevHash` that of the one before; 32 zeros before
 * the first.
 */
export const AccountEvent = v.object({
  seq: Count,
  atMs: Count,
  /** An AccountEventKind, or one that a newer broker has written: readers must stand those that they do not know. */
  kind: v.pipe(v.string(), v.regex(/^[a-z]+(-[a-z]+)*$/), v.maxLength(32)),
  device: v.optional(DeviceId),
  vault: v.optional(VaultId),
  blobs: v.optional(v.array(BlobId)),
  /** Of `release-refused`. */
  grant: v.optional(GrantId),
  prevHash: b64url({ exactly: 32 }),
  hash: b64url({ exactly: 32 }),
});
export type AccountEvent = v.InferOutput<typeof AccountEvent>;

/**
 * What an event's hash is of: SHA-256 over these, each length-prefixed (u32be), so that anyone who reads the log
 * computes it. Of two events that differ in anything these differ.
 */
export function eventFields(account: AccountId, event: Omit<AccountEvent, 'hash'>): string[] {
  const { seq, atMs, kind, device = '', vault = '', grant = '', blobs, prevHash } = event;
  const ofBlobs = blobs === undefined ? [] : [String(blobs.length), ...blobs];
  return [
    'halfkey/event/1',
    account,
    String(seq),
    String(atMs),
    kind,
    device,
    vault,
    grant,
    prevHash,
    ...ofBlobs,
  ];
}

/** A page of the log, from an event (0-based) on. */
export const eventsRead = route({
  method: 'GET',
  path: '/api/events',
  stage: 'full',
  request: v.strictObject({ from: v.pipe(v.string(), v.regex(/^\d{1,15}$/), v.transform(Number)) }),
  answer: v.object({ events: v.array(AccountEvent), head: v.optional(EventHead) }),
});
