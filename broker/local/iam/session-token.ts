import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';

/** What a session token says. */
interface Session {
  readonly accessKeyId: string;
  /** The Cognito identity's id. */
  readonly sub: string;
  readonly expiresAtMs: number;
}

/** Writes and reads session tokens, and derives the secret key that belongs to one. */
export interface SessionTokens {
  /** Token in base64: HMAC-SHA-256 and what it covers, readable but not alterable. */
  readonly write: (session: Session) => string;
  /** `undefined` when it was not written under this key, to the last bit. Says nothing about its time. */
  readonly read: (token: string) => Session | undefined;
  /** 40 characters, the same for the same session. */
  readonly secretAccessKey: (session: Session) => string;
}

const MAC_BYTES = 32;
const MAX_TOKEN_LENGTH = 2048;
const SECRET_BYTES = 30;

const Said = v.strictTuple([v.literal(1), v.string(), v.string(), v.pipe(v.number(), v.safeInteger())]);

/**
 * Session tokens that say what they are, so that credentials survive a restart with nothing stored of them.
 * @param key 32 random bytes; MAC key and secret keys are derived from it apart
 */
export function createSessionTokens(key: Uint8Array): SessionTokens {
  const macKey = derive(key, 'token', MAC_BYTES);
  const mac = (said: Uint8Array): Buffer => createHmac('sha256', macKey).update(said).digest();
  return {
    write: (session) => {
      const said = encode(session);
      return Buffer.concat([mac(said), said]).toString('base64');
    },
    read: (token) => {
      if (token.length > MAX_TOKEN_LENGTH) return undefined;
      const bytes = Buffer.from(token, 'base64');
      // Node reads base64 with anything in between; a token has one spelling only.
      if (bytes.toString('base64') !== token || bytes.length < MAC_BYTES) return undefined;
      const said = bytes.subarray(MAC_BYTES);
      return timingSafeEqual(bytes.subarray(0, MAC_BYTES), mac(said)) ? decode(said) : undefined;
    },
    secretAccessKey: (session) =>
      derive(key, `secret/${encode(session).toString('base64')}`, SECRET_BYTES).toString('base64'),
  };
}

function derive(key: Uint8Array, purpose: string, lengthBytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `halfkey/local-cloud/session/1/${purpose}`, lengthBytes));
}

function encode({ accessKeyId, sub, expiresAtMs }: Session): Buffer {
  return Buffer.from(JSON.stringify([1, accessKeyId, sub, expiresAtMs]));
}

function decode(said: Buffer): Session | undefined {
  const [, accessKeyId, sub, expiresAtMs] = v.parse(Said, JSON.parse(said.toString()));
  return { accessKeyId, sub, expiresAtMs };
}
