import { join } from 'node:path';
import { built } from '../support/built.ts';
import { startStack, type Stack } from '../support/stack.ts';

/**
 * The real broker and local cloud, which serve the bare page in place of the app.
 * @param options.isQuick the worker is quick with passphrases, and is the product's own in all else
 */
export async function startBareStack(options: { isQuick?: boolean } = {}): Promise<Stack> {
  const app = await built(options.isQuick ? 'quick-bare-app' : 'bare-app');
  return startStack({ dist: join(app, 'dist'), environment: { LOG_LEVEL: 'warn' } });
}
