import { HalfkeyError } from '../errors.ts';
import type { WorkerHost } from '../worker/host.ts';
import { toFailure, type Failure } from '../protocol/failure.ts';

/** What state needs of the crypto worker: to send it commands. */
export type CryptoWorker = Pick<WorkerHost, 'send'>;

/** What is known about an error. One that Halfkey did not throw by intent is `internal`, and told to the console. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof HalfkeyError)) reportError(error);
  return toFailure(error);
}

/** Whether somebody called it off: nothing has failed then, and nothing is to be said. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
