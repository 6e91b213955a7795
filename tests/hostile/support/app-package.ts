import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const APP_SOURCES = [
  'src',
  'static',
  'broker/contract',
  'svelte.config.js',
  'vite.config.ts',
  'tsconfig.json',
  'package.json',
  'package-lock.json',
];
/** All that the builds read. */
const SOURCES = [
  ...APP_SOURCES,
  'broker',
  'vite.broker.config.ts',
];

/** A folder like that of the installed package: `build/` is the app, `dist/` broker and local cloud, of the tree under test. */
export interface AppPackage {
  readonly folder: string;
  remove(): void;
}

/** Builds beside the tree, where nothing old can be tried by mistake; an app that was built from these very sources is taken. */
export async function buildAppPackage(): Promise<AppPackage> {
  const folder = mkdtempSync(join(tmpdir(), 'halfkey-app-'));
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await buildIn(folder);
  } catch (error) {
    remove();
    throw error;
  }
  return { folder, remove };
}

/** Builds another version of an app beside it. @param edit changes the copy of its sources */
export async function buildNextApp(app: AppPackage, edit: (folder: string) => void): Promise<AppPackage> {
  const folder = mkdtempSync(join(tmpdir(), 'halfkey-next-app-'));
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const source of SOURCES) cpSync(join(app.folder, source), join(folder, source), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    edit(folder);
    await run(folder, 'vite', 'build', '--logLevel', 'error');
  } catch (error) {
    remove();
    throw error;
  }
  return { folder, remove };
}

async function buildIn(folder: string): Promise<void> {
  for (const source of SOURCES) cpSync(join(ROOT, source), join(folder, source), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, '.svelte-kit'));
  await run(folder, 'svelte-kit', 'sync'); // What tsconfig.json extends is its doing.
  const builtMs = newestMs(join(ROOT, 'build', 'app.html'));
  if (APP_SOURCES.every((source) => newestMs(join(ROOT, source)) < builtMs)) {
    cpSync(join(ROOT, 'build'), join(folder, 'build'), { recursive: true });
  } else {
    await run(folder, 'vite', 'build', '--logLevel', 'error');
  }
  await run(folder, 'vite', 'build', '--logLevel', 'error', '--config', 'vite.broker.config.ts');
}

/** When the newest file at or below was changed, ms since 1970; 0 when there is none. */
function newestMs(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats?.isDirectory()) return stats?.mtimeMs ?? 0;
  return Math.max(0, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

function run(folder: string, command: string, ...args: string[]): Promise<void> {
  const env = { ...process.env, NODE_ENV: 'production' };
  const bin = join(folder, 'node_modules', '.bin', command);
  const child = spawn(bin, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      if (status === 0) resolve();
      else reject(new Error(`${command} ${args.join(' ')} failed: ${output}`));
    });
  });
}
