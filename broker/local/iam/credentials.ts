import { randomBytes, randomInt } from 'node:crypto';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Credential, FindCredential } from '../principal.ts';
import { readOrCreate } from './create-once.ts';
import { createSessionTokens } from './session-token.ts';

/** Who may sign requests to this local cloud. */
export interface LocalCredentials {
  readonly administrator: Credential;
  readonly broker: Credential;
  readonly find: FindCredential;
  /**
   * New short-lived credentials of a Cognito identity; needs no storage.
   * @throws RangeError unless `lifetimeSeconds` is a whole number from 1 to 43,200, as with STS
   */
  readonly issue: (
    sub: string,
    lifetimeSeconds: number,
  ) => Credential & Required<Pick<Credential, 'sessionToken' | 'expiresAtMs'>>;
}

/** Short-lived credentials are kept once they were derived: a token says the same for as long as it is one. */
const MAX_KEPT = 1000;
const MAX_LIFETIME_SECONDS = 43_200;
const TOKEN_KEY_BYTES = 32;

const Pair = v.strictObject({
  accessKeyId: v.pipe(v.string(), v.regex(/^AKIA[A-Z2-7]{16}$/)),
  secretAccessKey: v.pipe(v.string(), v.length(40)),
});
const Stored = v.strictObject({
  version: v.literal(1),
  administrator: Pair,
  broker: Pair,
  tokenKeyB64: v.pipe(
    v.string(),
    v.check((text) => Buffer.from(text, 'base64').length === TOKEN_KEY_BYTES),
  ),
});

/**
 * Opens the credentials in `folder`; at the first start makes them, in `credentials.json`, mode 0600.
 * @param nowMs the clock from which lifetimes are counted
 * @throws Error when the file is damaged: it is not made anew, since that would end every session without a word
 */
export async function openCredentials(
  folder: string,
  nowMs: () => number = Date.now,
): Promise<LocalCredentials> {
  const stored = parseStored(
    await readOrCreate(join(folder, 'credentials.json'), () => JSON.stringify(makeStored())),
  );
  const administrator: Credential = { ...stored.administrator, principal: { kind: 'administrator' } };
  const broker: Credential = { ...stored.broker, principal: { kind: 'broker' } };
  const lasting = new Map([administrator, broker].map((one) => [one.accessKeyId, one]));
  const tokens = createSessionTokens(Buffer.from(stored.tokenKeyB64, 'base64'));
  const kept = new Map<string, Credential>();

  function ofToken(sessionToken: string): Credential | undefined {
    const known = kept.get(sessionToken);
    if (known) return known;
    const session = tokens.read(sessionToken);
    if (!session) return undefined;
    const { accessKeyId, sub, expiresAtMs } = session;
    const secretAccessKey = tokens.secretAccessKey(session);
    const principal = { kind: 'identity', sub } as const;
    const credential: Credential = { accessKeyId, secretAccessKey, sessionToken, expiresAtMs, principal };
    const [oldest] = kept.size === MAX_KEPT ? kept.keys() : [];
    if (oldest !== undefined) kept.delete(oldest);
    kept.set(sessionToken, credential);
    return credential;
  }

  return {
    administrator,
    broker,
    find: (accessKeyId, sessionToken) => {
      if (sessionToken === undefined) return lasting.get(accessKeyId);
      const credential = ofToken(sessionToken);
      return credential?.accessKeyId === accessKeyId ? credential : undefined;
    },
    issue: (sub, lifetimeSeconds) => {
      if (
        !Number.isInteger(lifetimeSeconds) ||
        lifetimeSeconds < 1 ||
        lifetimeSeconds > MAX_LIFETIME_SECONDS
      ) {
        throw new RangeError(
          `expected 1 to ${String(MAX_LIFETIME_SECONDS)} seconds, got ${String(lifetimeSeconds)}`,
        );
      }
      const session = {
        accessKeyId: makeAccessKeyId('ASIA'),
        sub,
        expiresAtMs: nowMs() + lifetimeSeconds * 1000,
      };
      return {
        accessKeyId: session.accessKeyId,
        secretAccessKey: tokens.secretAccessKey(session),
        sessionToken: tokens.write(session),
        expiresAtMs: session.expiresAtMs,
        principal: { kind: 'identity', sub },
      };
    },
  };
}

function parseStored(text: string): v.InferOutput<typeof Stored> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const parsed = v.safeParse(Stored, json);
  // Without the cause: a parser's message quotes what it read, and that is a secret.
  if (!parsed.success)
    throw new Error('credentials.json of the local cloud is damaged: restore it from a backup');
  return parsed.output;
}

function makeStored(): v.InferOutput<typeof Stored> {
  return {
    version: 1,
    administrator: makePair(),
    broker: makePair(),
    tokenKeyB64: randomBytes(TOKEN_KEY_BYTES).toString('base64'),
  };
}

function makePair(): v.InferOutput<typeof Pair> {
  return { accessKeyId: makeAccessKeyId('AKIA'), secretAccessKey: randomBytes(30).toString('base64') };
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** 20 characters; AWS starts long-lived ones with AKIA, short-lived ones with ASIA. */
function makeAccessKeyId(prefix: 'AKIA' | 'ASIA'): string {
  return prefix + Array.from({ length: 16 }, () => BASE32.charAt(randomInt(BASE32.length))).join('');
}
