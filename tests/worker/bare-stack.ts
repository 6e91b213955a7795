import { join } from 'node:path';
import { built } from '../support/built.ts';
import { startStack, type Stack } from '../support/stack.ts';

/**
 * The real broker and local cloud, which serve the bare page in place of the app.
 * @param options.isQuick the worker is quick with passphrases, and is the product's own in all else
 * @param options.isWatched the worker notes the buffers that it makes, and is the product's own in all else
 */
export async function startBareStack({
  isQuick,
  isWatched,
  ...options
}: { isQuick?: boolean; isWatched?: boolean } & Pick<
  NonNullable<Parameters<typeof startStack>[0]>,
  'openCloudFront'
> = {}): Promise<Stack> {
  const app = await built(isWatched ? 'watched-bare-app' : isQuick ? 'quick-bare-app' : 'bare-app');
  return startStack({ ...options, dist: join(app, 'dist'), environment: { LOG_LEVEL: 'warn' } });
}
