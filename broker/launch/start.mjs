import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildIfStale } from './build.mjs';
import { installPackages, requireNode } from './install.mjs';
import { root } from './root.mjs';
import { describeTakenPort } from './port.mjs';
import { endWith } from './run.mjs';

// `npm start`: from a fresh clone to a running Halfkey. Installs and builds what is missing or out of date.

requireNode();
await requirePorts();
installPackages();
buildIfStale('app');
buildIfStale('broker');
await import(pathToFileURL(join(root, 'dist', 'broker.js')).href);

/** What would end the start anyway is said at once, not after a minute of installing. The settings refuse an odd PORT. */
async function requirePorts() {
  const port = Number(process.env['PORT'] ?? '8787');
  if (!Number.isInteger(port) || port < 1 || port > 65_534) return;
  const bringsCloud = !process.env['HALFKEY_BUCKET'] && !process.env['HALFKEY_LOCAL_CLOUD'];
  for (const wanted of bringsCloud ? [port, port + 1] : [port]) {
    const taken = await describeTakenPort(wanted);
    if (taken) endWith(`port_taken: ${taken}`);
  }
}
