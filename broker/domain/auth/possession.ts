import { createHash, createHmac } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, errors, jwtVerify } from 'jose';
import * as v from 'valibot';
import type { Clock } from '../../ports/clock.ts';
import { lengthPrefixed } from '../state/length-prefixed.ts';

/** A request, as far as a proof binds it. */
interface AskedRequest {
  /** As it was sent: HEAD is not GET. */
  readonly method: string;
  /** The broker's own origin, and the path as it was sent, percent-encoded. */
  readonly address: string;
  /** Without the question mark; empty where there is none. */
  readonly query: string;
  /** As sent; empty where there is none. */
  readonly body: Uint8Array;
}

/** What a proof says that belongs to the request it came with. */
export interface Proof {
  /** Of the key that has signed it: RFC 7638, SHA-256, base64url. */
  readonly jkt: string;
  /** The session that it is for; absent where none has begun. */
  readonly sid: string | undefined;
  /** Random: another one in each proof. */
  readonly id: string;
  /** Whether it was made after one of the last answers, and not taken from an old request. */
  readonly isFresh: boolean;
}

/** Proofs that a request was made by anyone who holds a key, and not only a copy of a cookie: DPoP (RFC 9449). */
export interface Possession {
  /** @returns undefined for what is not a proof, or one for another request */
  open(proof: string | undefined, request: AskedRequest): Promise<Proof | undefined>;
  /** What the holder of this key has to repeat in the next proof. */
  nonceFor(jkt: string): string;
}

/** Far more than one with an Ed25519 key has: some 700. */
const MAX_PROOF_CHARACTERS = 2000;
/**
 * The clocks of clients are wrong, so proofs are dated by the broker's own: by this bucket of time or the one before.
 */
const BUCKET_MS = 2 * 60_000;

const Claims = v.object({
  jti: v.pipe(v.string(), v.minLength(16), v.maxLength(64)),
  htm: v.string(),
  htu: v.string(),
  bd: v.string(),
  sid: v.optional(v.string()),
  nonce: v.optional(v.string()),
});

/** @param nonceKey 32 bytes, from `broker/setup` */
export function createPossession(nonceKey: Uint8Array, clock: Clock): Possession {
  function nonceOf(jkt: string, bucket: number): string {
    const input = lengthPrefixed('halfkey/nonce/1', String(bucket), jkt);
    return createHmac('sha256', nonceKey).update(input).digest('base64url');
  }
  const bucketNow = () => Math.floor(clock() / BUCKET_MS);

  return {
    async open(proof, { method, address, query, body }) {
      if (proof === undefined || proof.length > MAX_PROOF_CHARACTERS) return undefined;
      const opened = await verified(proof);
      if (!opened) return undefined;
      const { claims, jkt } = opened;
      const isOfRequest =
        claims.htm === method &&
        normal(claims.htu) === (normal(address) ?? '') &&
        claims.bd === digestOf(query, body);
      if (!isOfRequest) return undefined;
      const now = bucketNow();
      const isFresh = [now, now - 1].some((bucket) => nonceOf(jkt, bucket) === claims.nonce);
      return { jkt, sid: claims.sid, id: claims.jti, isFresh };
    },
    nonceFor: (jkt) => nonceOf(jkt, bucketNow()),
  };
}

async function verified(proof: string) {
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: ['Ed25519'],
    });
    const claims = v.safeParse(Claims, payload);
    const { jwk } = protectedHeader;
    if (!claims.success || !jwk) return undefined;
    return { claims: claims.output, jkt: await calculateJwkThumbprint(jwk) };
  } catch (error) {
    // Besides its own errors jose lets through what WebCrypto says of a key that is none.
    const isAboutProof =
      error instanceof errors.JOSEError || error instanceof DOMException || error instanceof TypeError;
    if (isAboutProof) return undefined;
    throw error;
  }
}

/**
 * RFC 9449 §4.3 has addresses compared by what they mean: a proxy may write `:` where the client wrote `%3A`.
 * @returns undefined for what is not an address
 */
function normal(address: string): string | undefined {
  try {
    const { origin, pathname } = new URL(address);
    const segments = pathname.split('/').map((segment) => encodeURIComponent(decodeURIComponent(segment)));
    return origin + segments.join('/');
  } catch {
    return undefined;
  }
}

/** SHA-256 over query and body, each preceded by its length; a body of two megabytes is not copied for it. */
function digestOf(query: string, body: Uint8Array): string {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return createHash('sha256').update(lengthPrefixed(query)).update(length).update(body).digest('base64url');
}
