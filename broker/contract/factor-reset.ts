import * as v from 'valibot';
import { DeviceKey, SignedIn } from './accounts.ts';
import { b64url, Code, Count, UserName } from './ids.ts';
import { route } from './route.ts';

// Another authenticator for somebody who has neither the one before nor a backup code: passphrase and recovery key, and
// then 72 hours in which every device of the account is told and may stop it. After them both are shown once more.

/**
 * After a `recoveryStart`: Ed25519 over `halfkey/factor-reset/1` ‖ recovery public key ‖ challenge, each
 * length-prefixed. The first time it begins the wait, and then it says how much of it is left; once that is nothing it
 * issues stage `factor-reset` (10 minutes). Anyone who comes a month late begins anew. `login_expired`,
 * `recovery_refused`.
 */
export const factorResetAsk = route({
  method: 'POST',
  path: '/api/factor-reset/ask',
  stage: 'code',
  request: v.strictObject({ signature: b64url({ exactly: 64 }) }),
  answer: v.object({ waitSeconds: Count }),
});

/** A secret for the new authenticator. The present one stays good until a code of the new one was seen. */
export const factorResetSecret = route({
  method: 'POST',
  path: '/api/factor-reset/secret',
  stage: 'factor-reset',
  request: v.strictObject({
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
 * The new authenticator's first code. Every session and backup code of before is over. `device_revoked`. Issues stage
 * `full` and a grant.
 */
export const factorResetConfirm = route({
  method: 'POST',
  path: '/api/factor-reset/confirm',
  stage: 'factor-reset',
  request: v.strictObject({ code: Code, device: DeviceKey }),
  answer: SignedIn,
});

/** Anybody who is signed in may stop it, and it may be sent again: anyone who still wants it waits anew. */
export const factorResetStop = route({
  method: 'POST',
  path: '/api/factor-reset/stop',
  stage: 'full',
  request: v.strictObject({}),
  answer: v.strictObject({}),
});
