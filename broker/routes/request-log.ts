import type { MiddlewareHandler } from 'hono';
import type { RequestIdVariables } from 'hono/request-id';
import type { Logger } from 'pino';
import type { FrameEnv } from './frame.ts';

/**
 * One JSON line per request: its id, method, the route's pattern, status, milliseconds, and where they are known the
 * account's id and the problem's code. Never the URL itself: it may carry a signature, a name, or somebody's guess.
 */
export function requestLog(
  log: Logger,
): MiddlewareHandler<{ Variables: FrameEnv['Variables'] & RequestIdVariables }> {
  return async (context, next) => {
    const begunAt = performance.now();
    await next();
    const { status } = context.res;
    const line = {
      requestId: context.get('requestId'),
      method: context.req.method,
      route: context.get('route') ?? 'other',
      status,
      ms: Math.round((performance.now() - begunAt) * 10) / 10,
      account: context.get('account'),
      problem: context.get('problem'),
    };
    if (status >= 500) log.error(line, 'request');
    else log.info(line, 'request');
  };
}

/**
 * What may be said of an error that was not expected: its name and where, not its message, which may quote a request.
 */
export function faultOf(error: unknown): { name: string; at: string[]; cause?: unknown } {
  if (!(error instanceof Error)) return { name: typeof error, at: [] };
  const at = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return {
    name: error.name,
    at: at.slice(0, 8).map((line) => line.trim()),
    ...(error.cause !== undefined && { cause: faultOf(error.cause) }),
  };
}
