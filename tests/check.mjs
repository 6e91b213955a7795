import { spawn } from 'node:child_process';
import { bin } from '../broker/launch/install.mjs';
import { root } from '../broker/launch/root.mjs';

// `npm run check`: formatting, lint, types, the order of imports, unused code. Two at a time, the longest first; what a
// tool prints is shown in one piece when it ends.

/** @type {Record<string, string[]>} */
const TOOLS = {
  eslint: [bin('eslint', 'bin/eslint.js'), '.'],
  'svelte-check': [
    bin('svelte-check', 'bin/svelte-check'),
    '--tsconfig',
    './tsconfig.json',
    '--fail-on-warnings',
    '--output',
    'human',
  ],
  prettier: [bin('prettier', 'bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'],
  'dependency-cruiser': [bin('dependency-cruiser', 'bin/dependency-cruise.mjs'), 'src', 'broker', 'tests'],
  knip: [bin('knip', 'bin/knip.js')],
};
const AT_ONCE = 2;

const waiting = Object.entries(TOOLS);
/** @type {string[]} */
const failed = [];
await Promise.all(Array.from({ length: AT_ONCE }, worker));
if (failed.length > 0) console.error(`✗ check failed: ${failed.join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;

async function worker() {
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const [name, command] = next;
    const { passed, output } = await run(command);
    console.log(`${passed ? '✓' : '✗'} ${name}`);
    if (passed) continue;
    failed.push(name);
    console.log(output.trim());
  }
}

/** @param {string[]} command of Node.js @returns {Promise<{ passed: boolean, output: string }>} */
function run(command) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, command, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (/** @type {Buffer} */ chunk) => {
        output += chunk.toString();
      });
    }
    child.once('error', reject);
    child.once('close', (status) => {
      resolve({ passed: status === 0, output });
    });
  });
}
