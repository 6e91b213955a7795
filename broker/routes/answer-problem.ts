import type { Problem } from '../contract/problems.ts';
import { PROBLEMS } from '../contract/problems.ts';
import type { BrokerProblem } from '../domain/problem.ts';

/** `application/problem+json` (RFC 9457) with the code that programs look at, and Retry-After where waiting helps. */
export function answerProblem(problem: BrokerProblem): Response {
  const { status, title } = PROBLEMS[problem.code];
  const body: Problem = {
    type: 'about:blank',
    title,
    status,
    code: problem.code,
    ...(problem.retryAfterSeconds !== undefined && { retryAfterSeconds: problem.retryAfterSeconds }),
    ...(problem.triesLeft !== undefined && { triesLeft: problem.triesLeft }),
    ...(problem.fields && { fields: [...problem.fields] }),
  };
  const headers = new Headers({ 'content-type': 'application/problem+json' });
  if (problem.retryAfterSeconds !== undefined) {
    headers.set('retry-after', String(problem.retryAfterSeconds));
  }
  return new Response(JSON.stringify(body), { status, headers });
}
