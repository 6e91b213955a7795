import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
/** All that a build reads. The tests are there for the chromium of the vite configuration alone. */
const SOURCES = [
  'src',
  'static',
  'broker',
  'tests/support',
  'package.json',
  'package-lock.json',
  '.npmrc',
  'svelte.config.js',
  'tsconfig.json',
  'vite.config.ts',
  'vite.broker.config.ts',
];

/** A copy of the sources, in a folder of its own, to be built there. */
export interface Checkout {
  readonly folder: string;
  /** Runs a command there. @throws Error with what it wrote, when it fails */
  run(command: string, ...args: string[]): Promise<void>;
  remove(): void;
}

/** @param options.packages where they come from: those that are installed here, or none yet */
export function checkOut(options: { packages: 'linked' | 'none' }): Checkout {
  const folder = mkdtempSync(join(tmpdir(), 'halfkey-build-'));
  for (const path of SOURCES) {
    if (existsSync(join(ROOT, path))) cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  }
  if (options.packages === 'linked') symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return {
    folder,
    async run(command, ...args) {
      // A build is not a test: Vitest's own variables would make it another.
      const env = { ...process.env };
      delete env['VITEST'];
      delete env['NODE_ENV'];
      const child = spawn(command, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
      const written: Buffer[] = [];
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (bytes: Buffer) => written.push(bytes));
      const [code] = (await once(child, 'close')) as [number | null];
      if (code !== 0)
        throw new Error(
          `${command} ended with ${String(code)}: ${Buffer.concat(written).toString().slice(-2000)}`,
        );
    },
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Builds app and broker as `npm run build` does. */
export async function buildIn(checkout: Checkout): Promise<void> {
  await checkout.run('npx', 'vite', 'build');
  await checkout.run('npx', 'vite', 'build', '--config', 'vite.broker.config.ts');
}
