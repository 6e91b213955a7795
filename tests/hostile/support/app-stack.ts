import { join } from 'node:path';
import { built } from '../../support/built.ts';
import { startStack, type Stack } from '../../support/stack.ts';
import { startHostileStore, type HostileStore } from './hostile-s3.ts';

/**
 * The built app on the real broker and the real local cloud, with a store that does as it is told before the browser.
 */
export interface AppStack extends Stack {
  readonly store: HostileStore;
}

/** @param folder of the package that is run and served, if not the one that is built for all */
export async function startAppStack(folder?: string): Promise<AppStack> {
  let store: HostileStore | undefined;
  const stack = await startStack({
    dist: join(folder ?? (await built('app')), 'dist'),
    async openS3Front(s3Port) {
      const opened = await startHostileStore(`http://127.0.0.1:${String(s3Port)}`);
      store = opened;
      return { port: Number(new URL(opened.endpoint).port), close: () => opened.close() };
    },
  });
  if (!store) throw new Error('expected a store before the browser');
  return { ...stack, store };
}
