import type { ProblemCode } from '../contract/problems.ts';

/** A refusal with a stable code; the routes answer it as `application/problem+json`. */
export class BrokerProblem extends Error {
  override readonly name = 'BrokerProblem';
  readonly code: ProblemCode;
  readonly retryAfterSeconds: number | undefined;
  /** Wrong codes that may still come before the lock. */
  readonly triesLeft: number | undefined;
  readonly fields: readonly string[] | undefined;

  constructor(
    code: ProblemCode,
    options: {
      retryAfterSeconds?: number;
      triesLeft?: number;
      fields?: readonly string[];
      cause?: unknown;
    } = {},
  ) {
    super(code, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.triesLeft = options.triesLeft;
    this.fields = options.fields;
  }
}
