import { serveStatic } from '@hono/node-server/serve-static';
import type { Context, Hono } from 'hono';
import type { FrameEnv } from './frame.ts';

/**
 * How long a browser keeps what. Without a hash in its name a file is asked about each time, so that a new version is
 * seen.
 */
const KEPT: Readonly<Record<string, string>> = {
  asset: 'public, max-age=31536000, immutable',
  file: 'no-cache',
  page: 'no-cache',
};
/** Whole, and a part of it. Any other answer says nothing of the file that would still hold at the next request. */
const KEPT_STATUS = new Set([200, 206]);

/**
 * Serves the built app: files under `_app/immutable` for good, others to be asked for again, and `app.html` for
 * whatever else a browser navigates to, because the app has its routes in itself.
 * @param folder absolute path of build/
 */
export function createAppFiles(app: Hono<FrameEnv>, folder: string, appHtml: string): void {
  app.use('*', async (context, next) => {
    await next();
    const kept = KEPT_STATUS.has(context.res.status) ? KEPT[context.get('route') ?? ''] : undefined;
    if (kept !== undefined) context.header('cache-control', kept);
  });
  app.use(
    '*',
    serveStatic({
      root: folder,
      // No folder has a page of its own but the first.
      index: 'app.html',
      precompressed: true,
      onFound: (_path, context: Context<FrameEnv>) => {
        context.set('route', context.req.path.startsWith('/_app/immutable/') ? 'asset' : 'file');
      },
    }),
  );
  app.get('*', async (context, next) => {
    const navigates =
      context.req.header('sec-fetch-mode') === 'navigate' ||
      (context.req.header('accept') ?? '').includes('text/html');
    if (!navigates || context.req.path.startsWith('/_app/')) return next();
    context.set('route', 'page');
    return context.html(appHtml);
  });
}
