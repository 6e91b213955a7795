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
/** Less than a probe waits: it is to hear that S3 hangs, and not to hang with it. */
const CHECK_MS = 5_000;

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
  // Anyone who asks while the cloud is being asked shares the answer: strangers may come here, and must not multiply
  // into it.
  let asking: Promise<Report> | undefined;
  app.get('/readyz', async (context) => {
    context.set('route', '/readyz');
    asking ??= askCloud(checks, now).finally(() => {
      asking = undefined;
    });
    const report = await asking;
    const ready = Object.values(report).every((state) => state === 'ok');
    return context.json({ status: ready ? 'ok' : 'not ready', ...report }, ready ? 200 : 503);
  });
}

type Report = Readonly<Record<'s3' | 'kms' | 'clock', string>>;

async function askCloud(checks: ReadinessChecks, now: () => number): Promise<Report> {
  const [s3, kms] = await Promise.allSettled([withinLimit(checks.s3()), withinLimit(checks.kms())]);
  const driftMs = s3.status === 'fulfilled' ? Math.abs(s3.value - now()) : undefined;
  return {
    s3: s3.status === 'fulfilled' ? 'ok' : 'unreachable',
    kms: kms.status === 'fulfilled' ? 'ok' : 'unreachable',
    clock: driftMs === undefined ? 'unknown' : driftMs <= MAX_DRIFT_MS ? 'ok' : 'off',
  };
}

async function withinLimit<Result>(check: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(reject, CHECK_MS, new Error(`expected an answer within ${String(CHECK_MS)} ms`));
  });
  try {
    return await Promise.race([check, limit]);
  } finally {
    clearTimeout(timer);
  }
}
