import type { Hono } from 'hono';
import type { FrameEnv } from './frame.ts';

/** What `/readyz` asks of the cloud; each rejects when its part does not answer. */
export interface ReadinessChecks {
  /** @returns S3's clock, from the Date of its answer, in ms since 1970 */
  readonly s3: () => Promise<number>;
  readonly kms: () => Promise<unknown>;
}

/** Beyond this, codes and signatures begin to fail; AWS refuses signatures at 15 minutes. */
const MAX_DRIFT_MS = 20_000;

/** `/healthz`: the process answers. `/readyz`: S3 and KMS answer and the clocks agree. `/version`. */
export function createHealthRoutes(
  app: Hono<FrameEnv>,
  checks: ReadinessChecks,
  version: string,
  now: () => number,
): void {
  app.get('/healthz', (context) => {
    context.set('route', '/healthz');
    return context.json({ status: 'ok' });
  });
  app.get('/version', (context) => {
    context.set('route', '/version');
    return context.json({ name: 'halfkey', version });
  });
  app.get('/readyz', async (context) => {
    context.set('route', '/readyz');
    const [s3, kms] = await Promise.allSettled([checks.s3(), checks.kms()]);
    const driftMs = s3.status === 'fulfilled' ? Math.abs(s3.value - now()) : undefined;
    const report = {
      s3: s3.status === 'fulfilled' ? 'ok' : 'unreachable',
      kms: kms.status === 'fulfilled' ? 'ok' : 'unreachable',
      clock: driftMs === undefined ? 'unknown' : driftMs <= MAX_DRIFT_MS ? 'ok' : 'off',
    };
    const ready = Object.values(report).every((state) => state === 'ok');
    return context.json({ status: ready ? 'ok' : 'not ready', ...report }, ready ? 200 : 503);
  });
}
