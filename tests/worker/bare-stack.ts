import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';
import { ServerClock } from '../support/clock/server-clock.ts';
import { freePort } from '../support/free-port.ts';
import { startProgram } from '../support/program.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const OPAQUE = '@serenity-kit/opaque';
const QUICK_OPAQUE = fileURLToPath(new URL('bare/quick-opaque.ts', import.meta.url));

/** The real broker and local cloud, which serve the bare page in place of the app. */
export interface BareStack {
  readonly origin: string;
  /** Both servers go by it; the browser has this machine's. */
  readonly clock: ServerClock;
  logs(): string;
  stop(): Promise<void>;
}

/** @param options.isQuick the worker stretches passphrases by next to nothing, and is the product's own in all else */
export async function startBareStack(options: { isQuick?: boolean } = {}): Promise<BareStack> {
  // The broker serves build/ of the package that its bundle lies in: so it is given a package of its own.
  const folder = mkdtempSync(join(tmpdir(), 'halfkey-bare-'));
  writeFileSync(join(folder, 'package.json'), '{ "name": "halfkey", "version": "0.0.0", "type": "module" }');
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, 'broker'));
  symlinkSync(join(ROOT, 'broker', 'deploy'), join(folder, 'broker', 'deploy'));
  await buildBroker(join(folder, 'dist'));
  await buildBareApp(join(folder, 'build'), options.isQuick ? [quickStretching] : []);

  const clock = new ServerClock();
  const port = await freePort();
  const origin = `http://localhost:${String(port)}`;
  const program = startProgram({
    command: [join(folder, 'dist', 'broker.js')],
    environment: {
      PORT: String(port),
      HALFKEY_DATA: join(folder, 'data'),
      HALFKEY_RATE_PER_MINUTE: '10000',
      LOG_LEVEL: 'warn',
      ...clock.environment,
    },
    readyUrl: `${origin}/readyz`,
  });
  await program.resume();
  return {
    origin,
    clock,
    logs: () => program.output(),
    async stop() {
      await program.halt();
      clock.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function buildBroker(outDir: string): Promise<void> {
  await build({
    root: ROOT,
    configFile: join(ROOT, 'vite.broker.config.ts'),
    logLevel: 'error',
    build: { outDir, emptyOutDir: true },
  });
}

/** The product's code is given another OPAQUE, and knows nothing of it. */
const quickStretching: Plugin = {
  name: 'quick-stretching',
  enforce: 'pre',
  resolveId: (source, importer) =>
    source === OPAQUE && importer !== QUICK_OPAQUE ? QUICK_OPAQUE : undefined,
};

async function buildBareApp(outDir: string, plugins: Plugin[]): Promise<void> {
  const root = fileURLToPath(new URL('bare', import.meta.url));
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    plugins,
    worker: { format: 'es', plugins: () => plugins },
    resolve: { alias: { $contract: join(ROOT, 'broker', 'contract') } },
    build: {
      target: 'es2022',
      outDir,
      emptyOutDir: true,
      rolldownOptions: { input: join(root, 'app.html') },
    },
  });
}
