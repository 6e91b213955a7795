import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';
import { isBuilt } from '../../broker/launch/build.mjs';
import { APP_SOURCES, BROKER_SOURCES, digestOf } from '../../broker/launch/sources.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Inside the project, so that the bundles find the packages. */
const SHELF = join(ROOT, 'node_modules', '.halfkey-test');
/** Longer than any run lasts that may still be using it. */
const KEPT_MS = 3 * 60 * 60_000;

const BARE_PAGE = 'tests/worker/bare';
const OPAQUE = '@serenity-kit/opaque';
const QUICK_OPAQUE = join(ROOT, BARE_PAGE, 'quick-opaque.ts');
const ENGLISH = '@zxcvbn-ts/language-en';
const NO_WORDS = '\0no-words';
const QUICK_OPAQUE_SOURCE = 'tests/support/quick-opaque.ts';
const STAND_IN_SOURCE = 'tests/support/sync-access-stand-in.mjs';
const WATCH_SOURCE = 'tests/support/watched-buffers.mjs';
const BARE_SOURCES = [...BROKER_SOURCES, 'src', BARE_PAGE, QUICK_OPAQUE_SOURCE];

/** How a product is made. */
interface Recipe {
  /** All that it is made of: the same sources make the same product. */
  readonly sources: readonly string[];
  make(folder: string): Promise<void>;
}

const RECIPES = {
  /** `dist/` alone. */
  broker: { sources: BROKER_SOURCES, make: makeBroker },
  /** The page of tests/worker/bare in place of the app: the crypto worker, and nothing around it. */
  'bare-app': { sources: BARE_SOURCES, make: (folder) => makeBareApp(folder, []) },
  /**
   * The same, with a worker that is quick with passphrases: stretches them by next to nothing, and looks up common ones
   * only.
   */
  'quick-bare-app': { sources: BARE_SOURCES, make: (folder) => makeBareApp(folder, [quickPassphrases()]) },
  /** `bare-app`, whose worker notes the buffers that it makes. */
  'watched-bare-app': { sources: [...BARE_SOURCES, WATCH_SOURCE], make: makeWatchedBareApp },
  /** `build/` and `dist/` as `npm run build` makes them, and the sources that they were made of. */
  app: { sources: [...BROKER_SOURCES, ...APP_SOURCES], make: makeApp },
  /** The same, quick with passphrases in the same way. */
  'quick-app': {
    sources: [...BROKER_SOURCES, ...APP_SOURCES, QUICK_OPAQUE_SOURCE],
    make: makeQuickApp,
  },
  /**
   * `app` for WebKitGTK, whose files cannot be written synchronously: the crypto worker is given something that stands
   * in for that.
   */
  'webkit-app': { sources: [...BROKER_SOURCES, ...APP_SOURCES, STAND_IN_SOURCE], make: makeWebKitApp },
  /** Another version of the app, in which a file of each kind is another. */
  'next-app': { sources: [...BROKER_SOURCES, ...APP_SOURCES], make: makeNextApp },
} as const satisfies Record<string, Recipe>;

/** What tests run that has to be built: each is a folder like that of the installed package. */
export type ProductName = keyof typeof RECIPES;

export function isProductName(name: string): name is ProductName {
  return Object.hasOwn(RECIPES, name);
}

const making = new Map<string, Promise<string>>();

/**
 * A product of the tree as it is now: one that was made of these very sources, by this run or an earlier one, or a new
 * one.
 * @returns its folder, which must not be changed
 */
export function productOf(name: ProductName): Promise<string> {
  const { sources } = RECIPES[name];
  const folder = join(SHELF, `${name}-${digestOf([...sources, 'tests/support/products.ts']).slice(0, 32)}`);
  const made = making.get(folder) ?? take(name, folder);
  making.set(folder, made);
  return made;
}

async function take(name: ProductName, folder: string): Promise<string> {
  if (existsSync(folder)) {
    // It is needed still.
    utimesSync(folder, new Date(), new Date());
    return folder;
  }
  discardOld();
  mkdirSync(SHELF, { recursive: true });
  const bench = mkdtempSync(join(SHELF, 'making-'));
  try {
    await RECIPES[name].make(bench);
    // Another run may have been as fast.
    if (!existsSync(folder)) renameSync(bench, folder);
    return folder;
  } finally {
    rmSync(bench, { recursive: true, force: true });
  }
}

function discardOld(): void {
  for (const name of existsSync(SHELF) ? readdirSync(SHELF) : []) {
    const path = join(SHELF, name);
    if (statSync(path).mtimeMs < Date.now() - KEPT_MS) rmSync(path, { recursive: true, force: true });
  }
}

async function makeBroker(folder: string): Promise<void> {
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  cpSync(join(ROOT, 'broker', 'deploy'), join(folder, 'broker', 'deploy'), { recursive: true });
  await build({
    root: ROOT,
    configFile: join(ROOT, 'vite.broker.config.ts'),
    logLevel: 'error',
    build: { outDir: join(folder, 'dist'), emptyOutDir: true },
  });
}

/**
 * The product's code is given another OPAQUE and no English dictionary to hold passphrases against, and knows nothing
 * of it.
 */
function quickPassphrases(): Plugin {
  return {
    name: 'quick-passphrases',
    enforce: 'pre',
    resolveId(source, importer) {
      if (source === ENGLISH) return NO_WORDS;
      return source === OPAQUE && importer !== QUICK_OPAQUE ? QUICK_OPAQUE : undefined;
    },
    load: (id) => (id === NO_WORDS ? 'export const dictionary = {};' : undefined),
  };
}

async function makeBareApp(folder: string, plugins: Plugin[]): Promise<void> {
  cpSync(await productOf('broker'), folder, { recursive: true });
  const root = join(ROOT, BARE_PAGE);
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    plugins,
    worker: { format: 'es', plugins: () => plugins },
    resolve: { alias: { $contract: join(ROOT, 'broker', 'contract') } },
    build: {
      target: 'es2022',
      outDir: join(folder, 'build'),
      emptyOutDir: true,
      rolldownOptions: { input: join(root, 'app.html') },
    },
  });
}

async function makeWatchedBareApp(folder: string): Promise<void> {
  cpSync(await productOf('bare-app'), folder, { recursive: true });
  putBeforeWorker(folder, join('build', 'assets'), WATCH_SOURCE);
}

async function makeApp(folder: string): Promise<void> {
  copySources(ROOT, folder);
  cpSync(join(await productOf('broker'), 'dist'), join(folder, 'dist'), { recursive: true });
  if (isBuilt('app')) cpSync(join(ROOT, 'build'), join(folder, 'build'), { recursive: true });
  else await buildApp(folder);
}

/**
 * Nothing is built anew: one script of the build gets a new head, and the service worker the digest that it has then.
 */
async function makeWebKitApp(folder: string): Promise<void> {
  cpSync(await productOf('app'), folder, { recursive: true });
  const workers = join('build', '_app', 'immutable', 'workers');
  const { script, digestBefore } = putBeforeWorker(folder, workers, STAND_IN_SOURCE);
  const digestAfter = integrityOf(join(folder, script));
  editIn(folder, 'build/service-worker.js', (text) => text.replace(digestBefore, digestAfter));
  for (const file of [script, 'build/service-worker.js']) {
    for (const ending of ['br', 'gz']) rmSync(join(folder, `${file}.${ending}`), { force: true });
  }
}

/**
 * Gives the crypto worker of a build a new head.
 * @param workers where its script is in the folder
 * @param head the source of a script
 */
function putBeforeWorker(
  folder: string,
  workers: string,
  head: string,
): { script: string; digestBefore: string } {
  const [name, ...others] = readdirSync(join(folder, workers)).filter((file) =>
    /^crypto\.worker-.*\.js$/.test(file),
  );
  if (name === undefined || others.length > 0) throw new Error('expected one crypto worker');
  const script = join(workers, name);
  const digestBefore = integrityOf(join(folder, script));
  editIn(folder, script, (text) => `{${readFileSync(join(ROOT, head), 'utf8')}}\n${text}`);
  return { script, digestBefore };
}

/** As subresource integrity writes it. */
function integrityOf(path: string): string {
  return `sha256-${createHash('sha256').update(readFileSync(path)).digest('base64')}`;
}

async function makeQuickApp(folder: string): Promise<void> {
  copySources(ROOT, folder);
  cpSync(join(await productOf('broker'), 'dist'), join(folder, 'dist'), { recursive: true });
  cpSync(join(ROOT, QUICK_OPAQUE_SOURCE), join(folder, 'src/lib/account/quick-opaque.ts'));
  editIn(folder, 'src/lib/account/opaque.ts', (text) =>
    text.replace(
      `import('${OPAQUE}')`,
      `import('./quick-opaque.ts').then(async (quick) => quick.quickOpaque(await import('${OPAQUE}')))`,
    ),
  );
  editIn(folder, 'src/lib/account/passphrase.ts', (text) =>
    text.replace(`import('${ENGLISH}')`, 'Promise.resolve({ dictionary: {} })'),
  );
  await buildApp(folder);
}

/** @throws Error when the change finds nothing to change */
function editIn(folder: string, path: string, change: (text: string) => string): void {
  const before = readFileSync(join(folder, path), 'utf8');
  const after = change(before);
  if (after === before) throw new Error(`expected something to change in ${path}`);
  writeFileSync(join(folder, path), after);
}

async function makeNextApp(folder: string): Promise<void> {
  copySources(ROOT, folder);
  const edit = (path: string, change: (text: string) => string) => {
    editIn(folder, path, change);
  };
  edit('src/app.html', (text) => text.replace('<head>', '<head><meta name="halfkey-next" content="yes" />'));
  edit('src/app.css', (text) => `${text}\n.halfkey-next { color: red; }\n`);
  edit(
    'src/lib/worker/crypto.worker.ts',
    (text) => `${text}\nObject.assign(globalThis, { halfkeyNext: 1 });\n`,
  );
  for (const path of ['static/manifest.webmanifest', 'static/bystander.js', 'static/icons/small.svg']) {
    edit(path, (text) => `${text}\n`);
  }
  appendFileSync(join(folder, 'static/icons/app-192.png'), '\0');
  await buildApp(folder);
}

function copySources(from: string, to: string): void {
  for (const source of [...BROKER_SOURCES, ...APP_SOURCES]) {
    cpSync(join(from, source), join(to, source), { recursive: true });
  }
}

/** As `npm run build` does. The packages are seen from there for as long as it lasts. */
async function buildApp(folder: string): Promise<void> {
  const packages = join(folder, 'node_modules');
  symlinkSync(join(ROOT, 'node_modules'), packages);
  mkdirSync(join(folder, '.svelte-kit'));
  await run(folder, 'svelte-kit', 'sync'); // What tsconfig.json extends is its doing.
  await run(folder, 'vite', 'build', '--logLevel', 'error');
  rmSync(packages);
}

/** Runs a program of the packages in a folder. @throws Error with what it wrote, when it fails */
function run(folder: string, command: string, ...args: string[]): Promise<void> {
  const env = { ...process.env, NODE_ENV: 'production' };
  const child = spawn(join(ROOT, 'node_modules', '.bin', command), args, {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
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
