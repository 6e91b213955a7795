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
 * The request's tab: a UUID that it made up when it was opened. What lies between the steps of signing up, in or back in is kept for
 * each tab apart, so that two tabs of one browser, for two people, never go on with each other's.
 */
export const TAB_HEADER = 'x-halfkey-tab';

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
  /** Bodies of segments and envelopes may be longer. */
  readonly bulk?: true;
  /** Issues the session that asks a new token: with the one that it has it is refused from the moment that this takes effect. */
  readonly renewsToken?: true;
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
