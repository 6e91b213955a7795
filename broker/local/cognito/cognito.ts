import { SignJWT, jwtVerify } from 'jose';
import { JOSEError } from 'jose/errors';
import * as v from 'valibot';
import { recordEntries } from '../iam/entries.ts';
import type { LocalCredentials } from '../iam/credentials.ts';
import type { JsonHandler } from '../kms/aws-json.ts';
import { jsonService, operation } from '../kms/aws-json.ts';
import type { Authorize, Principal } from '../principal.ts';
import { Refusal } from '../refusal.ts';
import type { IdentityPool } from './identity-pool.ts';
import { TOKEN_ALGORITHM, openIdentityPool } from './identity-pool.ts';

/** Cognito identity with one pool, which is made at the first start; guests are off. */
export interface Cognito {
  /** `region:uuid`. */
  readonly identityPoolId: string;
  /** The name under which the broker vouches for its users in `Logins`. */
  readonly developerProviderName: string;
  /** Answers `AWSCognitoIdentityService.*`; GetCredentialsForIdentity is unsigned. */
  readonly handle: JsonHandler;
}

/** What Cognito is made of. */
export interface CognitoParts {
  /** Where pool, signing key and identities are; made when missing. */
  readonly folder: string;
  readonly credentials: Pick<LocalCredentials, 'issue'>;
  /** Asked before a token is given out; may look the policies up when it is called, as they name the pool. */
  readonly authorize: Authorize;
  readonly region: string;
  /** Twelve digits. */
  readonly accountId: string;
  readonly nowMs?: () => number;
}

const PROVIDER = 'login.halfkey';
/** The key in `Logins` under which Cognito takes its own tokens, and the tokens' issuer. */
const COGNITO = 'cognito-identity.amazonaws.com';
const ISSUER = `https://${COGNITO}`;
const CREDENTIALS_SECONDS = 3600;
const TOKEN_SECONDS = { least: 1, usual: 900, most: 86_400 } as const;

const IdentityId = v.pipe(v.string(), v.minLength(1), v.maxLength(55), v.regex(/^[\w-]+:[0-9a-f-]+$/));
const Login = v.pipe(v.string(), v.minLength(1), v.maxLength(50_000));
const Logins = v.pipe(recordEntries(Login), v.maxLength(10));

const GetOpenIdToken = v.strictObject({
  IdentityPoolId: v.pipe(v.string(), v.minLength(1), v.maxLength(55)),
  IdentityId: v.optional(IdentityId),
  Logins,
  TokenDuration: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(TOKEN_SECONDS.least), v.maxValue(TOKEN_SECONDS.most)),
    TOKEN_SECONDS.usual,
  ),
});
const GetCredentials = v.strictObject({ IdentityId, Logins: v.optional(Logins, {}) });

/**
 * Opens Cognito identity in `folder`.
 * @throws Error when its files are damaged
 */
export async function createCognito(parts: CognitoParts): Promise<Cognito> {
  const pool = await openIdentityPool(parts.folder, parts.region);
  const nowMs = parts.nowMs ?? Date.now;
  const poolArn = `arn:aws:cognito-identity:${parts.region}:${parts.accountId}:identitypool/${pool.id}`;

  const permit = (principal: Principal | undefined): void => {
    if (principal === undefined) {
      throw new Refusal(400, 'MissingAuthenticationTokenException', 'expected a signed request, got none');
    }
    const action = 'cognito-identity:GetOpenIdTokenForDeveloperIdentity';
    if (!parts.authorize({ principal, action, resource: poolArn, context: {} })) {
      throw new Refusal(400, 'AccessDeniedException', `not authorized to perform ${action}`);
    }
  };

  const operations = new Map([
    [
      'GetOpenIdTokenForDeveloperIdentity',
      operation(GetOpenIdToken, async (input, principal) => {
        permit(principal);
        if (input.IdentityPoolId !== pool.id) throw notFound('there is no such identity pool');
        const identityId = await identityOf(pool, developerUserIdOf(input.Logins), input.IdentityId);
        const token = await writeToken(pool, identityId, Math.floor(nowMs() / 1000), input.TokenDuration);
        return { IdentityId: identityId, Token: token };
      }),
    ],
    [
      'GetCredentialsForIdentity',
      operation(GetCredentials, async (input) => {
        await checkToken(pool, input.IdentityId, cognitoTokenOf(input.Logins), nowMs());
        const issued = parts.credentials.issue(input.IdentityId, CREDENTIALS_SECONDS);
        return {
          IdentityId: input.IdentityId,
          Credentials: {
            AccessKeyId: issued.accessKeyId,
            SecretKey: issued.secretAccessKey,
            SessionToken: issued.sessionToken,
            Expiration: issued.expiresAtMs / 1000,
          },
        };
      }),
    ],
  ]);
  return {
    identityPoolId: pool.id,
    developerProviderName: PROVIDER,
    handle: jsonService('AWSCognitoIdentityService.', operations, {
      invalid: 'InvalidParameterException',
      internal: 'InternalErrorException',
    }),
  };
}

type LoginPairs = v.InferOutput<typeof Logins>;

function developerUserIdOf(logins: LoginPairs): string {
  const [login, ...more] = logins;
  if (login?.[0] !== PROVIDER || more.length > 0) {
    throw new Refusal(400, 'InvalidParameterException', `expected Logins with ${PROVIDER} alone`);
  }
  const [, developerUserId] = login;
  if (developerUserId.length > 1024 || !developerUserId.isWellFormed()) {
    throw new Refusal(400, 'InvalidParameterException', 'expected a user id of 1 to 1024 characters');
  }
  return developerUserId;
}

/**
 * One identity per user id, for ever. AWS would link a user id that it has never seen to the identity that is named;
 * here nothing is linked, so that no slip of the broker's can make two users one vault.
 */
async function identityOf(
  pool: IdentityPool,
  developerUserId: string,
  named: string | undefined,
): Promise<string> {
  if (named === undefined) return pool.openIdentity(developerUserId);
  const found = await pool.findIdentity(developerUserId);
  if (found === undefined) throw notFound('there is no such identity with this login');
  if (found !== named) {
    throw new Refusal(
      400,
      'DeveloperUserAlreadyRegisteredException',
      'the login belongs to another identity',
    );
  }
  return found;
}

function writeToken(
  pool: IdentityPool,
  identityId: string,
  nowSeconds: number,
  lifetimeSeconds: number,
): Promise<string> {
  return new SignJWT({ amr: ['authenticated', PROVIDER] })
    .setProtectedHeader({ alg: TOKEN_ALGORITHM, typ: 'JWS' })
    .setIssuer(ISSUER)
    .setAudience(pool.id)
    .setSubject(identityId)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + lifetimeSeconds)
    .sign(pool.privateKey);
}

function cognitoTokenOf(logins: LoginPairs): string {
  const [login, ...more] = logins;
  if (login === undefined) {
    throw notAuthorized('unauthenticated access is not supported for this identity pool');
  }
  if (login[0] !== COGNITO || more.length > 0) throw notAuthorized(`expected Logins with ${COGNITO} alone`);
  return login[1];
}

async function checkToken(
  pool: IdentityPool,
  identityId: string,
  token: string,
  nowMs: number,
): Promise<void> {
  try {
    await jwtVerify(token, pool.publicKey, {
      algorithms: [TOKEN_ALGORITHM],
      issuer: ISSUER,
      audience: pool.id,
      subject: identityId,
      requiredClaims: ['iat', 'exp'],
      currentDate: new Date(nowMs),
    });
  } catch (error) {
    if (error instanceof JOSEError) throw notAuthorized('invalid login token');
    throw error;
  }
}

function notAuthorized(message: string): Refusal {
  return new Refusal(400, 'NotAuthorizedException', message);
}

function notFound(message: string): Refusal {
  return new Refusal(400, 'ResourceNotFoundException', message);
}
