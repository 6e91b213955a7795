import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildIfStale } from './build.mjs';
import { bin, installPackages } from './install.mjs';
import { requireFreePorts } from './port.mjs';
import { root } from './root.mjs';

// `npm run dev`: the app with hot reload, by Vite, on PORT; it hands requests to the broker on to a real one, which
// stands beside with its local cloud and is built anew at each start. All three end together.

const port = await requireFreePorts(3);
const brokerPort = port + 1;
installPackages();
buildIfStale('broker');

const origin = `http://localhost:${String(port)}`;
const broker = spawn(process.execPath, [join(root, 'dist', 'broker.js')], {
  cwd: root,
  // The broker's own greeting would name another address than the one to open.
  stdio: ['ignore', 'ignore', 'inherit'],
  env: { ...process.env, PORT: String(brokerPort), HALFKEY_ORIGIN: origin, LOG_LEVEL: 'warn' },
});
const vite = spawn(
  process.execPath,
  [bin('vite', 'bin/vite.js'), 'dev', '--strictPort', '--port', String(port)],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, HALFKEY_BROKER: `http://127.0.0.1:${String(brokerPort)}` },
  },
);

const children = [broker, vite];
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.on(signal, () => {
    for (const child of children) child.kill(signal);
  });
}
for (const child of children) {
  child.once('exit', (code) => {
    process.exitCode ??= code ?? 0;
    for (const other of children) other.kill('SIGTERM');
  });
}
