import { HalfkeyError, type ErrorCode, type ErrorDetail } from '../errors.ts';

/** An error on its way over the border: subclasses do not survive it, the code does. */
export interface Failure {
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;
}

/** An error as the page may see it. Anything that Halfkey did not throw by intent is `internal`. */
export function toFailure(error: unknown): Failure {
  if (error instanceof HalfkeyError) return { code: error.code, detail: error.detail };
  return { code: 'internal', detail: {} };
}
