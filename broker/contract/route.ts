import * as v from 'valibot';
import { LIMITS } from './limits.ts';

/**
 * What a session token is good for. A token of one stage opens no route of another: what was issued before
 * the code is of no use after it.
 */
export type Stage =
  | 'none' // no token
  | 'enrol' // signed up, first code not typed yet
  | 'setup' // first code accepted, keyring and vault not written yet
  | 'code' // passphrase proven
  | 'recovery-code' // recovery key proven
  | 'recovery' // recovery key and code proven
  | 'factor-reset' // passphrase and recovery key proven, and again when the wait was over
  | 'full'; // signed in

/**
 * The request's tab: a UUID that it made up when it was opened. What is kept between the steps of signing up, in or
 * back in is kept for each tab apart, so that two tabs of one browser, for two people, never go on with each other's.
 */
export const TAB_HEADER = 'x-halfkey-tab';

/**
 * A proof that the request was made with the session's own key: DPoP (RFC 9449), with `sid` (the session's id) in place
 * of `ath`, because no script sees the cookie, and `bd`, the SHA-256 of query and body. Each request has one but those
 * that only begin (stage `none`) and the one that ends the session.
 */
export const PROOF_HEADER = 'dpop';
/** What the next proof has to repeat: renewed with each answer to a proof, and good for two to four minutes. */
export const NONCE_HEADER = 'dpop-nonce';
/** Which session the answer's cookie is of: its stage, a space, its id. */
export const SESSION_HEADER = 'x-halfkey-session';
/**
 * Of an answer with status 401: the request was not looked at, and is to be repeated with the fresh nonce (RFC 9449
 * §8).
 */
export const STALE_NONCE = 'use_dpop_nonce';

type Schema = v.GenericSchema;

/** One request and its answer, as both sides parse them. `:vault` in a path is filled in, percent-encoded. */
export interface Route<Request extends Schema = Schema, Answer extends Schema = Schema> {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly stage: Stage;
  /** The JSON body; for GET the query. */
  readonly request: Request;
  /** Where it may be undefined, that is answered as 204 without a body. */
  readonly answer: Answer;
  /** Takes from the grant that the request names: it is read while the session is looked at. */
  readonly takesGrant?: true;
  /** Bodies of segments and envelopes may be longer. */
  readonly bulk?: true;
  /**
   * Issues the session that asks a new token: with the one that it has it is refused from the moment that this takes
   * effect.
   */
  readonly renewsToken?: true;
  /** Of stage `none`: issues a first token, bound to the key that has signed this request. */
  readonly beginsSession?: true;
  /** The one thing that a cookie alone may do: end its own session. */
  readonly cookieAlone?: true;
}

export function route<Request extends Schema, Answer extends Schema>(
  definition: Route<Request, Answer>,
): Route<Request, Answer> {
  return definition;
}

/** For a request or an answer that says nothing. */
export const Empty = v.strictObject({});

/** As many at a time as a request may have. */
export const batchOf = <Item extends v.GenericSchema>(item: Item) =>
  v.pipe(v.array(item), v.minLength(1), v.maxLength(LIMITS.batch));

/**
 * The entries of an answer that speaks of many things, each parsed by itself: what is not such an entry is left out, so
 * that it holds up none of the others. Not for what says that something was refused: unread, that would pass for done.
 */
export const eachOf = <Item extends v.GenericSchema>(item: Item) =>
  v.pipe(
    v.custom<v.InferInput<Item>[]>((given) => Array.isArray(given)),
    v.transform((entries) => entries.filter((entry) => v.is(item, entry))),
    v.array(item),
  );
