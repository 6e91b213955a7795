import { join } from 'node:path';
import { built } from '../support/built.ts';
import { startStack, type Stack } from '../support/stack.ts';

/** The real broker and local cloud, which serve the bare page in place of the app. */
export async function startBareStack(): Promise<Stack> {
  return startStack({ dist: join(await built('bare-app'), 'dist'), environment: { LOG_LEVEL: 'warn' } });
}
