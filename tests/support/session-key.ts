import { calculateJwkThumbprint, exportJWK } from 'jose';
import { generateKeyPair, generateProof } from 'dpop';
import { NONCE_HEADER, PROOF_HEADER, STALE_NONCE } from '$contract/route.ts';
import { lengthPrefixed, toB64Url } from '../../src/lib/bytes.ts';
import { sha256 } from '../../src/lib/crypto/digest.ts';

/** What a proof is made for. */
interface AskedRequest {
  readonly method: string;
  /** With the origin that the broker believes it is reached at. */
  readonly url: string;
  readonly body?: string | undefined;
  /** The session's id; undefined before one has begun. */
  readonly sid?: string | undefined;
}

/** What of a proof an attack has otherwise. */
interface ProofChanges {
  readonly nonce?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
}

/**
 * The session key of a test that speaks HTTP to the broker: signs its requests, keeps the nonce of the last answer, and
 * asks once more where the broker says that it is stale, as the client does.
 */
export class TestSessionKey {
  #pair = generateKeyPair('Ed25519');
  nonce: string | undefined;

  /** As a token is bound to it: RFC 7638. */
  async jkt(): Promise<string> {
    return calculateJwkThumbprint(await exportJWK((await this.#pair).publicKey));
  }

  /** The proof alone. */
  async prove(
    { method, url, body = '', sid }: AskedRequest,
    { nonce = this.nonce, claims = {} }: ProofChanges = {},
  ): Promise<string> {
    const { origin, pathname, search } = new URL(url);
    const bd = toB64Url(await sha256(lengthPrefixed(search.slice(1), body)));
    const more = { bd, ...(sid !== undefined && { sid }), ...claims };
    return generateProof(await this.#pair, `${origin}${pathname}`, method, nonce, undefined, more);
  }

  /** Sends a request with its proof, and once more with a fresh nonce where that is asked for. */
  async send(
    request: AskedRequest,
    send: (proof: Readonly<Record<string, string>>) => Response | Promise<Response>,
  ): Promise<Response> {
    const ask = async (): Promise<Response> => {
      const response = await send({ [PROOF_HEADER]: await this.prove(request) });
      this.nonce = response.headers.get(NONCE_HEADER) ?? this.nonce;
      return response;
    };
    const first = await ask();
    const isStale = first.headers.get('www-authenticate')?.includes(STALE_NONCE) === true;
    return isStale ? ask() : first;
  }
}

/** The session that a token is of, by whatever key it is signed; undefined for what is not one. */
export function sessionIdIn(token: string | undefined): string | undefined {
  try {
    const payload = Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString();
    const { jti } = JSON.parse(payload) as { jti?: unknown };
    return typeof jti === 'string' ? jti : undefined;
  } catch {
    return undefined;
  }
}
