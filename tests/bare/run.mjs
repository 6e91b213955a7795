import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../../broker/launch/root.mjs';

// `npm run test:bare`: the first commands of a fresh clone, on a machine with nothing but Node.js, under each line of
// it that Halfkey runs on.

const NODE_LINES = ['20', '22', '24'];
const SKIPPED = 77;

const { status } = spawnSync(
  join(root, 'tests', 'bare', 'bare-machine.sh'),
  [
    'node',
    'tests/bare/first-commands.mjs',
    ...(process.argv.length > 2 ? process.argv.slice(2) : NODE_LINES),
  ],
  { cwd: root, stdio: 'inherit' },
);
process.exitCode = status === SKIPPED ? 0 : (status ?? 1);
