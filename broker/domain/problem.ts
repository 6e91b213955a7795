import type { ProblemCode } from '../contract/problems.ts';

/** A refusal with a stable code; the routes answer it as `application/problem+json`. */
export class BrokerProblem extends Error {
  override readonly name = 'BrokerProblem';
  readonly code: ProblemCode;
  readonly retryAfterSeconds: number | undefined;
  readonly fields: readonly string[] | undefined;

  constructor(
    code: ProblemCode,
    options: { retryAfterSeconds?: number; fields?: readonly string[]; cause?: unknown } = {},
  ) {
    super(code, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.fields = options.fields;
  }
}
