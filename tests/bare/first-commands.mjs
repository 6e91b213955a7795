import { strict as assert } from 'node:assert';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

// Runs inside of bare-machine.sh, and uses nothing but Node.js: there is nothing else. Prints what the commands print.

const CLONE = '/tmp/halfkey';
const READY = 'Halfkey runs at ';
const START_MS = 600_000;
const OWN_LINE = process.versions.node.split('.')[0] ?? '';

let passed = 0;
/** @param {string} what holds @param {() => Promise<void> | void} check */
async function step(what, check) {
  console.log(`\n▸ ${what}`);
  await check();
  passed += 1;
}

/** A clone that nothing was done in yet. @param {string} [folder] */
function clone(folder = join(mkdtempSync('/tmp/clone-'), 'halfkey')) {
  execFileSync('git', ['clone', '--quiet', CLONE, folder]);
  return folder;
}

/**
 * @param {string[]} command
 * @param {{ cwd: string, node?: string, env?: Record<string, string> }} options `node`: folder of the Node.js to use
 */
function run(command, { cwd, node, env = {} }) {
  const [file = '', ...args] = command;
  const PATH = node === undefined ? process.env['PATH'] : `${node}:${process.env['PATH'] ?? ''}`;
  const child = spawn(file, args, {
    cwd,
    env: { ...process.env, ...env, PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that npm and what it has started end together.
    detached: true,
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (/** @type {Buffer} */ chunk) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (/** @type {Buffer} */ chunk) => {
    errors += chunk.toString();
  });
  /** @type {Promise<number | null>} */
  const ended = new Promise((resolve) => child.once('close', resolve));
  return {
    child,
    ended,
    output: () => output,
    errors: () => errors,
    /** @param {string} text */
    async until(text) {
      const deadline = Date.now() + START_MS;
      while (!output.includes(text)) {
        if (child.exitCode !== null || Date.now() > deadline)
          throw new Error(`no "${text}" in: ${output}${errors}`);
        await delay(20);
      }
    },
    async stop() {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
      return ended;
    },
  };
}

/**
 * Starts Halfkey, and looks whether a browser would get the app.
 * @param {Parameters<typeof run>[1] & { port: number }} options
 */
async function start({ port, env, ...options }) {
  const startedAtMs = Date.now();
  const halfkey = run(['npm', 'start'], {
    ...options,
    env: { PORT: String(port), HALFKEY_DATA: join(options.cwd, 'data'), ...env },
  });
  await halfkey.until(READY);
  console.log(halfkey.output().trim(), `\n(${((Date.now() - startedAtMs) / 1000).toFixed(1)} s)`);
  assert.equal(halfkey.errors(), '');
  const origin = `http://localhost:${String(port)}`;
  const page = await (await fetch(`${origin}/`)).text();
  const [, script = ''] = /href="([^"]+\.js)"/.exec(page) ?? [];
  for (const path of ['/readyz', script, '/service-worker.js']) {
    assert.equal((await fetch(new URL(path, origin))).status, 200, path);
  }
  return halfkey;
}

/**
 * A start that ends by itself, in one sentence.
 * @param {Parameters<typeof run>[1] & { says: RegExp, command?: string[] }} options
 */
async function refused({ says, command = ['npm', 'start'], ...options }) {
  const halfkey = run(command, options);
  assert.equal(await halfkey.ended, 1, halfkey.output() + halfkey.errors());
  console.log(halfkey.errors().trim());
  assert.match(halfkey.errors(), says);
  assert.equal(halfkey.errors().trim().split('\n').length, 1, 'one sentence');
}

/**
 * @param {string} line of Node.js: "22" @returns {string | undefined} its folder; undefined for the one that runs this
 */
function installNode(line) {
  if (line === OWN_LINE) return undefined;
  const folder = `/tmp/node-${line}`;
  mkdirSync(folder);
  execFileSync('npm', ['install', '--silent', '--prefix', folder, `node@${line}`], { stdio: 'inherit' });
  return join(folder, 'node_modules', 'node', 'bin');
}

/** A port and the next, free a moment ago. */
async function freePort() {
  for (let port = 20_000 + Math.floor(Math.random() * 10_000); ; port += 2) {
    if ((await listen(port, true)) && (await listen(port + 1, true))) return port;
  }
}

/**
 * @param {number} port @param {boolean} [release] @returns {Promise<import('node:net').Server | undefined>} undefined
 * if it is taken
 */
async function listen(port, release = false) {
  const server = createServer().listen(port, '127.0.0.1');
  const isListening = await Promise.race([
    once(server, 'listening').then(() => true),
    once(server, 'error').then(() => false),
  ]);
  if (!isListening) return undefined;
  if (release) {
    server.close();
    await once(server, 'close');
  }
  return server;
}

/** @param {string} options of a tmpfs @returns {string} where it is mounted */
function disk(options) {
  const folder = mkdtempSync('/tmp/disk-');
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'bare', folder]);
  return folder;
}

const lines = process.argv.slice(2);
let built = '';
for (const line of lines) {
  const node = installNode(line);
  const options = { cwd: clone(), ...(node && { node }), port: await freePort() };
  built = options.cwd;
  await step(`Node.js ${line}: npm start as the first command`, async () => {
    const halfkey = await start(options);
    assert.match(halfkey.output(), /Installing packages;.*\nBuilding the app …\nBuilding the broker …\n/);
    await halfkey.stop();
  });
  await step(`Node.js ${line}: once more, with nothing changed`, async () => {
    const halfkey = await start(options);
    assert.doesNotMatch(halfkey.output(), /Installing|Building/);
    await halfkey.stop();
  });
}

await step('a new commit rebuilds what is older, and nothing else', async () => {
  appendFileSync(join(built, 'broker', 'entry', 'node.ts'), '// A later commit.\n');
  const halfkey = await start({ cwd: built, port: await freePort() });
  assert.match(halfkey.output(), /Building the broker/);
  assert.doesNotMatch(halfkey.output(), /Installing|Building the app/);
  await halfkey.stop();
});

await step('a port that is taken, and by whom', async () => {
  const port = await freePort();
  const halfkey = await start({ cwd: built, port });
  const other = await freePort();
  const holder = await listen(other + 1);
  const data = { HALFKEY_DATA: join(built, 'other-data') };
  const taken = (/** @type {number} */ wanted) => ({ cwd: built, env: { ...data, PORT: String(wanted) } });
  await refused({
    ...taken(port),
    says: /^halfkey: port_taken: port \d+ is taken by another Halfkey \(version /,
  });
  await refused({
    ...taken(other),
    says: /^halfkey: port_taken: port \d+ is taken by another program: stop that one/,
  });
  holder?.close();

  console.log('… and a data folder that is in use');
  await refused({
    cwd: built,
    env: { PORT: String(other), HALFKEY_DATA: join(built, 'data') },
    says: /^halfkey: local_cloud_failed: the data folder \S+ is in use by another Halfkey: stop that one/,
  });
  await halfkey.stop();
});

await step('a data folder that cannot be written to, and one on a full disk', async () => {
  const PORT = String(await freePort());
  await refused({
    cwd: built,
    env: { PORT, HALFKEY_DATA: disk('ro') },
    says: /data_unwritable: this user cannot write to the data folder \S+: change its owner/,
  });
  await refused({
    cwd: built,
    env: { PORT, HALFKEY_DATA: disk('size=8k') },
    says: /disk_full: the disk that holds \S+ is full: free some space/,
  });
});

await step('no room for the packages, and no network', async () => {
  const env = { PORT: String(await freePort()), npm_config_fetch_retries: '0' };
  const cwd = clone(join(disk('size=60m'), 'halfkey'));
  // Twice: what is half installed must not pass for installed.
  for (let nth = 0; nth < 2; nth += 1) {
    await refused({ cwd, env, says: /^halfkey: installing the packages failed: the disk is full/ });
  }
  await refused({
    cwd: clone(),
    // What earlier steps installed is in npm's cache, which would do.
    env: { ...env, npm_config_cache: mkdtempSync('/tmp/cache-') },
    command: ['unshare', '--net', 'npm', 'start'],
    says: /^halfkey: installing the packages failed: the npm registry cannot be reached/,
  });
});

await step('a Node.js that is too old', async () => {
  const node = installNode('18');
  await refused({
    cwd: clone(),
    ...(node && { node }),
    command: ['node', 'broker/launch/start.mjs'],
    says: /^halfkey: Halfkey needs Node\.js 22\.12 or newer \(20\.19 works, too\), and this is 18\./,
  });
});

await step('npm run local-cloud as the first command', async () => {
  const port = await freePort();
  const cwd = clone();
  const cloud = run(
    ['npm', 'run', '--silent', 'local-cloud', '--', '--data', join(cwd, 'data'), '--port', String(port)],
    {
      cwd,
    },
  );
  await cloud.until('\n');
  const parsed = /** @type {unknown} */ (JSON.parse(cloud.output()));
  const { s3Endpoint } = /** @type {{ s3Endpoint: string }} */ (parsed);
  assert.equal(s3Endpoint, `http://127.0.0.1:${String(port)}`);
  await cloud.stop();
});

/** What README names besides, each on the smallest thing that it can be asked for; those that need no browser first. */
const COMMANDS = [
  ['npm', 'run', 'check'],
  ['npm', 'run', 'build'],
  ['npm', 'run', 'docs'],
  ['npm', 'run', 'release'],
  ['npm', 'run', 'test:unit', '--', 'tests/concurrency'],
  ['npm', 'run', 'test:broker', '--', 'tests/broker/drain.test.ts'],
  ['npm', 'run', 'test:browser', '--', 'tests/crypto/wipe.test.ts'],
  ['npm', 'run', 'test:e2e', '--', 'tests/e2e/drive.spec.ts', '-g', 'odd characters'],
  ['npm', 'run', 'test:hostile', '--', 'tests/hostile/server/startup.test.ts'],
  ['npm', 'run', 'test:changed', '--', 'HEAD'],
  ['npm', 'run', 'bench', '--', '--quick', 'journal'],
];
for (const command of COMMANDS) {
  await step(`${command.join(' ')} as the first command`, async () => {
    const cwd = clone();
    if (command.includes('test:changed'))
      appendFileSync(join(cwd, 'tests', 'concurrency', 'batcher.test.ts'), '// A change.\n');
    const first = run(command, { cwd });
    const status = await first.ended;
    console.log(first.output().trim().split('\n').slice(-3).join('\n'));
    assert.equal(status, 0, first.output() + first.errors());
  });
}

await step('npm run dev as the first command', async () => {
  const port = await freePort();
  const dev = run(['npm', 'run', 'dev'], {
    cwd: clone(),
    env: { PORT: String(port), HALFKEY_DATA: mkdtempSync('/tmp/data-') },
  });
  await dev.until(`http://localhost:${String(port)}/`);
  const answer = await fetch(`http://localhost:${String(port)}/api/signin/start`, { method: 'POST' });
  assert.equal(answer.headers.get('content-type'), 'application/problem+json', 'the broker answers');
  await dev.stop();
});

console.log(`\n${String(passed)} passed, 0 failed`);
