import * as v from 'valibot';
import { KeyringRecord, OpaqueMessage } from './accounts.ts';
import { b64url, Code, DeviceId, Factor, UserName } from './ids.ts';
import { LIMITS } from './limits.ts';
import { Empty, route } from './route.ts';

// What one signs in and gets back in with, made anew by somebody who is signed in: each route but the first wants the
// proof that this session got for passphrase and code in the last ten minutes, else it is `proof_missing`. What
// replaces something is logged before it takes effect.

/** What `credentialsProve` answered; the session's cookie alone renews nothing. */
const proof = b64url({ exactly: 32 });

/** Passphrase and code once more: OPAQUE's last message after a `signinStart` of this account, and a code. */
export const credentialsProve = route({
  method: 'POST',
  path: '/api/credentials/prove',
  stage: 'full',
  request: v.strictObject({ finishLoginRequest: OpaqueMessage, factor: Factor }),
  answer: v.object({ keyring: KeyringRecord, proof }),
});

/** Ten new ones; those before are good for nothing any more. Hashes as at `signupComplete`. May be sent again. */
export const backupCodesRenew = route({
  method: 'POST',
  path: '/api/credentials/backup-codes',
  stage: 'full',
  request: v.strictObject({
    proof,
    backupCodeHashes: v.pipe(v.array(b64url({ exactly: 32 })), v.length(LIMITS.backupCodes)),
  }),
  answer: Empty,
});

/** A secret for another authenticator. The present one stays good until a code of the new one was seen. */
export const authenticatorRenew = route({
  method: 'POST',
  path: '/api/credentials/authenticator',
  stage: 'full',
  request: v.strictObject({
    proof,
    /** The account's own: the app on the phone shows it. */
    userName: UserName,
  }),
  answer: v.object({
    /** base32, 32 characters. */
    totpSecret: v.string(),
    otpauthUri: v.string(),
  }),
});

/**
 * The new authenticator's first code. Every session but this one ends, which is issued a new token; when the answer is
 * lost this one has ended too.
 */
export const authenticatorConfirm = route({
  method: 'POST',
  path: '/api/credentials/authenticator/confirm',
  stage: 'full',
  request: v.strictObject({ proof, code: Code }),
  answer: Empty,
  renewsToken: true,
});

/**
 * Another recovery key, and the next keyring, wrapped for it; the kit before opens nothing any more. May be sent again.
 * `keyring_changed`.
 */
export const kitRenew = route({
  method: 'POST',
  path: '/api/credentials/kit',
  stage: 'full',
  request: v.strictObject({
    proof,
    /** Ed25519, from the new recovery entropy. */
    recoveryPublicKey: b64url({ exactly: 32 }),
    keyring: KeyringRecord,
  }),
  answer: Empty,
});

/**
 * Ends the sessions of another device, for good: it signs in again as a new one only (`device_revoked`). May be sent
 * again; one's own is `input_malformed`.
 */
export const deviceRevoke = route({
  method: 'POST',
  path: '/api/credentials/device/revoke',
  stage: 'full',
  request: v.strictObject({ proof, device: DeviceId }),
  answer: Empty,
});

/** OPAQUE registration for another passphrase. Nothing is stored yet. */
export const passphraseStart = route({
  method: 'POST',
  path: '/api/credentials/passphrase/start',
  stage: 'full',
  request: v.strictObject({ proof, registrationRequest: OpaqueMessage }),
  answer: v.object({ registrationResponse: OpaqueMessage }),
});

/**
 * New OPAQUE record and keyring; sessions end as at `authenticatorConfirm`. `keyring_changed`.
 */
export const passphraseRenew = route({
  method: 'POST',
  path: '/api/credentials/passphrase',
  stage: 'full',
  request: v.strictObject({ proof, registrationRecord: OpaqueMessage, keyring: KeyringRecord }),
  answer: Empty,
  renewsToken: true,
});
