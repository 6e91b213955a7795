import { NONCE_HEADER, PROOF_HEADER, SESSION_HEADER, type Stage, STALE_NONCE } from '$contract/route.ts';
import { generateKeyPair, generateProof } from 'dpop';
import { lengthPrefixed, toB64Url, toHex, utf8 } from '../bytes.ts';
import { sha256 } from '../crypto/digest.ts';
import { madeAgain } from '../crypto/private-keys.ts';
import { answerTo } from './body.ts';

/**
 * The key that a session is bound to, for as long as it lives: Ed25519. WebCrypto never gives its private half away.
 */
export interface SessionKey {
  /** The broker's id of the session. */
  readonly sid: string;
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
}

/** A request as it is about to be sent. */
interface SignedRequest {
  /** Of the route: which of the keys is asked for. */
  readonly stage: Stage;
  readonly method: string;
  readonly url: URL;
  readonly body: string | undefined;
}

/** What shows the broker that a request is its session's: a cookie alone could be a copy. */
export interface Prover {
  /** The headers that the request has besides; none where there is no key. */
  sign(request: SignedRequest): Promise<Record<string, string>>;
  /** Takes note of what an answer says of session and nonce. */
  hear(stage: Stage, headers: Headers): void;
  /** After a refusal: whether there is another key by now, with which to ask once more. */
  another(): Promise<boolean>;
}

interface Held {
  readonly pair: CryptoKeyPair;
  /** Before the session has begun there is none. */
  sid: string | undefined;
  /** Of the last answer. */
  nonce: string | undefined;
}

const SESSION = /^([a-z-]+) ([\w-]{22})$/;
const NONCE = /^[\w-]{1,64}$/;

/**
 * The keys of this tab. Each way in (sign-up, sign-in, recovery) has a key of its own, made here, which becomes the
 * session's when it leads into the account: the session is the browser's, and its key is stored where all tabs and the
 * service worker find it.
 */
export class SessionProver implements Prover {
  readonly #atRest: () => Promise<SessionKey | undefined>;
  #entering: Promise<Held> | undefined;
  #entered: Held | undefined;
  #session: Held | undefined;

  /** @param atRest the session's key as it is stored on this device; undefined where nobody has signed in */
  constructor(atRest: () => Promise<SessionKey | undefined>) {
    this.#atRest = atRest;
  }

  /** What is to be stored on this device from now on; undefined if there is no session. */
  get sessionKey(): SessionKey | undefined {
    const { pair, sid } = this.#session ?? {};
    if (!pair || sid === undefined) return undefined;
    return { sid, publicKey: pair.publicKey, privateKey: pair.privateKey };
  }

  /** Signed out: nothing is signed with that key any more. */
  forget(): void {
    this.#session = undefined;
  }

  async sign({ stage, method, url, body }: SignedRequest): Promise<Record<string, string>> {
    const ofBody = body === undefined ? {} : { 'x-amz-content-sha256': toHex(await sha256(utf8(body))) };
    const held = await this.#keyFor(stage);
    if (!held) return ofBody;
    const { pair, sid, nonce } = held;
    const bd = toB64Url(await sha256(lengthPrefixed(url.search.slice(1), body ?? '')));
    const address = `${url.origin}${url.pathname}`;
    const claims = { bd, ...(sid !== undefined && { sid }) };
    return {
      ...ofBody,
      [PROOF_HEADER]: await generateProof(pair, address, method, nonce, undefined, claims),
    };
  }

  hear(stage: Stage, headers: Headers): void {
    const held = stage === 'full' ? this.#session : this.#entered;
    if (!held) return;
    const nonce = headers.get(NONCE_HEADER) ?? '';
    if (NONCE.test(nonce)) held.nonce = nonce;
    const [, reached, sid] = SESSION.exec(headers.get(SESSION_HEADER) ?? '') ?? [];
    if (sid === undefined) return;
    held.sid = sid;
    if (reached === 'full' && held === this.#entered) this.#enter(held);
  }

  async another(): Promise<boolean> {
    const rests = await this.#atRest();
    if (rests && rests.sid !== this.#session?.sid) {
      this.#session = heldOf(rests);
      return true;
    }
    // Perhaps the answer that led in was cut off after its cookie; a sign-up keeps its session's id.
    if (this.#entered?.sid === undefined) return false;
    this.#enter(this.#entered);
    return true;
  }

  async #keyFor(stage: Stage): Promise<Held | undefined> {
    if (stage !== 'full') {
      this.#entering ??= newKey();
      return (this.#entered = await this.#entering);
    }
    const rests = this.#session ? undefined : await this.#atRest();
    return (this.#session ??= rests && heldOf(rests));
  }

  #enter(held: Held): void {
    this.#session = held;
    this.#entering = undefined;
    this.#entered = undefined;
  }
}

/**
 * Asks the broker, with proof. What is refused for its nonce was not looked at, and is asked once more with the one
 * that came with the refusal; what is refused for its key, when there is another by now: somebody has signed in again,
 * in another tab.
 * @throws {HalfkeyError} as `answerTo`
 */
export async function askSigned(
  prover: Prover,
  { stage, url, init }: { readonly stage: Stage; readonly url: URL; readonly init: SignedInit },
  about: Parameters<typeof answerTo>[2],
): Promise<Response> {
  const ask = async (): Promise<Response> => {
    const { method, body, headers } = init;
    const signed = { ...headers, ...(await prover.sign({ stage, method, url, body })) };
    const response = await answerTo(url, { ...init, headers: signed }, about);
    prover.hear(stage, response.headers);
    return response;
  };
  let response = await ask();
  if (isRefused(response) && !isStale(response) && stage === 'full' && (await prover.another())) {
    response = await again(response, ask);
  }
  return isStale(response) ? again(response, ask) : response;
}

const isRefused = ({ status }: Response) => status === 401;
const isStale = (response: Response) =>
  isRefused(response) && response.headers.get('www-authenticate')?.includes(STALE_NONCE) === true;

function again({ body }: Response, ask: () => Promise<Response>): Promise<Response> {
  void body?.cancel().catch(() => undefined);
  return ask();
}

interface SignedInit extends RequestInit {
  readonly method: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

async function newKey(): Promise<Held> {
  return { pair: await madeAgain(() => generateKeyPair('Ed25519')), sid: undefined, nonce: undefined };
}

function heldOf({ sid, publicKey, privateKey }: SessionKey): Held {
  return { pair: { publicKey, privateKey }, sid, nonce: undefined };
}
