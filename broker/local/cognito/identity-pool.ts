import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, importJWK } from 'jose';
import type { CryptoKey } from 'jose';
import * as v from 'valibot';
import { readIfThere, readOrCreate } from '../iam/create-once.ts';

/** What signs and checks the pool's tokens. */
export const TOKEN_ALGORITHM = 'ES256';

/** An identity pool with developer-authenticated identities, on the disk. */
export interface IdentityPool {
  /** `region:uuid`. */
  readonly id: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  /** The identity that a developer's user has: always the same. `undefined`: none yet. */
  readonly findIdentity: (developerUserId: string) => Promise<string | undefined>;
  /** The same, made when there is none yet. It is on the disk when this resolves. */
  readonly openIdentity: (developerUserId: string) => Promise<string>;
}

const UUID = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}';
/** `us-east-1:uuid`: ids of pools and identities alike. */
const PoolOrIdentityId = v.pipe(v.string(), v.regex(new RegExp(`^[a-z0-9-]+:${UUID}$`)));
const Coordinate = v.pipe(v.string(), v.regex(/^[\w-]{43}$/));
const PrivateJwk = v.object({
  kty: v.literal('EC'),
  crv: v.literal('P-256'),
  x: Coordinate,
  y: Coordinate,
  d: Coordinate,
});
const Stored = v.strictObject({ version: v.literal(1), identityPoolId: PoolOrIdentityId, key: PrivateJwk });
const StoredLogin = v.strictObject({ developerUserId: v.string(), identityId: PoolOrIdentityId });

/**
 * Opens the pool in `folder`, which is made at the first start, id and signing key together.
 * @throws Error when its file is damaged, or of another region
 */
export async function openIdentityPool(folder: string, region: string): Promise<IdentityPool> {
  const text = await readOrCreate(join(folder, 'pool.json'), async () =>
    JSON.stringify({ version: 1, identityPoolId: newId(region), key: await newKey() }),
  );
  const stored = parseStored(Stored, text, 'pool.json');
  if (!stored.identityPoolId.startsWith(`${region}:`)) {
    throw new Error(`expected the identity pool of region ${region}, got ${stored.identityPoolId}`);
  }
  const { kty, crv, x, y } = stored.key;
  const parseLogin = (text: string, developerUserId: string): string => {
    const login = parseStored(StoredLogin, text, 'a login');
    if (login.developerUserId !== developerUserId)
      throw new Error('a login of the identity pool lies in a wrong place');
    return login.identityId;
  };
  return {
    id: stored.identityPoolId,
    privateKey: await importKey(stored.key),
    publicKey: await importKey({ kty, crv, x, y }),
    findIdentity: async (developerUserId) => {
      const text = await readIfThere(loginPath(folder, developerUserId));
      return text === undefined ? undefined : parseLogin(text, developerUserId);
    },
    openIdentity: async (developerUserId) => {
      const make = (): string => JSON.stringify({ developerUserId, identityId: newId(region) });
      return parseLogin(await readOrCreate(loginPath(folder, developerUserId), make), developerUserId);
    },
  };
}

/** One file per login, under a hash: a user id is anybody's text and no file name. */
function loginPath(folder: string, developerUserId: string): string {
  return join(folder, 'logins', `${createHash('sha256').update(developerUserId).digest('hex')}.json`);
}

function newId(region: string): string {
  return `${region}:${randomUUID()}`;
}

async function newKey(): Promise<v.InferOutput<typeof PrivateJwk>> {
  const { privateKey } = await generateKeyPair(TOKEN_ALGORITHM, { extractable: true });
  return v.parse(PrivateJwk, await exportJWK(privateKey));
}

async function importKey(jwk: {
  kty: string;
  crv: string;
  x: string;
  y: string;
  d?: string;
}): Promise<CryptoKey> {
  const key = await importJWK(jwk, TOKEN_ALGORITHM);
  if (key instanceof Uint8Array) throw new TypeError('expected an asymmetric key, got bytes');
  return key;
}

function parseStored<T extends v.GenericSchema>(schema: T, text: string, name: string): v.InferOutput<T> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const parsed = v.safeParse(schema, json);
  if (!parsed.success)
    throw new Error(`${name} of the local identity pool is damaged: restore it from a backup`);
  return parsed.output;
}
