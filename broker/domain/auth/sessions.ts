import { randomBytes } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import * as v from 'valibot';
import { AccountId, Count, DeviceId } from '../../contract/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AccountRecord, Accounts } from '../account/accounts.ts';
import { isFactorResetDue } from '../account/pending-factor-reset.ts';
import { BrokerProblem } from '../problem.ts';
import type { Session } from '../account/session.ts';
import type { EventLog } from '../state/event-log.ts';

/** Between two steps of signing up, in or back in. */
export const STAGE_SECONDS = 10 * 60;
export const FULL_SECONDS = 30 * 24 * 60 * 60;
/** A device that signed in before is known for so long. */
export const DEVICE_SECONDS = 400 * 24 * 60 * 60;

const ALGORITHM = 'HS256';
const ISSUER = 'halfkey';
const MAX_TOKEN_CHARACTERS = 2000;

const SessionClaims = v.object({
  aud: v.string(),
  sub: AccountId,
  jti: v.string(),
  epoch: Count,
  device: v.optional(DeviceId),
  /** RFC 7800, RFC 9449 §6.1. */
  cnf: v.object({ jkt: v.string() }),
  /** Of a recovery. */
  kit: v.optional(v.string()),
});
const DeviceClaims = v.object({ aud: v.string(), sub: v.string(), jti: DeviceId });

/** What a token says of itself. */
export type ClaimedSession = Pick<Session, 'account' | 'sessionId' | 'jkt'>;

/**
 * Signed tokens (JWT, RFC 7519, HS256): one audience per stage, so that none is good for another, and each bound to a
 * key.
 */
export interface Sessions {
  /** Lives STAGE_SECONDS, or FULL_SECONDS in stage `full`. */
  issue(session: Session, epoch: number): Promise<string>;
  /**
   * Reads the account each time, so that a session ends everywhere at once.
   * @param claimed told what the token says when it is found to be ours, before the account has been read; what it
   *   throws comes through
   * @throws BrokerProblem `session_missing` for whatever is not a live token of exactly this stage
   */
  verify(
    token: string | undefined,
    stage: Session['stage'],
    claimed?: (claims: ClaimedSession) => void,
  ): Promise<Session>;
  /** As `verify`, as far as the token itself tells: asks no store. */
  recognises(token: string, stage: Session['stage']): Promise<boolean>;
  /** For the cookie of a device that signed in before. */
  issueDevice(nameId: string, device: DeviceId): Promise<string>;
  /** The device that one of the tokens was made for, if it was made for this name; never throws for a bad token. */
  knownDevice(tokens: readonly string[], nameId: string): Promise<DeviceId | undefined>;
}

/** @param sessionKey 32 bytes, from `broker/setup` */
export function createSessions(
  sessionKey: Uint8Array,
  accounts: Accounts,
  events: Pick<EventLog, 'learn'>,
  clock: Clock,
): Sessions {
  const nowSeconds = () => Math.floor(clock() / 1000);

  const sign = (claims: Record<string, unknown>, audience: string, seconds: number): Promise<string> =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
      .setIssuer(ISSUER)
      .setAudience(audience)
      .setIssuedAt(nowSeconds())
      .setExpirationTime(nowSeconds() + seconds)
      .sign(sessionKey);

  /** `undefined` for a token that is not ours, not for this audience, or over. */
  async function open(token: string | undefined, audience: string): Promise<unknown> {
    if (token === undefined || token.length > MAX_TOKEN_CHARACTERS) return undefined;
    try {
      const { payload } = await jwtVerify(token, sessionKey, {
        algorithms: [ALGORITHM],
        typ: 'JWT',
        issuer: ISSUER,
        audience,
        requiredClaims: ['exp', 'iat', 'sub', 'jti'],
        currentDate: new Date(clock()),
      });
      return payload;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  return {
    issue: ({ account, device, sessionId, stage, jkt, recoveryPublicKey: kit }, epoch) =>
      sign(
        { sub: account, jti: sessionId, epoch, cnf: { jkt }, ...(device && { device }), ...(kit && { kit }) },
        audienceOf(stage),
        stage === 'full' ? FULL_SECONDS : STAGE_SECONDS,
      ),
    async verify(token, stage, claimed) {
      // An `aud` that is a list is refused by the schema: no token is good for two stages.
      const claims = v.safeParse(SessionClaims, await open(token, audienceOf(stage)));
      if (!claims.success) throw new BrokerProblem('session_missing');
      const { sub, jti, epoch, device, kit, cnf } = claims.output;
      const { jkt } = cnf;
      claimed?.({ account: sub, sessionId: jti, jkt });
      const session: Session = {
        account: sub,
        device,
        sessionId: jti,
        stage,
        jkt,
        epoch,
        ...(kit && { recoveryPublicKey: kit }),
      };
      const record = await accounts.read(sub);
      if (record?.sessionEpoch !== epoch || !isLive(record, session, clock())) {
        throw new BrokerProblem('session_missing');
      }
      events.learn(sub, record.events);
      const deviceKey = record.devices.find(({ id }) => id === device)?.publicKey;
      return { ...session, ...(deviceKey !== undefined && { deviceKey }) };
    },
    async recognises(token, stage) {
      return v.is(SessionClaims, await open(token, audienceOf(stage)));
    },
    issueDevice: (nameId, device) => sign({ sub: nameId, jti: device }, 'halfkey/device', DEVICE_SECONDS),
    async knownDevice(tokens, nameId) {
      for (const token of tokens) {
        const claims = v.safeParse(DeviceClaims, await open(token, 'halfkey/device'));
        if (claims.success && claims.output.sub === nameId) return claims.output.jti;
      }
      return undefined;
    },
  };
}

export function newSessionId(): string {
  return randomBytes(16).toString('base64url');
}

function audienceOf(stage: Session['stage']): string {
  return `halfkey/${stage}`;
}

/**
 * A full session stands in the account's list until it is signed out of; the stages before have their expiry alone, and
 * those of a recovery end with the kit that it was begun with, that of a re-enrolment when it is stopped.
 */
export function isLive(record: AccountRecord, session: Session, nowMs: number): boolean {
  const { stage, sessionId, device } = session;
  switch (stage) {
    case 'full':
      return record.sessions.some(({ id, device: of }) => id === sessionId && of === device);
    case 'enrol':
      return record.phase === 'pending';
    case 'setup':
      return record.phase !== 'abandoned';
    case 'code':
      return record.phase === 'active';
    case 'recovery-code':
    case 'recovery':
      return record.phase === 'active' && record.recoveryPublicKey === session.recoveryPublicKey;
    case 'factor-reset':
      return record.phase === 'active' && isFactorResetDue(record, nowMs);
  }
}
